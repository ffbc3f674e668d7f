const MULTIPLIER = 6364136223846793005n;
const MASK_64 = (1n << 64n) - 1n;

/**
 * newlib's rand() with its default seed 1, which the stock firmware never seeds: the same numbers after every boot
 * (docs/dev/stock-firmware.md#4.1). Element 1 gives the dispatch's `ts`, element 2 the register's, element 3 the first
 * download's.
 */
export class NewlibRand {
  private state = 1n;
  /** How many elements were taken since the boot. */
  position = 0;

  next(): number {
    this.state = (this.state * MULTIPLIER + 1n) & MASK_64;
    this.position++;
    return Number((this.state >> 32n) & 0x7fffffffn);
  }
}
