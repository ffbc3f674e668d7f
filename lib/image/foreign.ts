/** Files that people take for an ESP8266 image, recognised by their first bytes. */

import { FlashError } from '../errors';
import { esp32Image } from './esp32';
import { LINE_BYTES } from './format';
import { gzipFile } from './gzip';
import type { ImageReason } from '../wordings/image-file';
import { wording } from '../wordings/wording';
import type { ImageName } from './facts';
import { imageNamed } from './name';

/** How much of the beginning is looked at to call a file text. */
const TEXT_PROBE_BYTES = 512;

/** First bytes of well-known files, and the reason shown to the user. */
const SIGNATURES: readonly { readonly bytes: readonly number[]; readonly reason: ImageReason }[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], reason: 'image-zip' },
  { bytes: [0x7f, 0x45, 0x4c, 0x46], reason: 'image-elf' },
  { bytes: [0x55, 0x46, 0x32, 0x0a], reason: 'image-uf2' },
];

/**
 * @param name of the file in the error
 * @throws FlashError image-compressed, image-web-page, image-wrong-chip or image-invalid where the file is of a kind
 * known not to be an ESP8266 image
 */
export function refuseForeign(bytes: Uint8Array, name: ImageName): void {
  const what = imageNamed(name);
  if (bytes.length === 0) throw new FlashError('image-invalid', { what, reason: wording('image-empty') });
  const gzip = gzipFile(bytes);
  if (gzip) {
    const { unpackedSize } = gzip;
    const how = unpackedSize === undefined ? wording('gzip') : wording('gzip-unpacked', { size: unpackedSize });
    throw new FlashError('image-compressed', { what, how });
  }
  const signature = SIGNATURES.find((known) => known.bytes.every((byte, i) => bytes[i] === byte));
  if (signature) throw new FlashError('image-invalid', { what, reason: wording(signature.reason) });
  const text = textOf(bytes);
  if (text?.trimStart().startsWith('<')) throw new FlashError('image-web-page', { what });
  if (text !== undefined) throw new FlashError('image-invalid', { what, reason: wording('image-text') });
  const esp32 = esp32Image(bytes);
  if (esp32) {
    const { chip } = esp32;
    const reason = wording(esp32.factory ? 'image-esp32-flash' : 'image-esp32', { chip });
    throw new FlashError('image-wrong-chip', { what, reason });
  }
  if (bytes.length >= LINE_BYTES && bytes.every((byte) => byte === bytes[0])) {
    const value = (bytes[0] ?? 0).toString(16).toUpperCase().padStart(2, '0');
    throw new FlashError('image-invalid', { what, reason: wording('image-one-value', { value }) });
  }
}

/** The beginning of a file that is nothing but text, else undefined. */
function textOf(bytes: Uint8Array): string | undefined {
  const probe = bytes.subarray(0, TEXT_PROBE_BYTES);
  if (!probe.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)) return undefined;
  return decodeUtf8(probe, bytes.length > probe.length);
}

/** Undefined where the bytes are no UTF-8; `cut` allows a character that continues behind them. */
function decodeUtf8(bytes: Uint8Array, cut: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cut });
  } catch {
    return undefined;
  }
}
