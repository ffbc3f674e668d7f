/** Damages to a sound input: a few of these at a time. */

import type { Random } from './random';

const ODD_VALUES = ['null', '-1', '1e308', '""', '[]', '{}', 'true', '"\\u0000"', '9007199254740993', '"__proto__"'];
const ODD_TEXTS = ['\r\n', '\r\n\r\n', '\u0000', '%00', '%', '../../', '{{', '"', ':', ' ', 'ÿ', '0x', '-', ';'];

const WAYS: ((random: Random, bytes: Buffer) => Buffer)[] = [
  (random, bytes) => bytes.subarray(0, random.below(bytes.length + 1)),
  (random, bytes) => {
    const [at, length] = [random.below(bytes.length + 1), random.below(20)];
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
  },
  (random, bytes) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(16)), bytes.subarray(at)]);
  },
  (random, bytes) => {
    const damaged = Buffer.from(bytes);
    if (damaged.length > 0) damaged[random.below(damaged.length)] = random.below(256);
    return damaged;
  },
  (random, bytes) => {
    const [at, length] = [random.below(bytes.length + 1), random.below(200)];
    const piece = bytes.subarray(at, at + length);
    const times = random.chance(20) ? 200 : 1 + random.below(4);
    return Buffer.concat([bytes.subarray(0, at), ...Array.from({ length: times }, () => piece), bytes.subarray(at)]);
  },
  (random, bytes) => replaced(random, bytes, /-?\d+/g, ['0', '-1', '4294967296', '9'.repeat(40), '1e9', 'NaN']),
  (random, bytes) => replaced(random, bytes, /(?<=:\s*)("[^"]*"|\d+|true|false|null)/g, ODD_VALUES),
  (random, bytes) => replaced(random, bytes, /[\w/]+/g, ODD_TEXTS),
];

/** Something else than it was, mostly; what is right has its place among what is sent, too. */
export function damaged(random: Random, bytes: Buffer): Buffer {
  let now = bytes;
  for (let left = random.below(4); left > 0; left -= 1) now = random.pick(WAYS)(random, now);
  return now;
}

function replaced(random: Random, bytes: Buffer, pattern: RegExp, by: readonly string[]): Buffer {
  const text = bytes.toString('latin1');
  const found = [...text.matchAll(pattern)];
  const one = found[random.below(Math.max(1, found.length))];
  if (!one) return bytes;
  return Buffer.from(text.slice(0, one.index) + random.pick(by) + text.slice(one.index + one[0].length), 'latin1');
}
