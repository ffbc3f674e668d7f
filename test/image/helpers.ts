import assert from 'node:assert/strict';
import { FlashError, type ErrorCode } from '../../lib/errors';
import { buildImage, checkForTarget, targetOfRole, takeApart, type ImageFacts, type ImageRole } from '../../lib/image';

/** Examines an image for its place in the cloud method. */
export function checkImage(bytes: Uint8Array, role: ImageRole): ImageFacts {
  return checkForTarget(bytes, targetOfRole(role));
}

/** The FlashError that `run` throws; undefined where it throws nothing. */
export function refusalOf(run: () => unknown): FlashError | undefined {
  try {
    run();
    return undefined;
  } catch (thrown) {
    assert(thrown instanceof FlashError, `threw ${String(thrown)}`);
    return thrown;
  }
}

/** Asserts that `run` is refused with this code, and that the message fits; gives the error. */
export function assertRefused(run: () => unknown, code: ErrorCode, message: RegExp = /./): FlashError {
  const error = refusalOf(run);
  assert(error, `expected ${code}, but nothing was thrown`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.doesNotMatch(error.message, /\?(?!$)/, 'a placeholder of the sentence was not filled');
  return error;
}

/** A copy with other bytes at `offset`. */
export function patched(image: Uint8Array, offset: number, ...bytes: number[]): Buffer {
  const copy = Buffer.from(image);
  copy.set(bytes, offset);
  return copy;
}

/** Where the Arduino core keeps the image's length; its CRC-32 is the next word. */
export const CORE_WORDS = { '2.7': 0xff8, '3': 0x1010 } as const;

/** A copy with the length and the CRC-32 that the Arduino core would have written into it. */
export function rewritten(image: Uint8Array, core: keyof typeof CORE_WORDS = '2.7', length = image.length): Buffer {
  const copy = Buffer.from(image);
  const at = CORE_WORDS[core];
  copy.fill(0, at, at + 8);
  copy.writeUInt32LE(crcBitByBit(copy.subarray(0, length)), at + 4);
  copy.writeUInt32LE(length, at);
  return copy;
}

/** By long division with the polynomial 04C11DB7, so that the table of the code under test is not asked. */
function crcBitByBit(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    for (let mask = 0x80; mask > 0; mask >>= 1) {
      const divides = remainder >>> 31 !== (byte & mask ? 1 : 0);
      remainder = (remainder << 1) ^ (divides ? 0x04c11db7 : 0);
    }
  }
  return remainder >>> 0;
}

/** Bytes of an irom that stay as they are: a text of the writer's stands there. */
const KEPT = 512;
/** How much of it is repeated, with a few bytes of noise between. */
const PERIOD = 4096;

/** The same final image with an application that packs about as well as real ones do: to two thirds. */
export function repetitive(image: Uint8Array): Buffer {
  const content = takeApart(image);
  assert(content.kind === 'final');
  for (const { data } of content.app.segments) {
    for (let at = Math.max(KEPT, PERIOD); at < data.length; at++) {
      if (at % 12 >= 7) data[at] = data[at - PERIOD] ?? 0;
    }
  }
  return buildImage(content);
}

/** Of one call, in ms of this process's own time; another attempt where the collector of garbage was in it. */
export function fastest(run: () => void): number {
  let best = Infinity;
  for (let attempt = 0; attempt < 5 && best > 50; attempt++) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}
