import { createHash } from 'node:crypto';
import { type DeviceContext, Restart } from '../device/context';
import { dial } from '../wire/dial';
import { SECTOR_BYTES } from '../device/flash-memory';
import { hold } from '../device/hold';
import type { Upgrade } from './upgrade-command';
import { pause } from '../device/timers';
import { type Wire, WireError } from '../wire/wire';

/** Connects to where the image is. Rejects with a WireError, or with the signal's reason. */
export async function dialImages({ device, upgrade, signal }: Download): Promise<Wire> {
  const limitMs = device.timings.connect;
  if (!device.behaviours.reachesImages) {
    await pause(limitMs, signal);
    throw new WireError('no connection in time', true);
  }
  return await dial({ host: upgrade.host, port: upgrade.port, localAddress: device.localAddress, limitMs, signal });
}

/** The download cannot continue; the device reports 404, whatever it was. */
export class DownloadError extends Error {}

/** Most bytes of an image: 460 KiB (docs/dev/esp8266-images.md#2.6). */
export const IMAGE_BYTES = 471_040;

export interface Download {
  readonly device: DeviceContext;
  readonly upgrade: Upgrade;
  /** Where in the flash the image starts. */
  readonly address: number;
  readonly signal: AbortSignal;
}

/**
 * The firmware's request (docs/dev/stock-firmware.md#4.1): `sign` over deviceid, ts and factory key; a Host that is the
 * vendor's whatever the URL says. Takes one element of the random sequence.
 */
export function downloadRequest({ device, upgrade }: Download, range?: { first: number; last: number }): string {
  const { deviceid, apikey } = device.identity;
  const ts = device.rand.next();
  const sign = createHash('sha256').update(`${deviceid}${ts}${apikey}`).digest('hex');
  return (
    `GET ${upgrade.path}?deviceid=${deviceid}&ts=${ts}&sign=${sign} HTTP/1.1\r\nHost: dl.itead.cn\r\n` +
    (range ? `Range: bytes=${range.first}-${range.last}\r\n` : '') +
    'User-Agent: itead-device\r\n\r\n'
  );
}

/**
 * Erases a sector and writes a block of at most 4096 bytes, padded with FF, at `offset` of the image. Rejects with a
 * Restart or a WireError where a behaviour wants it so.
 */
export async function writeSector(download: Download, offset: number, block: Uint8Array): Promise<void> {
  const { device, address, signal } = download;
  const { flash, behaviours } = device;
  flash.eraseSector((address + offset) / SECTOR_BYTES);
  flash.program(address + offset, block);
  await pause(behaviours.blockPauseMs, signal);
  const written = offset + block.length;
  await hold(device, written, signal);
  if (behaviours.crashesAtByte !== undefined && written >= behaviours.crashesAtByte && device.once('crash')) {
    throw new Restart('crashed during the download');
  }
}

/** Rejects with a WireError where a behaviour loses the connection at this point of the download. */
export function maybeLoseConnection({ device }: Download, written: number, lostBefore: number): void {
  const { losesConnectionAtByte: at, losesConnectionTimes: times } = device.behaviours;
  if (at !== undefined && written >= at && lostBefore < times) throw new WireError('connection lost by the device');
}
