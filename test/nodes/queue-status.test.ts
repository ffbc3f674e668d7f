import assert from 'node:assert/strict';
import type { QueueSnapshot } from '../../lib/flash/queue/queue-snapshot';
import { showQueue } from '../../nodes/sonota-queue/queue-status';
import type { NodeStatus } from '../../nodes/shared/status';

/** Each display, with what it says. */
function shownOf(queue: Partial<QueueSnapshot>): string {
  let shown = '';
  const display = (name: string) => (text?: string) => void (shown = text === undefined ? name : `${name} ${text}`);
  const status = {
    ...{ idle: display('idle'), held: display('held'), busy: display('busy') },
    ...{ endedBadly: display('endedBadly'), done: display('done') },
  };
  const counts = { waiting: 0, running: 0, done: 0, failed: 0, state: 'idle' as const };
  showQueue(status as unknown as NodeStatus, { ...counts, ...queue } as QueueSnapshot, (_, text) => text);
  return shown;
}

describe('nodes: what a queue shows', () => {
  for (const [what, queue, shown] of [
    ['that it is empty', {}, 'idle'],
    ['that it is paused, though it is empty', { state: 'paused' }, 'held paused 0/0'],
    ['how far it is', { state: 'running', running: 1, waiting: 1, done: 1 }, 'busy 1/3'],
    ['how far it is, and what failed', { state: 'running', running: 1, failed: 2 }, 'busy 2/3, 2 failed'],
    ['that it is paused, and what failed', { state: 'paused', waiting: 1, failed: 1 }, 'held paused 1/2, 1 failed'],
    ['that something failed', { done: 2, failed: 1 }, 'endedBadly 3/3, 1 failed'],
    ['that all went well', { done: 2 }, 'done'],
  ] as const) {
    it(what, () => assert.equal(shownOf(queue), shown));
  }
});
