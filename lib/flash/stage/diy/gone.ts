import type { DiscoveryOptions } from '../../../client/diy/discovery';
import { PIECE_BYTES } from '../../../client/range-fetch';
import { pause } from '../../../timing/pause';
import { probeTcp } from '../../../net/probe';
import { DIY_PORT } from '../../../protocol/diy/names';
import type { Job } from '../../job/job';
import { askAnnounced } from './announcement';

/** Looks in a row in which the stock firmware's server must be away: Wi-Fi drops out for moments. */
const LOOKS_AWAY = 3;
export const LOOK_LIMIT_MS = 2000;

/** The progress of a device when this program ended in the middle of its flash. */
export type Before = 'reported' | 'fetched' | 'nothing';

export function doneBefore({ evidence }: Job): Before {
  if (evidence.all.some((seen) => seen.kind === 'result-reported' && seen.error === 0)) return 'reported';
  const hasAsked = evidence.all.some(
    (seen) => seen.kind === 'image-requested' && seen.role === 'final' && (seen.first ?? 0) + PIECE_BYTES >= seen.size,
  );
  return hasAsked ? 'fetched' : 'nothing';
}

export interface GoneOptions {
  /** Between two looks. */
  readonly lookMs: number;
  readonly discovery: DiscoveryOptions | undefined;
  readonly signal: AbortSignal;
}

/**
 * Waits until the stock firmware of a device does not answer any more. Its server decides; the silence of one that has
 * announced itself is noted beside it.
 *
 * @param at the address of its server, `address` or `address:port`
 */
export async function untilGone(job: Job, at: string, options: GoneOptions): Promise<'gone'> {
  const { lookMs, discovery, signal } = options;
  const [address = '', port = DIY_PORT] = at.split(':');
  for (let away = 0; away < LOOKS_AWAY;) {
    await pause(lookMs, signal);
    const seen = await probeTcp(address, Number(port), { signal, limitMs: LOOK_LIMIT_MS });
    away = seen === 'accepted' ? 0 : away + 1;
  }
  const { deviceid, evidence } = job;
  const hasAnnounced = evidence.all.some((seen) => seen.kind === 'device-info' && seen.isAnnounced);
  // For a device that was never heard, silence means nothing.
  const isAsked = hasAnnounced && deviceid !== undefined;
  const announcement = isAsked ? await askAnnounced(deviceid, discovery, signal) : undefined;
  evidence.add({ kind: 'stock-gone', ...(announcement === undefined ? {} : { announcement }) });
  return 'gone';
}
