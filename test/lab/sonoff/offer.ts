import { type Identity } from './identity';
import { jsonText } from './literal';
import { type Slot } from './flash';

/** The half of an upgrade command that concerns this device. */
export interface Offer {
  host: string;
  port: number;
  path: string;
  digest: string;
  /** The other slot than the one it runs from. */
  slot: Slot;
}

/** The offer, or the code with which the firmware refuses the command (stock-firmware 3.7, 3.8). */
export function readOffer(device: Identity, text: string): Offer | 400 | 406 | 410 {
  const slot: Slot = device.slot === 1 ? 2 : 1;
  const start = text.indexOf('"binList"');
  const list = start < 0 ? '' : text.slice(start, text.indexOf(']', start));
  const entry = list.split('}').find((part) => jsonText(part, 'name') === `user${slot}.bin`) ?? '';
  const url = jsonText(entry, 'downloadUrl') ?? '';
  const digest = jsonText(entry, 'digest') ?? '';
  const model = jsonText(text, 'model');
  const version = jsonText(text, 'version');
  const place = /^http:\/\/([^/:]{1,49})(?::(\d{1,5}))?(\/.{0,98})$/.exec(url);
  if (place === null || url.length >= 150 || !/^[0-9a-f]{64}$/.test(digest)) return 400;
  if (model === undefined || version === undefined) return 400;
  if (model !== device.model) return 406;
  // Compared as strings: 9.9.9 and 23.42.5 are newer than 1.5.5, 10.0.0 is not.
  if (version <= device.romVersion) return 410;
  return { host: place[1]!, port: Number(place[2] ?? 80), path: place[3]!, digest, slot };
}
