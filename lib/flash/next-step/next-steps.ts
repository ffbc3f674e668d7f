import { EventEmitter } from 'node:events';
import { asFlashError, FlashError } from '../../errors';
import type { ProgressTextName, ProgressValues } from '../../progress-texts';

/** How many jobs' steps are remembered. */
const KEPT_AT_MOST = 50;

/** How the step behind a flash stands: the new firmware is given the home Wi-Fi. */
export interface NextStep {
  readonly state: 'running' | 'done' | 'failed';
  /** Its last report, while it runs. */
  readonly lastReport?: { readonly name: ProgressTextName; readonly values: ProgressValues };
  /** Where the page of the device is, once it is at home and that is known. */
  readonly url?: string | undefined;
  /** Why it failed. */
  readonly error?: FlashError;
}

/** The receiver of the step's reports, and the signal that ends it. */
export interface NextStepContext {
  readonly signal: AbortSignal;
  report(this: void, name: ProgressTextName, values?: ProgressValues): void;
}

/**
 * The steps that a person has started behind the flashes of a host, at most one a job; for this process only. Emits
 * `changed` at every change.
 */
export class NextSteps extends EventEmitter<{ changed: [] }> {
  private readonly steps = new Map<string, { state: NextStep; controller: AbortController }>();

  of(jobId: string): NextStep | undefined {
    return this.steps.get(jobId)?.state;
  }

  /**
   * Starts the step of a job, or does nothing where it runs already.
   * @param work resolves with the address of the device's page, where that is known; rejects with a FlashError
   */
  start(jobId: string, work: (context: NextStepContext) => Promise<string | undefined>): void {
    if (this.of(jobId)?.state === 'running') return;
    const controller = new AbortController();
    const { signal } = controller;
    const become = (state: NextStep): void => {
      // Cancelled, and perhaps started again.
      if (signal.aborted) return;
      this.steps.delete(jobId);
      this.steps.set(jobId, { state, controller });
      const [oldest] = this.steps.keys();
      if (this.steps.size > KEPT_AT_MOST && oldest !== undefined) this.cancel(oldest);
      this.emit('changed');
    };
    become({ state: 'running' });
    const report: NextStepContext['report'] = (name, values = {}) =>
      become({ state: 'running', lastReport: { name, values } });
    work({ signal, report }).then(
      (url) => become({ state: 'done', url }),
      (thrown: unknown) => become({ state: 'failed', error: asFlashError(thrown) }),
    );
  }

  /** Ends the step of a job, and forgets it. @returns whether it ran */
  cancel(jobId: string): boolean {
    const step = this.steps.get(jobId);
    if (!step) return false;
    step.controller.abort(new FlashError('cancelled'));
    this.steps.delete(jobId);
    this.emit('changed');
    return step.state.state === 'running';
  }

  /** Ends all of them: the host closes. */
  close(): void {
    for (const jobId of [...this.steps.keys()]) this.cancel(jobId);
  }
}
