import type { FlashError } from '../../lib/errors';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';
import type { Message } from '../../lib/flash/job/pending-message';
import type { ShownFailure } from '../../lib/home-assistant';
import { Values } from '../shared/values';
import type { LastFailure } from './device-memory';

/** The failures that Home Assistant may not have read yet. */
const KEPT_AT_MOST = 20;

/** Where the newest failure outlives a restart. */
export interface FailureStore {
  lastFailure: LastFailure | undefined;
}

/** The two sentences of an error in the person's language. */
export type Sentences = (error: FlashError) => { readonly what: string; readonly remedy: string };

/**
 * Flashes that failed, those included of which no device is known yet: the Wi-Fi password is missing, an access point
 * does not answer. A flash that ends well clears them.
 */
export class FailureWatch {
  private failures: ShownFailure[] = [];
  private count = 0;

  constructor(
    private readonly host: Pick<FlashHost, 'jobs' | 'queue' | 'runs'>,
    private readonly sentences: Sentences,
    private readonly store: FailureStore,
    private readonly onNews: () => void,
  ) {
    const { lastFailure } = store;
    if (lastFailure) this.failures = [{ id: 0, ...lastFailure }];
    host.runs.on('failed', this.onFailed);
    host.jobs.on('changed', this.onJob);
    host.queue.on('given-up', this.onGivenUp);
  }

  stop(): void {
    this.host.runs.off('failed', this.onFailed);
    this.host.jobs.off('changed', this.onJob);
    this.host.queue.off('given-up', this.onGivenUp);
  }

  /** The newest last. */
  all(): readonly ShownFailure[] {
    return this.failures;
  }

  private readonly onFailed = (message: Message, error: FlashError, job: Job | undefined): void => {
    // A person has asked for that.
    if (error.code === 'cancelled') return;
    this.add(error, job?.deviceid ?? deviceNamed(message));
  };

  private readonly onGivenUp = (error: FlashError, deviceid: string | undefined): void => this.add(error, deviceid);

  private add(error: FlashError, deviceid: string | undefined): void {
    const { what, remedy } = this.sentences(error);
    this.count += 1;
    const failure = { code: error.code, text: `${what} ${remedy}`, remedy, deviceid: deviceid ?? null };
    this.failures = [...this.failures, { id: this.count, ...failure }].slice(-KEPT_AT_MOST);
    this.store.lastFailure = failure;
    this.onNews();
  }

  private readonly onJob = (job: Job): void => {
    if (job.stage !== 'done' || this.failures.length === 0) return;
    this.failures = [];
    this.store.lastFailure = undefined;
  };
}

/** A message that cannot be read has failed because of it. */
function deviceNamed(message: Message): string | undefined {
  try {
    return Values.ofMessage(message).deviceId();
  } catch {
    return undefined;
  }
}
