import type { QueueSnapshot } from '../../lib/flash/queue/queue-snapshot';
import type { NodeStatus } from '../shared/status';
import type { Translate } from '../shared/translate';

/** A count of what has ended out of all, and what went wrong; short enough for a status. */
export function showQueue(status: NodeStatus, queue: QueueSnapshot, translate: Translate): void {
  const { waiting, running, done, failed, state } = queue;
  const all = waiting + running + done + failed;
  if (all === 0 && state !== 'paused') return status.idle();
  const ended = `${done + failed}/${all}`;
  const count = failed > 0 ? translate('status.someFailed', `${ended}, ${failed} failed`, { ended, failed }) : ended;
  if (state === 'paused') status.held(translate('status.paused', `paused ${count}`, { count }));
  else if (state === 'running') status.busy(count);
  else if (failed > 0) status.endedBadly(count);
  else status.done();
}
