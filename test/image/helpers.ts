import assert from 'node:assert/strict';
import { FlashError, type ErrorCode } from '../../lib/errors';
import { buildImage, takeApart } from '../../lib/image';

/** What `run` throws, which must be a FlashError; undefined where it throws nothing. */
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

/** Bytes of an irom that stay as they are: a text of the writer's stands there. */
const KEPT = 512;
/** How much of it is said again and again; with a few bytes of noise between. */
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
