const MULTIPLIER = 6364136223846793005n;
const WORD = (1n << 64n) - 1n;

/** newlib's rand() as it is after a boot, seed 1: 1481765933, 1085377743, 1270216262, … (stock-firmware 4.1). */
export class NewlibRand {
  #state = 1n;

  next(): number {
    this.#state = (this.#state * MULTIPLIER + 1n) & WORD;
    return Number((this.#state >> 32n) & 0x7fffffffn);
  }
}
