import net from 'node:net';
import type { TasmotaMachine } from './machine';
import { clientId } from './status';
import { pause } from '../device/timers';

const KEEP_ALIVE_SECONDS = 30;
const CONNACK = 0x20;

/**
 * Connects to the broker that the settings name, and again whenever the connection is lost, until the signal ends it.
 * MQTT 3.1.1, as far as a connection needs it.
 */
export async function keepConnected(machine: TasmotaMachine, signal: AbortSignal): Promise<never> {
  const { settings, device } = machine;
  for (;;) {
    await pause(device.timings.tasmotaMqtt, signal);
    if (settings.mqttHost === '') continue;
    if (!device.behaviours.mqttReaches) device.log('Tasmota: the broker cannot be reached');
    else await connection(machine, signal);
  }
}

/** Resolves when the connection has ended, whichever way. */
async function connection(machine: TasmotaMachine, signal: AbortSignal): Promise<void> {
  const { settings, device } = machine;
  const socket = net.connect({ host: settings.mqttHost, port: settings.mqttPort });
  const end = (): void => void socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  const pings = setInterval(() => socket.write(Uint8Array.of(0xc0, 0)), (KEEP_ALIVE_SECONDS / 2) * 1000);
  try {
    await new Promise<void>((resolve) => {
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
      socket.once('connect', () => socket.write(connectPacket(machine)));
      socket.once('data', (bytes) => {
        if (bytes[0] === CONNACK && bytes[3] === 0) {
          machine.mqttCount++;
          device.log('Tasmota: connected to the broker');
        } else {
          device.log(`Tasmota: the broker refused it (${bytes[3] ?? '?'})`);
          socket.destroy();
        }
      });
    });
  } finally {
    clearInterval(pings);
    signal.removeEventListener('abort', end);
  }
}

function connectPacket({ settings, device }: TasmotaMachine): Buffer {
  const { mqttUser, mqttPassword } = settings;
  const flags = 0x02 | (mqttUser === '' ? 0 : 0x80) | (mqttUser === '' || mqttPassword === '' ? 0 : 0x40);
  const texts = [
    clientId(device.identity.mac),
    ...(flags & 0x80 ? [mqttUser] : []),
    ...(flags & 0x40 ? [mqttPassword] : []),
  ];
  const body = Buffer.concat([field('MQTT'), Uint8Array.of(4, flags, 0, KEEP_ALIVE_SECONDS), ...texts.map(field)]);
  return Buffer.concat([Uint8Array.of(0x10), remainingLength(body.length), body]);
}

function field(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

function remainingLength(length: number): Uint8Array {
  return length < 128 ? Uint8Array.of(length) : Uint8Array.of((length & 0x7f) | 0x80, length >> 7);
}
