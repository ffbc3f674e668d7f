/** Files that people take for an ESP8266 image, told by their first bytes. */

import { FlashError } from '../errors';
import { APP_OFFSET, LINE_BYTES, MAGIC_V1, isEntryAddress } from './format';

/** How much of the beginning is looked at to call a file text. */
const TEXT_PROBE_BYTES = 512;

/** First bytes of well-known files, and what the user is told. */
const SIGNATURES: readonly { readonly bytes: readonly number[]; readonly reason: string }[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], reason: 'it is a ZIP archive; unpack it and give the .bin inside' },
  { bytes: [0x7f, 0x45, 0x4c, 0x46], reason: "it is an ELF file, the linker's output; give the .bin made from it" },
  { bytes: [0x55, 0x46, 0x32, 0x0a], reason: 'it is a UF2 file, for other boards' },
];

/**
 * Where ESP32 chips load segments to and an ESP8266 has nothing: cached data and code, and their own RAM (ESP32
 * Technical Reference, System and Memory; the S2, S3 and C3 tables of the same document series).
 */
const ESP32_RANGES: readonly (readonly [from: number, to: number])[] = [
  [0x3c000000, 0x3f800000],
  [0x3fc80000, 0x3ffe0000],
  [0x40020000, 0x40100000],
  [0x40370000, 0x40400000],
  [0x42000000, 0x44000000],
];
/** An ESP32 header goes on for 16 bytes: SPI pins, chip, revisions, and whether a digest follows. */
const ESP32_HEADER_BYTES = 24;

/**
 * @param what names the file in the error
 * @throws FlashError image-compressed, image-wrong-chip or image-invalid where the file is of a kind known not to be
 * an ESP8266 image
 */
export function refuseForeign(bytes: Uint8Array, what: string): void {
  if (bytes.length === 0) throw new FlashError('image-invalid', { what, reason: 'the file is empty' });
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new FlashError('image-compressed', { what });
  const signature = SIGNATURES.find((known) => known.bytes.every((byte, i) => bytes[i] === byte));
  if (signature) throw new FlashError('image-invalid', { what, reason: signature.reason });
  const text = textReason(bytes);
  if (text) throw new FlashError('image-invalid', { what, reason: text });
  const chip = esp32Reason(bytes);
  if (chip) throw new FlashError('image-wrong-chip', { what, reason: chip });
  if (bytes.length >= LINE_BYTES && bytes.every((byte) => byte === bytes[0])) {
    const value = (bytes[0] ?? 0).toString(16).toUpperCase().padStart(2, '0');
    throw new FlashError('image-invalid', { what, reason: `the file holds nothing but bytes ${value}` });
  }
}

function textReason(bytes: Uint8Array): string | undefined {
  const probe = bytes.subarray(0, TEXT_PROBE_BYTES);
  if (!probe.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)) return undefined;
  const text = decodeUtf8(probe, bytes.length > probe.length);
  if (text === undefined) return undefined;
  return text.trimStart().startsWith('<')
    ? 'it is a web page (HTML or XML) saved under the name of an image'
    : 'it is a text file';
}

/** Undefined where the bytes are no UTF-8; `cut` allows a character that goes on behind them. */
function decodeUtf8(bytes: Uint8Array, cut: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cut });
  } catch {
    return undefined;
  }
}

function esp32Reason(bytes: Uint8Array): string | undefined {
  if (isEsp32(bytes, 0)) return 'its header and segments are those of an ESP32';
  // A whole-flash ESP32 build ("factory") has its boot loader at 0x1000 and nothing before it.
  const empty = bytes.length > APP_OFFSET && bytes.subarray(0, APP_OFFSET).every((byte) => byte === 0xff);
  if (empty && isEsp32(bytes, APP_OFFSET)) return 'it is the content of a whole ESP32 flash';
  return undefined;
}

function isEsp32(bytes: Uint8Array, start: number): boolean {
  if (bytes[start] !== MAGIC_V1 || bytes.length < start + ESP32_HEADER_BYTES + 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entry = view.getUint32(start + 4, true);
  const first = view.getUint32(start + 8, true);
  if (inEsp32(first)) return true;
  return !isEntryAddress(entry) && inEsp32(view.getUint32(start + ESP32_HEADER_BYTES, true));
}

function inEsp32(address: number): boolean {
  return ESP32_RANGES.some(([from, to]) => address >= from && address < to);
}
