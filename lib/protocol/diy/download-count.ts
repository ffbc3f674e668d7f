/** The outcome of a device's download requests, as their `ts` shows it (docs/dev/diy-mode.md#2.2). */
export interface DownloadCount {
  /** Requests that the device made and that did not arrive. */
  readonly lost: number;
  /** Times that its counter started again: it booted. */
  readonly reboots: number;
  /** Times that an earlier count continued after a newer one: two devices or programs use one id. */
  readonly alternations: number;
  /** Times that the very request came once more, as a proxy would send it. */
  readonly repeated: number;
}

/** A gap of more is no row of lost requests: the device has used its counter for something else. */
const GAP_LIMIT = 64;

/**
 * Follows the positions of a device's requests, in the order of arrival. Evidence alone, never a ground to refuse: other
 * models use other generators.
 *
 * @param positions as `OtaRequest.randPosition`; what has none is left out
 */
export function countDownloads(positions: readonly (number | undefined)[]): DownloadCount {
  const count = { lost: 0, reboots: 0, alternations: 0, repeated: 0 };
  let newest: number | undefined;
  /** Where counts stopped that a newer one, lower than they, has followed. */
  let earlier: readonly number[] = [];
  for (const position of positions) {
    if (position === undefined) continue;
    if (position === newest) {
      count.repeated++;
      continue;
    }
    const before = newest;
    newest = position;
    if (before === undefined) continue;
    const continued = earlier.find((last) => follows(position, last));
    if (follows(position, before)) {
      count.lost += position - before - 1;
      // A position that this count passes on its way is continued by no other.
      earlier = earlier.filter((last) => last < before || last > position);
    } else if (continued !== undefined) {
      count.alternations++;
      count.lost += position - continued - 1;
      earlier = [...earlier.filter((last) => last !== continued), before];
    } else if (position < before) {
      count.reboots++;
      earlier = [...earlier, before];
    }
  }
  return count;
}

function follows(position: number, last: number): boolean {
  return position > last && position - last <= GAP_LIMIT;
}
