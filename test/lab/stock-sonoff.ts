import { randomInt, randomUUID } from 'node:crypto';
import { AxTls } from './sonoff/axtls';
import { obeyUpgrade } from './sonoff/download';
import { dial, dispatch } from './sonoff/dispatch';
import { finalStage } from './sonoff/final-stage';
import { Flash, type Slot } from './sonoff/flash';
import { type DeviceClass, type Identity, makeIdentity } from './sonoff/identity';
import { NewlibRand } from './sonoff/newlib-rand';
import { forget, pause } from './sonoff/reader';
import { newFirmware } from './sonoff/new-firmware';
import { isOneHop, oneHop } from './sonoff/one-hop';
import { radio, report } from './sonoff/report';
import { session } from './sonoff/session';
import { type Settings, settingMode } from './sonoff/setting-mode';

/**
 * A stock Sonoff as one program: `node stock-sonoff.js '{"class":"range","slot":1}'` in a network namespace of its own.
 *
 * It is written from the wire facts alone and shares nothing with lib/, neither code nor author's assumptions, so that
 * it can contradict both our servers and our virtual Sonoff. It ends with code 0 only when a whole final image stands at
 * flash 0.
 */

interface Life {
  class: DeviceClass;
  slot: Slot;
  deviceid?: string;
  /** The key its factory gave it, 36 characters. */
  apikey?: string;
  /** The home Wi-Fi that there is; with other credentials the device never gets into it. */
  home?: { ssid: string; password: string };
  /** From the association to the first dial, 10 to 25 s on a real one. */
  joinMs?: number;
  /** From the acknowledgement to the restart, 3 s on a real one. */
  restartMs?: number;
  blinkMs?: number;
  /** The darkness of an image that puts the final one in place itself; 15 to 20 s on a real one. */
  darkMs?: number;
  blockMs?: number;
  /** The restart takes the radio away before a FIN can leave. */
  vanish?: boolean;
  powerCut?: boolean;
}

async function live(life: Life): Promise<void> {
  const device = makeIdentity(life.class, life.slot, life.deviceid ?? '10000a1b2c', life.apikey ?? randomUUID());
  const flash = Flash.stock();
  const settings = await settingMode(device);
  device.rand = new NewlibRand();
  if (life.home && (settings.ssid !== life.home.ssid || settings.password !== life.home.password))
    throw new Error('the Wi-Fi refuses these credentials');
  await radio('home');
  await pause(life.joinMs ?? 2000);
  await stayConnected(device, flash, settings, life);
  const slot: Slot = device.slot === 1 ? 2 : 1;
  if (!flash.boots(slot)) throw new Error(`the loader does not start what was written into slot ${slot}`);
  if (isOneHop(flash, slot)) return await startOneHop(device, flash, slot, life);
  const size = await finalStage(flash, slot, {
    blinkMs: life.blinkMs ?? 2000,
    blockMs: life.blockMs ?? 8,
    powerCut: life.powerCut ?? false,
    vanish: life.vanish ?? false,
  });
  report('done', { bytes: size, flashSha256: flash.sha256(0, size) });
}

/** From the dark restart to the page of the new firmware, which ends the device once it was read. */
async function startOneHop(device: Identity, flash: Flash, slot: Slot, life: Life): Promise<void> {
  report('dark');
  await pause(life.darkMs ?? 3000);
  const size = oneHop(flash, slot);
  report('done', { bytes: size, flashSha256: flash.sha256(0, size) });
  await newFirmware(device.mac);
}

/** Dispatch and session, again and again with growing pauses, until an upgrade is acknowledged with 0. */
async function stayConnected(device: Identity, flash: Flash, settings: Settings, life: Life): Promise<void> {
  for (let failures = 0; ;) {
    try {
      const server = await dispatch(device, { host: settings.serverName, port: settings.port });
      const line = await dial(device, server);
      failures = 0;
      await session(
        device,
        line,
        (command) => obeyUpgrade(device, flash, command),
        async () => {
          await pause(life.restartMs ?? 1000);
          if (!life.vanish) return;
          await radio('off');
          forget(line instanceof AxTls ? line.socket : line);
        },
      );
      if (!life.vanish) await radio('off');
      return;
    } catch (error) {
      const waitMs = 1000 * 2 ** Math.min(failures, 5) * (1 + randomInt(1000) / 1000);
      failures++;
      report('disconnected', { reason: (error as Error).message, waitMs: Math.round(waitMs) });
      await pause(waitMs);
    }
  }
}

live(JSON.parse(process.argv[2] ?? '{}') as Life).then(
  () => process.exit(0),
  (error: Error) => {
    report('ended', { reason: error.message });
    process.exitCode = 1;
    process.stdout.write('', () => process.exit(1));
  },
);
