/** Numbers that look random and are the same for the same seed on every machine. */

/** The next 32-bit number (0 to 2^32 - 1) at each call: xorshift by Marsaglia (13, 17, 5). */
export function seededRandom(seed: number): () => number {
  // Zero would stay zero; the multiplication parts neighbouring seeds.
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
