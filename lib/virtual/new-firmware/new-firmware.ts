import type { FlashMemory } from '../device/flash-memory';

export type OtherProject = 'esphome' | 'espurna' | 'other';

export type NewFirmware =
  { readonly project: 'tasmota'; readonly version: string } | { readonly project: OtherProject };

/** Where the web page of the new firmware is found. Port 0 takes any. */
export interface NewFirmwareServer {
  /** In its own access point: 192.168.4.1 and 80 on a real one. */
  readonly apAddress: string;
  readonly apPort: number;
  /** At home, where the radio says which address it has: 80 on a real one. */
  readonly homePort: number;
}

/** Texts that each project compiles into every build of it, and no other does. */
const MARKS: readonly { project: 'tasmota' | OtherProject; mark: string }[] = [
  { project: 'tasmota', mark: 'Theo Arends' },
  { project: 'esphome', mark: '_esphomelib' },
  { project: 'espurna', mark: 'ESPURNA' },
];

/** Tasmota 7.2 and later keep their version between two of these (VersionCompatible in its settings.ino). */
const TASMOTA_VERSION_MARK = Buffer.from('a55aa55a', 'hex');
/** The default where an image states none: from here on Tasmota is strictest about who may send it commands. */
const STRICTEST_TASMOTA = '15.5.0';

/** The project of the image at 0x0, read from its bytes alone. */
export function newFirmwareIn(flash: FlashMemory): NewFirmware {
  const image = flash.read(0, flash.bytes.length);
  const project = MARKS.find(({ mark }) => image.includes(mark))?.project ?? 'other';
  return project === 'tasmota' ? { project, version: tasmotaVersion(image) } : { project };
}

function tasmotaVersion(image: Buffer): string {
  const at = image.indexOf(TASMOTA_VERSION_MARK);
  if (at < 0 || image.indexOf(TASMOTA_VERSION_MARK, at + 4) !== at + 8) return STRICTEST_TASMOTA;
  const [, patch = 0, minor = 0, major = 0] = image.subarray(at + 4, at + 8);
  return major === 0 || major === 0xff ? STRICTEST_TASMOTA : `${major}.${minor}.${patch}`;
}
