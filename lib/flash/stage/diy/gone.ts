import { PIECE_BYTES } from '../../../client/range-fetch';
import { pause } from '../../../client/diy/turns';
import { probeTcp } from '../../../net/probe';
import { DIY_PORT } from '../../../protocol/diy/names';
import type { Job } from '../../job/job';

/** Looks in a row in which the stock firmware's server must be away: Wi-Fi drops out for moments. */
const LOOKS_AWAY = 3;
const LOOK_LIMIT_MS = 2000;

/** What a device had done when this program ended in the middle of its flash. */
export type Before = 'reported' | 'fetched' | 'nothing';

export function doneBefore({ evidence }: Job): Before {
  if (evidence.all.some((seen) => seen.kind === 'result-reported' && seen.error === 0)) return 'reported';
  const hasAsked = evidence.all.some(
    (seen) => seen.kind === 'image-requested' && seen.role === 'final' && (seen.first ?? 0) + PIECE_BYTES >= seen.size,
  );
  return hasAsked ? 'fetched' : 'nothing';
}

/**
 * Waits until the stock firmware of a device does not answer any more.
 *
 * @param at the address of its server, `address` or `address:port`
 */
export async function untilGone(job: Job, at: string, lookMs: number, signal: AbortSignal): Promise<'gone'> {
  const [address = '', port = DIY_PORT] = at.split(':');
  for (let away = 0; away < LOOKS_AWAY;) {
    await pause(lookMs, signal);
    const seen = await probeTcp(address, Number(port), { signal, limitMs: LOOK_LIMIT_MS });
    away = seen === 'accepted' ? 0 : away + 1;
  }
  job.evidence.add({ kind: 'stock-gone' });
  return 'gone';
}
