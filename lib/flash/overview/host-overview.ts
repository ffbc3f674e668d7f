import type { ErrorCode, ErrorValues } from '../../errors';
import type { FlashHost } from '../host/host';
import type { QueueSnapshot } from '../queue/queue-snapshot';
import { overviewOf, type JobOverview } from './job-overview';
import { sonoffsIn, type SonoffOverview } from './sonoff-overview';

/** How many ended jobs are shown. */
const ENDED_SHOWN = 30;

/** A host with its jobs as people look at it. */
export interface HostOverview {
  readonly isListening: boolean;
  /** The address that devices dial, if it is known. */
  readonly address: string | undefined;
  readonly ports: readonly number[];
  readonly trouble: { code: ErrorCode; text: string; values: ErrorValues } | undefined;
  /** Open jobs come first, then the ended ones, latest first. */
  readonly jobs: readonly JobOverview[];
  /** Undefined where nothing was ever queued. */
  readonly queue: QueueSnapshot | undefined;
  /** Undefined where no node wants to know. */
  readonly sonoffs: readonly SonoffOverview[] | undefined;
}

export function overviewOfHost(host: FlashHost): HostOverview {
  const { isListening, address, ports, trouble, jobs, runs, queue, nextSteps, survey } = host;
  const newestFirst = [...jobs.all()].reverse();
  const ended = newestFirst.filter((job) => !job.isOpen).slice(0, ENDED_SHOWN);
  const shown = [...newestFirst.filter((job) => job.isOpen), ...ended];
  const queued = queue.snapshot();
  return {
    isListening,
    address,
    ports: [ports.https, ports.legacy, ports.http].filter((port) => port > 0),
    trouble: trouble && { code: trouble.code, text: trouble.message, values: trouble.values },
    jobs: shown.map((job) => overviewOf(job, runs.failures.has(job.id), nextSteps.of(job.id))),
    queue: queued.entries.length > 0 || queued.state === 'paused' ? queued : undefined,
    sonoffs: sonoffsIn(survey),
  };
}
