import { type EventEmitter, once } from 'node:events';
import type { NewFirmwarePage, VirtualSonoff, VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { finalImage } from './images';
import { opened, sonoff } from './lab';
import { RawImages } from './raw-images';

/** A final image that is known as some project's by this text. */
export function imageWith(mark: string | Buffer): Buffer {
  const image = finalImage(20_004);
  image.fill(mark, 8192, 8192 + Buffer.byteLength(mark));
  return image;
}

/** As Tasmota 8.5.0 would be known. */
export const TASMOTA = imageWith(Buffer.concat([Buffer.from('Theo Arends\0'), version(8, 5, 0)]));

/** What VersionCompatible leaves in a Tasmota: the version between two marks. */
function version(major: number, minor: number, patch: number): Buffer {
  const mark = Buffer.from('a55aa55a', 'hex');
  return Buffer.concat([mark, Uint8Array.of(0, patch, minor, major), mark]);
}

/** A device that fetches this image in FinalStage and boots it; its ports are free ones. */
export async function booted(image: Buffer, options: Partial<VirtualSonoffOptions> = {}): Promise<VirtualSonoff> {
  const images = await opened(new RawImages({ '/ota/image_arduino.bin': image }, {})).listen();
  const device = sonoff({
    startAt: 'finalstage',
    finalStageHost: { address: '127.0.0.1', port: images.port },
    newFirmware: { apAddress: '127.0.0.1', apPort: 0, homePort: 0 },
    ...options,
  });
  await device.start();
  return device;
}

/** The address of its page, as soon as it answers there. */
export async function pageOf(device: EventEmitter, network: NewFirmwarePage['network']): Promise<string> {
  for (;;) {
    const [page] = (await once(device, 'page')) as [NewFirmwarePage];
    if (page.network === network) return `http://${page.address}:${page.port}`;
  }
}
