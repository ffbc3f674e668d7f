import { asFlashError, FlashError } from '../../errors';
import type { Job } from '../job/job';
import type { StageContext } from '../run/task';
import { withinLimit } from '../../timing/time-limit';
import type { StageBegan } from '../observation';
import { isFailure, type FailureVerdict, type Verdict } from '../verdict/verdict';
import { Throttle } from '../../timing/throttle';
import { wording } from '../../wordings/wording';

/** How often a verdict is looked at that time alone may change. */
export const LOOK_MS = 1000;

/** The facts that a stage records at its start. */
export type Beginning = Omit<StageBegan, 'kind' | 'event'>;

/** Records in its job's evidence how a stage started and ended. */
export async function recorded<T>({ job }: StageContext, began: Beginning, work: () => Promise<T>): Promise<T> {
  const { stage } = began;
  job.evidence.add({ kind: 'stage', event: 'began', ...began });
  try {
    const found = await work();
    job.evidence.add({ kind: 'stage', stage, event: 'ended' });
    return found;
  } catch (thrown) {
    const { code, values } = asFlashError(thrown);
    job.evidence.add({ kind: 'stage', stage, event: 'failed', code, values });
    throw thrown;
  }
}

/**
 * Runs `work` until the stage's time is over; then the evidence says what was wrong.
 *
 * @throws as `withinLimit`
 */
export function withStageLimit<T>(
  context: StageContext,
  { stage, seconds }: Beginning,
  options: { isBusy?(this: void): boolean },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withinLimit(context.signal, { seconds, ...options, whenOver: () => whyOver(context.job, stage) }, work);
}

/** The verdict now that nothing more is waited for. */
export function whyOver(job: Job, stage: Beginning['stage']): FlashError {
  job.evidence.add({ kind: 'stage', stage, event: 'over' });
  return errorOf(job.evidence.verdict());
}

/**
 * Ends a wait whose outcome is known before its time is over.
 * @throws FlashError of the verdict
 */
export function throwIfFinal(job: Job): undefined {
  const verdict = job.evidence.verdict();
  if (verdict.isFinal && isFailure(verdict)) throw errorOf(verdict);
}

/**
 * @param isHeld while it returns true, trouble is not reported; what remains of it is reported afterwards
 * @returns a function that ends it
 */
export function watchTrouble(
  job: Job,
  tell: (verdict: FailureVerdict | undefined) => void,
  isHeld = (): boolean => false,
): () => void {
  let last: string | undefined;
  const look = (): void => {
    const verdict = job.evidence.verdict();
    const trouble = isFailure(verdict) && !isHeld() ? verdict : undefined;
    if (trouble?.text === last) return;
    last = trouble?.text;
    tell(trouble);
  };
  const throttle = new Throttle(look);
  job.evidence.on('changed', throttle.call);
  const timer = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(timer);
    job.evidence.off('changed', throttle.call);
    throttle.flush();
  };
}

function errorOf(verdict: Verdict): FlashError {
  if (isFailure(verdict)) return new FlashError(verdict.code, verdict.values);
  return new FlashError('unexplained', { reason: wording('time-over-unseen') });
}
