import type { Job } from '../job/job';
import { isWait } from '../../progress-texts';
import { networkClosesAt } from './network-closes';

/** When the stage of a job gives up waiting; undefined where it does not wait: a stage in which bytes flow has no end. */
export function waitEndOf({ lastReport, running, evidence, lastStage }: Job): Date | undefined {
  if (!lastReport || !running || !isWait(lastReport.name)) return undefined;
  const began = evidence.all.findLast((seen) => seen.kind === 'stage' && seen.event === 'began');
  if (began?.kind !== 'stage' || began.event !== 'began' || began.stage !== lastStage) return undefined;
  return new Date(began.at + began.seconds * 1000);
}

/** What a wait counts down to: to the end of the network that the device has opened, as long as that is open. */
export function countdownEndOf(job: Job, now = Date.now()): Date | undefined {
  const waitEnd = waitEndOf(job);
  const closes = networkClosesAt(job);
  const isFirst = waitEnd && closes && closes.getTime() > now && closes < waitEnd;
  return isFirst ? closes : waitEnd;
}
