import assert from 'node:assert/strict';
import { FlashError, type ErrorCode } from '../../lib/errors';

/** Asserts that a promise fails with this code, in a message with every placeholder filled. */
export async function assertRefused(promise: Promise<unknown>, code: ErrorCode, message = /./): Promise<FlashError> {
  const error = await promise.then(
    () => assert.fail(`expected ${code}, but it was accepted`),
    (thrown: unknown) => thrown,
  );
  assert(error instanceof FlashError, `threw ${String(error)}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.doesNotMatch(error.message, /\?(?!$)/, 'a placeholder of the sentence was not filled');
  return error;
}
