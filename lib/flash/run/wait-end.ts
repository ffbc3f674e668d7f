import type { Job } from '../job/job';
import { announce } from './announcements';

/** When the stage of a job gives up waiting; undefined where it does not wait: a stage in which bytes flow has no end. */
export function waitEndOf({ said, running, evidence, lastStage }: Job): Date | undefined {
  if (!said || !running || announce(said.name, said.values).state !== 'waiting') return undefined;
  const began = evidence.all.findLast((seen) => seen.kind === 'stage' && seen.event === 'began');
  if (began?.kind !== 'stage' || began.event !== 'began' || began.stage !== lastStage) return undefined;
  return new Date(began.at + began.seconds * 1000);
}
