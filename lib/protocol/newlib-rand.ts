/**
 * The sequence of rand() in newlib, the C library of the device, with its start value 1: it is never seeded, so every boot
 * repeats it (docs/dev/stock-firmware.md#4.1). The `ts` of a download is its next element; the position in the sequence
 * tells whether a device has rebooted, and how many requests it has made since.
 */

const MULTIPLIER = 6364136223846793005n;
const SEED = 1n;

/** How far positions are looked for. An upgrade takes about 60 elements, so this is hundreds of upgrades. */
export const RAND_LIMIT = 20_000;

const CHUNK = 1_000;

let state = SEED;
const elements: number[] = [];
const positions = new Map<number, number>();

/**
 * The n-th element, counted from 1.
 *
 * @throws RangeError where n is not within 1..RAND_LIMIT
 */
export function randElement(n: number): number {
  if (!Number.isInteger(n) || n < 1 || n > RAND_LIMIT) throw new RangeError(`no element ${n} of rand()`);
  while (elements.length < n) extend();
  return elements[n - 1]!;
}

/** The first position of a value, counted from 1, or undefined where it is not among the first RAND_LIMIT elements. */
export function randPosition(value: number): number | undefined {
  while (!positions.has(value) && elements.length < RAND_LIMIT) extend();
  return positions.get(value);
}

// By chunks, because most values that are asked for stand near the beginning; kept, because the work is the same for all.
function extend(): void {
  for (let i = 0; i < CHUNK; i++) {
    state = BigInt.asUintN(64, state * MULTIPLIER + 1n);
    const element = Number((state >> 32n) & 0x7fffffffn);
    elements.push(element);
    if (!positions.has(element)) positions.set(element, elements.length);
  }
}
