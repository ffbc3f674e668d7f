import type { JobSnapshot } from '../job/job';
import { routeNamed } from '.';
import { STAGES, type StageName } from './stages';

/** What decides which stages a job passes through. */
type Course = Pick<JobSnapshot, 'intermediate' | 'stage'>;

/**
 * The stage that follows on `stage` in a job's flash; undefined where that was its last. Before a job has a route, the
 * stages are those that all routes begin with.
 */
export function nextStage(stage: StageName, job: Course): StageName | undefined {
  if (job.stage === 'done') return undefined;
  const stages = routeNamed(job.intermediate)?.stages.map((one) => one.stage) ?? STAGES;
  return stages[stages.indexOf(stage) + 1];
}
