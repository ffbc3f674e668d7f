import assert from 'node:assert/strict';
import { FlashError, type ErrorCode } from '../../lib/errors';

/** Waits for a refusal: a FlashError of this code, whose two sentences have all their values. */
export async function assertCode(promise: Promise<unknown>, code: ErrorCode): Promise<FlashError> {
  const error = await promise.then(
    (value) => assert.fail(`expected ${code}, but it ended well: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  assert(error instanceof FlashError, `threw ${String(error)}`);
  assert.equal(error.code, code, error.message);
  assert.doesNotMatch(error.message, /(^|[ (])\?([ ,.);]|$)/, 'a value of the sentence is missing');
  assert.match(error.message, /\. \S.*\.$/s, 'two sentences');
  return error;
}
