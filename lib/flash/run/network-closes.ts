import { AP_SSID_PREFIX } from '../../protocol/ap';
import type { Job } from '../job/job';

/** A device closes its access point after that (docs/dev/stock-firmware.md#7, row 10); ms. */
const AP_OPEN_MS = 3 * 60_000;

/**
 * When a device that waits for its set-up closes its network, told from when that was first seen; undefined where it was
 * not seen yet.
 */
export function networkClosesAt({ evidence, running, lastStage }: Job): Date | undefined {
  if (!running || lastStage !== 'provision') return undefined;
  const began = evidence.all.findLastIndex((seen) => seen.kind === 'stage' && seen.event === 'began');
  const first = evidence.all.slice(Math.max(0, began)).find((seen) => {
    if (seen.kind === 'wifi') return seen.event === 'joining' && seen.ssid.startsWith(AP_SSID_PREFIX);
    return seen.kind === 'ap-looked' && seen.joined;
  });
  return first && new Date(first.at + AP_OPEN_MS);
}
