import net from 'node:net';
import type { DeviceContext } from '../device/context';
import { type ApAnswers, takeRequest } from './ap-request';
import { accessPointMac } from '../device/radio';
import { pause } from '../device/timers';

/**
 * The set-up access point's web server (docs/dev/stock-firmware.md#1.3): a literal string matcher with a 2048-byte
 * buffer, not an HTTP server. It never answers what it does not know.
 */
export class AccessPoint<Taken> {
  private readonly sockets = new Set<net.Socket>();
  private accepted: ((settings: Taken | undefined) => void) | undefined;

  constructor(
    private readonly device: DeviceContext,
    private readonly answers: ApAnswers<Taken>,
  ) {}

  /**
   * Opens the AP and waits until it has taken settings or its time is over (undefined). `onListening` gets the port.
   * Rejects where the address cannot be listened on.
   */
  async open(
    at: { address: string; port: number },
    signal: AbortSignal,
    onListening: (port: number) => void,
  ): Promise<Taken | undefined> {
    const { device } = this;
    const server = net.createServer((socket) => this.serve(socket));
    const network = {
      ssid: `ITEAD-${device.identity.deviceid}`,
      password: '12345678',
      address: at.address,
      bssid: accessPointMac(device.identity.mac),
    };
    device.enter('access-point');
    await device.radio.openAccessPoint(network);
    try {
      await pause(device.timings.apListens, signal);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(at.port, at.address, resolve);
      });
      signal.throwIfAborted();
      device.log('access point is open');
      const outcome = new Promise<Taken | undefined>((resolve) => (this.accepted = resolve));
      const closing = setTimeout(() => this.accepted?.(undefined), device.timings.apOpen);
      const onAbort = (): void => this.accepted?.(undefined);
      signal.addEventListener('abort', onAbort, { once: true });
      onListening((server.address() as net.AddressInfo).port);
      const settings = await outcome;
      clearTimeout(closing);
      signal.removeEventListener('abort', onAbort);
      if (settings) await pause(device.timings.apGoes, signal);
      signal.throwIfAborted();
      return settings;
    } finally {
      for (const socket of this.sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
      await device.radio.closeAccessPoint(network);
    }
  }

  private serve(socket: net.Socket): void {
    let buffer = Buffer.alloc(0);
    let timer: NodeJS.Timeout | undefined;
    const drop = (why: string): void => {
      clearTimeout(timer);
      timer = undefined;
      buffer = Buffer.alloc(0);
      this.device.log(`access point: request dropped, ${why}`);
    };
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      this.sockets.delete(socket);
    });
    socket.on('data', (bytes) => {
      timer ??= setTimeout(() => drop('not finished in time'), this.device.timings.apRequest);
      buffer = Buffer.concat([buffer, bytes]);
      if (buffer.length > 2048) return drop('over 2048 bytes');
      const request = takeRequest(buffer);
      if (request === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      buffer = Buffer.alloc(0);
      this.answer(request, socket);
    });
  }

  private answer(text: string, socket: net.Socket): void {
    const answer = this.answers(text);
    if ('silence' in answer) return this.device.log(`access point: no answer, ${answer.silence}`);
    this.device.log(`access point: ${answer.log}`);
    socket.write(answer.reply);
    if (answer.taken !== undefined) this.accepted?.(answer.taken);
  }
}
