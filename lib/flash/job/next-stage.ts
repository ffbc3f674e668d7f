import type { JobSnapshot } from './job';
import { routeNamed } from '../routes';
import { FINALSTAGE } from '../routes/finalstage';
import type { StageName } from '../stages';

/** What decides which stages a job passes through. */
type Course = Pick<JobSnapshot, 'intermediate' | 'stage'>;

/**
 * The stage that follows on `stage` in a job's flash; undefined where that was its last, or is none of its route. Before a
 * job has a route, they are those of the cloud method, whose route is known only later.
 */
export function nextStage(stage: StageName, job: Course): StageName | undefined {
  if (job.stage === 'done') return undefined;
  const { stages } = routeNamed(job.intermediate) ?? FINALSTAGE;
  const index = stages.findIndex((one) => one.stage === stage);
  const known = stages[index];
  return known && !known.isLast ? stages[index + 1]?.stage : undefined;
}
