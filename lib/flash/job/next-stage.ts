import type { JobSnapshot } from './job';
import { STAGES, type StageName } from './stages';

/** What decides which stages a job passes through. */
type Course = Pick<JobSnapshot, 'intermediate' | 'stage'>;

/**
 * The stage that follows on `stage` in a job's flash; undefined where that was its last. All that a node of the whole
 * flash knows of the routes: a chain of single nodes has its wires instead.
 */
export function nextStage(stage: StageName, job: Course): StageName | undefined {
  if (job.stage === 'done') return undefined;
  const isNeeded = (one: StageName): boolean => one !== (job.intermediate === 'one-hop' ? 'finalstage' : 'newfirmware');
  return STAGES.slice(STAGES.indexOf(stage) + 1).find(isNeeded);
}
