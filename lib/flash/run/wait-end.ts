import type { Job } from '../job/job';
import { isWait } from '../../progress-texts';

/** When the stage of a job gives up waiting; undefined where it does not wait: a stage in which bytes flow has no end. */
export function waitEndOf({ lastReport, running, evidence, lastStage }: Job): Date | undefined {
  if (!lastReport || !running || !isWait(lastReport.name)) return undefined;
  const began = evidence.all.findLast((seen) => seen.kind === 'stage' && seen.event === 'began');
  if (began?.kind !== 'stage' || began.event !== 'began' || began.stage !== lastStage) return undefined;
  return new Date(began.at + began.seconds * 1000);
}
