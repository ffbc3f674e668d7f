import assert from 'node:assert/strict';
import { FlashError, type ErrorCode } from '../../lib/errors';

/** Runs what must throw, and hands back the FlashError after a check of its code and that every {placeholder} was filled. */
export function flashErrorOf(code: ErrorCode, run: () => unknown): FlashError {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown instanceof FlashError, `expected a FlashError ${code}, got ${String(thrown)}`);
  assert.equal(thrown.code, code);
  assert.doesNotMatch(thrown.message, /[?{}]/, 'a placeholder of the sentence was not filled');
  return thrown;
}

/** A small random generator with a fixed start (xorshift32), so that a failing fuzz run can be repeated. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** What a broken or hostile device might put where something else is expected. */
export const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  404,
  '',
  'x'.repeat(200),
  '../../etc/passwd',
  '\u0000',
  'Küche',
  '💡',
  '"\\\n',
  '{reason}',
  [],
  {},
  [[[]]],
  { toString: 1, valueOf: 1 },
  { constructor: { prototype: 1 } },
];

/** A message broken in one way: a value replaced, a field taken out, text cut off, a character changed. */
export function mutate(message: Readonly<Record<string, unknown>>, random: (below: number) => number): string {
  const keys = Object.keys(message);
  const key = keys[random(keys.length)]!;
  const text = JSON.stringify(message);
  switch (random(5)) {
    case 0:
      return JSON.stringify({ ...message, [key]: HOSTILE_VALUES[random(HOSTILE_VALUES.length)] });
    case 1:
      return JSON.stringify({ ...message, [key]: undefined });
    case 2:
      return text.slice(0, random(text.length));
    case 3: {
      const at = random(text.length);
      return text.slice(0, at) + String.fromCharCode(random(300)) + text.slice(at + 1);
    }
    default:
      return text;
  }
}
