import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlashHost } from '../../lib/flash/host/host';
import type { Message } from '../../lib/flash/job/pending-message';
import type { StageContext } from '../../lib/flash/run/task';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { cancelFlashes } from '../../nodes/sonota-home-assistant/cancel';
import { ID } from './snapshots';

describe('home assistant: cancel', () => {
  let host: FlashHost;
  beforeEach(() => {
    const ports = { httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
    host = new FlashHost({ bind: '127.0.0.1', address: '127.0.0.1', ...ports }, undefined);
  });
  afterEach(() => host.close());

  function running(deviceid: string) {
    const job = host.jobs.jobFor('finalstage', deviceid);
    const controller = new AbortController();
    job.running = controller;
    return { job, signal: controller.signal };
  }

  it('gives the reason where nothing waits or runs', () => {
    assert.throws(() => cancelFlashes(host), { code: 'cancel-nothing' });
    running('other');
    assert.throws(() => cancelFlashes(host, ID), { code: 'cancel-nothing' });
  });

  it('ends what waits in the queue and what runs, of one device or of all', () => {
    host.queue.pause();
    host.queue.add({ deviceid: ID });
    host.queue.add({ deviceid: 'other' });
    const { signal } = running('third');
    const states = () => host.queue.snapshot().entries.map(({ state }) => state);
    cancelFlashes(host, ID);
    assert.deepEqual([states(), signal.aborted], [['skipped', 'waiting'], false]);
    cancelFlashes(host);
    assert.deepEqual([states(), signal.aborted], [['skipped', 'skipped'], true]);
    assert.equal((signal.reason as { code?: string }).code, 'cancelled');
  });

  it('ends a flash that the queue has started, though its message has not come to a stage yet', () => {
    host.queue.attach('queue', { atOnce: 1, attempts: 1, start: () => true });
    host.queue.add({ deviceid: ID });
    const states = () => host.queue.snapshot().entries.map(({ state }) => state);
    assert.deepEqual(states(), ['running']);
    cancelFlashes(host, ID);
    assert.deepEqual(states(), ['skipped']);
    assert.throws(() => cancelFlashes(host, ID), { code: 'cancel-nothing' });
  });

  for (const [image, state, isTooLate] of [
    ['user2', 'flowing', true],
    ['user2', 'delivered', false],
    ['final', 'flowing', true],
    ['final', 'acknowledged', true],
    ['final', 'broken', false],
    ['final', 'stalled', false],
  ] as const) {
    it(`${isTooLate ? 'leaves' : 'ends'} a flash of the queue whose ${image} is ${state}`, () => {
      const { job, signal } = running(ID);
      job.finalStage = new FinalStageSession();
      const delivery = job.finalStage.requested(image, 1000);
      if (state === 'stalled') delivery.stalled();
      else if (state !== 'flowing') delivery.ended(state);
      let message: Message = {};
      host.queue.attach('queue', { atOnce: 1, attempts: 1, start: (queued) => Boolean((message = queued)) });
      host.queue.add({ deviceid: ID });
      host.runs.emit('in-job', { id: 'ticket', nodeId: 'node', stage: 'finalstage', message }, job);
      if (isTooLate) assert.throws(() => cancelFlashes(host), { code: 'cancel-too-late', values: { deviceid: ID } });
      else cancelFlashes(host);
      assert.equal(signal.aborted, !isTooLate, 'by its place in the queue neither');
    });
  }

  it('ends what waits for its stage, which is something', async () => {
    const request = {
      ...{ nodeId: 'node', stage: 'provision' as const, message: {}, line: 'provision' },
      findJob: () => host.jobs.jobFor('provision', undefined),
      run: ({ signal }: StageContext) =>
        new Promise<Record<string, unknown>>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    };
    const failed: (string | undefined)[] = [];
    host.runs.attach('node', {
      ...{ progress: () => undefined, result: () => undefined, queued: () => undefined, left: () => undefined },
      failure: (_, { message }) => failed.push(message['deviceid'] as string),
    });
    host.runs.begin({ ...request, deviceid: 'first' });
    host.runs.begin({ ...request, deviceid: ID, message: { deviceid: ID } });
    cancelFlashes(host, ID);
    await nextTurn();
    assert.deepEqual(failed, [ID]);
    assert.throws(() => cancelFlashes(host, ID), { code: 'cancel-nothing' });
  });

  it('never ends a transfer of FinalStage, and ends the others all the same', () => {
    const { job, signal } = running(ID);
    const other = running('other');
    job.finalStage = new FinalStageSession();
    const delivery = job.finalStage.requested('final', 1000);
    assert.throws(() => cancelFlashes(host, ID), { code: 'cancel-too-late' });
    assert.throws(() => cancelFlashes(host), { code: 'cancel-too-late' });
    assert.deepEqual([signal.aborted, other.signal.aborted], [false, true]);
    delivery.ended('delivered');
    assert.throws(() => cancelFlashes(host, ID), { code: 'cancel-too-late' });
    job.finalStage.requested('final', 1000).ended('broken');
    cancelFlashes(host, ID);
    assert.ok(signal.aborted);
  });
});
