import assert from 'node:assert/strict';
import { FlashHost } from '../../lib/flash/host/host';
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
