import assert from 'node:assert/strict';
import { FlashError, type ErrorCode } from '../../lib/errors';

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
