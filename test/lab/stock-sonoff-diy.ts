import { EventEmitter, once } from 'node:events';
import { newFirmware } from './sonoff/new-firmware';
import { Flash, SECTOR } from './sonoff/flash';
import { pause } from './sonoff/reader';
import { radio, report } from './sonoff/report';
import { Announcer } from './sonoff-diy/announcer';
import { DiyMode } from './sonoff-diy/diy-mode';
import { download, DOWNLOAD_ADDRESS } from './sonoff-diy/download';
import { type DiyIdentity, makeDiyIdentity } from './sonoff-diy/identity';
import { LanServer } from './sonoff-diy/lan-server';
import { type DiyOffer } from './sonoff-diy/offer';
import { postResult } from './sonoff-diy/result-post';

/**
 * A Sonoff MINI with firmware 3.7.6 in DIY mode, as one program in a network namespace:
 * `node stock-sonoff-diy.js '{"deviceid":"10000a1b2c","apikey":"…","ssid":"…","address":"…","mac":"…"}'`.
 *
 * It is written from the wire facts alone (sonoff-diy/README.md). It ends with code 0 only when a whole new firmware
 * is at flash 0 and its page was read.
 */

interface Life {
  deviceid: string;
  apikey: string;
  ssid: string;
  /** That it gets in the home Wi-Fi. */
  address: string;
  mac: string;
  /** On loopback: no mDNS, any port for DIY mode, and the page of the new firmware on this one. */
  pagePort?: number;
}

/** Between the restart and the new firmware's access point; 20 to 60 s on a real one. */
const DARK_MS = 1000;

async function live(life: Life): Promise<void> {
  const device = makeDiyIdentity(life);
  const flash = Flash.stock();
  await radio('home');
  const size = await diyMode(device, life, flash);
  await pause(DARK_MS);
  install(flash, size);
  report('done', { bytes: size, flashSha256: flash.sha256(0, size) });
  if (life.pagePort === undefined) await newFirmware(device.mac);
  else await newFirmware(device.mac, life.pagePort, life.address);
}

/** Obeys commands until a flash has ended well; then the radio goes. Resolves with the size of the new firmware. */
async function diyMode(device: DiyIdentity, { address, pagePort }: Life, flash: Flash): Promise<number> {
  const events = new EventEmitter();
  const flashed = once(events, 'flashed') as Promise<[number]>;
  const mode = new DiyMode(device, (offer, reply) => {
    flashFrom(device, flash, offer, reply).then(
      (size) => size !== undefined && events.emit('flashed', size),
      (error: Error) => events.emit('error', error),
    );
  });
  const server = new LanServer((request) => mode.answer(request));
  const port = await server.listen(address, pagePort === undefined ? undefined : 0);
  const announcer = pagePort === undefined ? new Announcer(device, address, () => mode) : undefined;
  await announcer?.announce();
  report('diy-up', { port });
  const [size] = await flashed;
  await radio('off');
  server.close();
  announcer?.stop();
  return size;
}

/** The size of what now stands in the other half, undefined where it is not the image that was meant. */
async function flashFrom(
  device: DiyIdentity,
  flash: Flash,
  offer: DiyOffer,
  reply: (code: number) => void,
): Promise<number | undefined> {
  const { size, result } = await download(device, flash, offer, reply);
  if (result !== undefined) await postResult(offer, result);
  return result === 0 ? size : undefined;
}

/** Puts the image where the boot ROM starts it: an E9 image in DOUT, its application one sector behind (diy-mode 1.10). */
function install(flash: Flash, size: number): void {
  const image = Buffer.from(flash.bytes.subarray(DOWNLOAD_ADDRESS, DOWNLOAD_ADDRESS + size));
  flash.erase(0, Math.ceil(size / SECTOR));
  flash.program(0, image);
  if (image[0] !== 0xe9 || image[2] !== 3 || image[SECTOR] !== 0xe9)
    throw new Error('the boot ROM does not start what stands at flash 0');
}

live(JSON.parse(process.argv[2] ?? '{}') as Life).then(
  () => process.exit(0),
  (error: Error) => {
    report('ended', { reason: error.message });
    process.exitCode = 1;
    process.stdout.write('', () => process.exit(1));
  },
);
