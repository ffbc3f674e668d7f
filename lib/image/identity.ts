/**
 * The identity of an image by its own content: file names lie. Each mark is one that the project compiles into
 * every build and that no other holds; a version beside it, as text or as a number, is read as well.
 */

import { esp32Image } from './esp32';
import type { ImageFacts } from './facts';
import { TASMOTA_BEFORE_6_1, isMinimalText } from './minimal';

export type Project =
  | 'tasmota'
  | 'esphome'
  | 'espurna'
  | 'wled'
  | 'espeasy'
  | 'itead-stock'
  | 'e2a'
  | 'espressif-at'
  | 'rehearsal'
  | 'unknown';

export interface Identity {
  readonly project: Project;
  /** As the project writes it, such as `8.5.0` or `2024.6.1`; absent where the image does not tell. */
  readonly version?: string;
  /** Where the image tells only so much: it is newer than this release, or older. */
  readonly newerThan?: string;
  readonly olderThan?: string;
  /**
   * `minimal`: only fetches another build. `core`: ESPurna's build for two-step updates. `factory`: the content of a
   * whole ESP32 flash. `lite`, `sensors` and others: as Tasmota names its builds.
   */
  readonly variant?: string;
}

/** Stands in every image made for a rehearsal, so that it is known again wherever it was kept. */
export const REHEARSAL_MARK = 'made for rehearsals with a virtual Sonoff; does nothing on a real one';

interface Marks {
  readonly project: Project;
  /** Every string of one of these rows must stand in the image. */
  readonly anyOf: readonly (readonly string[])[];
}

/** In this order: a Tasmota names ESPHome nowhere, but stock firmware and Tasmota both name ITEAD. */
const MARKS: readonly Marks[] = [
  { project: 'rehearsal', anyOf: [[REHEARSAL_MARK]] },
  // Espressif2Arduino: the name of its network and the path it asks for (docs/dev/esp8266-images.md#3).
  { project: 'e2a', anyOf: [['FinalStage', '/ota/image_arduino.bin']] },
  // The foot of every page of its web server; its update addresses, present and past; its information page of 2017.
  {
    project: 'tasmota',
    anyOf: [
      ['Theo Arends'],
      ['ota.tasmota.com/'],
      ['thehackbox.org/tasmota'],
      ['sonoff.maddox.co.uk/tasmota'],
      [TASMOTA_BEFORE_6_1],
    ],
  },
  // Its greeting in the log; the mDNS service of its API, for builds without a log.
  { project: 'esphome', anyOf: [['ESPHome version '], ['esphome version '], ['running ESPHome v'], ['_esphomelib']] },
  // Its name, and its author's site or address, which its greeting holds.
  {
    project: 'espurna',
    anyOf: [
      ['ESPURNA', 'tinkerman.cat'],
      ['ESPURNA', 'xose.perez@'],
    ],
  },
  // Its answer to AT+GMR, and its texts of an update over the network.
  { project: 'espressif-at', anyOf: [['AT version:', '+CIPUPDATE:']] },
  // Its own Wi-Fi.
  { project: 'wled', anyOf: [['WLED-AP']] },
  // The heading of its web pages, and of those in its own Wi-Fi.
  { project: 'espeasy', anyOf: [['ESP Easy Mega'], ['Welcome to ESP Easy']] },
  // What it calls itself in a download, and the server it names there (docs/dev/esp8266-images.md#2.6); since 3.5 its
  // app and its cloud.
  {
    project: 'itead-stock',
    anyOf: [
      ['itead-device', 'dl.itead.cn'],
      ['eWeLink', 'coolkit', 'romVersion'],
    ],
  },
];

/**
 * Tasmota 7.2 and later keep their version between two marks, for the version before them to read (VersionCompatible
 * in its settings.ino); all ones where a release left it out.
 */
const TASMOTA_VERSION_START = Buffer.from('a55aa55a', 'hex');
const TASMOTA_VERSION_END = 0xa55aa55a;
const TASMOTA_BUILD = /\((?:[\w.]{1,16}-)?(minimal|lite|sensors|display|knx|ir|zbbridge|tasmota)\)/;
const ESPHOME_VERSION = /(?:ESPHome|esphome) (?:version |v)(\d[\w.+-]{0,30}) compiled/;
const WLED_VERSION = /WLED v(\d+\.\d+\.\d+[\w.+-]{0,30})/;
const ESPURNA_VERSION = /ESPURNA (\d+\.\d+\.\d+[\w.+-]{0,30})/;

/**
 * Never throws, whatever the bytes are; an image that nothing is known of is `unknown`.
 *
 * @param facts of a final image: its boot loader tells how old a Tasmota without a version is
 */
export function identify(bytes: Uint8Array, facts?: Pick<ImageFacts, 'eboot'>): Identity {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marks = MARKS.find(({ anyOf }) => anyOf.some((all) => all.every((mark) => buffer.includes(mark, 0, 'latin1'))));
  const project = marks?.project ?? 'unknown';
  const text = buffer.toString('latin1');
  const version = versionOf(project, buffer, text);
  const variant = variantOf(project, bytes, text);
  const age = project === 'tasmota' && version === undefined ? tasmotaAge(text, facts) : {};
  return { project, ...(version && { version }), ...age, ...(variant && { variant }) };
}

/** Tasmota states its version from 7.2 to 9.2, and has had an eboot that unpacks gzip since 8.2. */
function tasmotaAge(text: string, facts?: Pick<ImageFacts, 'eboot'>): Pick<Identity, 'newerThan' | 'olderThan'> {
  if (text.includes(TASMOTA_BEFORE_6_1)) return { olderThan: '6.1' };
  if (facts?.eboot === 'gzip') return { newerThan: '9.2' };
  return facts?.eboot === 'raw' ? { olderThan: '7.2' } : {};
}

function versionOf(project: Project, buffer: Buffer, text: string): string | undefined {
  if (project === 'tasmota') return tasmotaVersion(buffer);
  if (project === 'esphome') return ESPHOME_VERSION.exec(text)?.[1];
  if (project === 'espurna') return ESPURNA_VERSION.exec(text)?.[1];
  if (project === 'wled') return WLED_VERSION.exec(text)?.[1];
  return undefined;
}

function variantOf(project: Project, bytes: Uint8Array, text: string): string | undefined {
  if (esp32Image(bytes)?.factory) return 'factory';
  if (isMinimalText(text)) return 'minimal';
  if (project === 'espurna' && text.includes('ESPURNA_CORE')) return 'core';
  if (project !== 'tasmota') return undefined;
  // A build's name stands alone, or in brackets behind the version.
  return TASMOTA_BUILD.exec(text)?.[1] ?? (text.includes('\0lite\0') ? 'lite' : undefined);
}

function tasmotaVersion(buffer: Buffer): string | undefined {
  for (let at = buffer.indexOf(TASMOTA_VERSION_START); at >= 0; at = buffer.indexOf(TASMOTA_VERSION_START, at + 1)) {
    if (at + 12 > buffer.length || buffer.readUInt32LE(at + 8) !== TASMOTA_VERSION_END) continue;
    const [build = 0, patch = 0, minor = 0, major = 0] = buffer.subarray(at + 4, at + 8);
    if (major === 0 || major === 0xff) return undefined;
    const parts = [major, minor, patch, ...(build ? [build] : [])];
    return parts.join('.');
  }
  return undefined;
}
