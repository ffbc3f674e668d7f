/** Devices that need no set-up any more: a flash that is resumed or tried again finds its device on the home network. */

import type { StageContext } from '../run/task';
import { waitFor } from '../../timing/wait';
import type { StageHost } from './stage-host';

/** The findings of the stage where nothing is left to do in an access point. */
export type SetUpBefore = Readonly<Record<string, unknown>>;

/**
 * A device that dials us has its set-up, and its access point is gone: where a restart broke into the stage, or where a
 * flash that failed later is tried again.
 */
export async function dialsUs(
  context: StageContext,
  host: StageHost,
  signal: AbortSignal,
): Promise<{ readonly before: SetUpBefore }> {
  const { job } = context;
  const { deviceid } = job;
  const isHere = (id: string): boolean =>
    host.devices.get(id) !== undefined || (job.isResuming('provision') && host.devices.lastDispatch(id) !== undefined);
  const hasDialled = (): true | undefined => (deviceid !== undefined && isHere(deviceid)) || undefined;
  await waitFor(host.devices, ['dispatched', 'ready'], hasDialled, { signal });
  context.report('already-set-up', { deviceid: deviceid ?? '?' }, { fraction: 0.9 });
  return { before: { deviceid, answer: 'dialled-in' } };
}

/** A device of another route never dials us: where a restart broke into the end of the stage, the evidence decides. */
export function wasSetUp({ job }: StageContext): SetUpBefore | undefined {
  if (!job.isResuming('provision')) return undefined;
  const seen = job.evidence.all.findLast((one) => one.kind === 'provisioned');
  return seen?.route && { deviceid: job.deviceid, method: seen.route, answer: seen.answer };
}
