/** The transfers that a host waits for before it releases its ports. */

import type { JobRegistry } from '../job/job-registry';
import { waitFor } from '../../timing/wait';
import type { Waits } from '../stage/waits';
import type { ListeningHost, SharedListener } from './shared-listener';

/** How often it is looked whether something is still fetched. */
const LOOK_MS = 1000;

/**
 * Resolves when nothing is on the wire, and no device is between two pieces of its upgrade or about to give its verdict;
 * or when the signal aborts.
 */
export async function untilNothingIsFetched(
  jobs: JobRegistry,
  isOnWire: () => boolean,
  { upgradeFlowsMs }: Pick<Waits, 'upgradeFlowsMs'>,
  signal: AbortSignal,
): Promise<void> {
  const isFetched = (): boolean => isOnWire() || jobs.all().some(({ download }) => download?.isFlowing(upgradeFlowsMs));
  const look = (): true | undefined => !isFetched() || undefined;
  await waitFor(jobs, ['changed'], look, { signal, everyMs: LOOK_MS }).catch(() => undefined);
}

/** Resolves when no transfer to FinalStage is on the wire; one that has not moved for long is dead and is not waited for. */
export async function untilFinalStageIsQuiet(
  jobs: JobRegistry,
  listener: SharedListener,
  host: ListeningHost,
  { deadTransferMs }: Pick<Waits, 'deadTransferMs'>,
): Promise<void> {
  const onWire = listener.transfersHeldBy(host);
  if (!onWire || onWire.finalstage === 0) return;
  const sessions = jobs.awaitingFinalStage().flatMap(({ finalStage }) => finalStage ?? []);
  const whenAllStall = Promise.all(sessions.map((session) => session.whenQuiet(deadTransferMs)));
  await Promise.race([listener.whenFinalStageQuiet(), whenAllStall]);
}
