import { FlashError } from '../../lib/errors';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';

/**
 * Ends what waits or runs, for one device or for all. A FinalStage transfer is never cut: the device would be left
 * without firmware.
 *
 * @throws FlashError `cancel-too-late` after everything else has been cancelled, `cancel-nothing`
 */
export function cancelFlashes(host: Pick<FlashHost, 'jobs' | 'queue' | 'runs'>, deviceid?: string): void {
  const isMeant = (one: { deviceid?: string | null | undefined }): boolean =>
    deviceid === undefined || one.deviceid === deviceid;
  const running = host.jobs.all().filter((job) => job.running && isMeant(job));
  const entries = host.queue
    .snapshot()
    .entries.filter((entry) => (entry.state === 'waiting' || entry.state === 'running') && isMeant(entry));
  const queued = host.runs.cancelQueued(deviceid);
  if (running.length + entries.length + queued === 0) throw new FlashError('cancel-nothing');
  const tooLate = running.filter(isBeingWritten);
  for (const { id, jobId } of entries) if (!tooLate.some((job) => job.id === jobId)) host.queue.skip(id);
  for (const job of running) if (!tooLate.includes(job)) job.running?.abort(new FlashError('cancelled'));
  const [first] = tooLate;
  if (first) throw new FlashError('cancel-too-late', { deviceid: first.deviceid ?? '?' });
}

/** Whether FinalStage writes an image now, or has written the final one. */
function isBeingWritten({ finalStage: session }: Job): boolean {
  const { user2, final } = session?.deliveries ?? {};
  return user2?.state === 'flowing' || (final !== undefined && !['broken', 'stalled'].includes(final.state));
}
