import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { NodeAPI } from 'node-red';
import { FlashHost } from '../../lib/flash/host/host';
import registerSidebar from '../../nodes/plugins/sonota-sidebar/sonota-sidebar';
import { hosts } from '../../nodes/shared/hosts';
import { ON_LOOPBACK } from '../flash/bench';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

describe('nodes: the runtime side of the sidebar', () => {
  const rung: unknown[][] = [];
  let host: FlashHost;
  let leave = (): void => undefined;

  beforeEach(() => {
    rung.length = 0;
    const before = { added: hosts.listeners('added'), closed: hosts.listeners('closed') };
    registerSidebar({ comms: { publish: (...message: unknown[]) => rung.push(message) } } as unknown as NodeAPI);
    leave = () => {
      for (const event of ['added', 'closed'] as const) {
        for (const listener of hosts.listeners(event)) {
          if (!(before[event] as unknown[]).includes(listener)) hosts.off(event, listener);
        }
      }
    };
    timeStands(['setTimeout']);
    host = new FlashHost(ON_LOOPBACK, undefined);
  });
  afterEach(async () => {
    timeGoesOn();
    leave();
    await host.close();
  });

  /** How often editors were notified, when their next turn has come. */
  const told = (): number => {
    timePasses(500);
    return rung.splice(0).length;
  };

  it('notifies open editors of each host that comes or goes, and of every change in it, with nothing of what', () => {
    hosts.emit('added', host);
    assert.deepEqual(rung, [['sonota/changed', {}, false]]);
    assert.equal(told(), 1);
    for (const [what, change] of [
      ['a job', () => host.jobs.jobFor('cloud', '1000a1b2c3').enter('cloud')],
      ['the queue', () => host.queue.pause()],
      ['the ports', () => host.emit('state')],
      ['the survey', () => host.survey.emit('changed')],
      ['a next step', () => host.nextSteps.emit('changed')],
      ['a host that goes', () => hosts.emit('closed')],
    ] as const) {
      change();
      assert.ok(told() > 0, what);
    }
    assert.equal(told(), 0);
  });

  it('reports a second host like the first', async () => {
    const second = new FlashHost(ON_LOOPBACK, undefined);
    try {
      hosts.emit('added', host);
      hosts.emit('added', second);
      assert.ok(told() > 0);
      second.queue.pause();
      assert.ok(told() > 0);
    } finally {
      await second.close();
    }
  });

  it('notifies them twice a second at most', () => {
    hosts.emit('added', host);
    for (let count = 0; count < 50; count += 1) host.emit('state');
    assert.equal(rung.length, 1);
    timePasses(499);
    assert.equal(rung.length, 1);
    timePasses(1);
    assert.equal(rung.length, 2);
  });

  it('notifies them less often where many devices are in work', () => {
    const all = mock.method(hosts, 'all', () => [['host', host]]);
    try {
      for (let count = 0; count < 200; count += 1) host.jobs.jobFor('cloud', `1000${100_000 + count}`).enter('cloud');
      hosts.emit('added', host);
      host.emit('state');
      timePasses(1999);
      assert.equal(rung.length, 1);
      timePasses(1);
      assert.equal(rung.length, 2);
      // Those that have ended are not in work.
      for (const job of host.jobs.all()) job.fail('cancelled');
      for (let turn = 0; turn < 2; turn += 1) timePasses(2000);
      rung.length = 0;
      for (let count = 0; count < 2; count += 1) host.emit('state');
      assert.equal(rung.length, 1);
      timePasses(500);
      assert.equal(rung.length, 2);
    } finally {
      all.mock.restore();
    }
  });
});
