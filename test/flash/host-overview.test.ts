import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { THIS_MACHINE } from '../../lib/flash/host/environment';
import { FlashHost } from '../../lib/flash/host/host';
import { overviewOfHost } from '../../lib/flash/overview/host-overview';
import { overviewOf } from '../../lib/flash/overview/job-overview';
import { sonoffsIn } from '../../lib/flash/overview/sonoff-overview';
import { METHODS, recommend } from '../../lib/protocol/recommendation';
import { quoted } from '../../lib/wordings/wording';
import { ON_LOOPBACK } from './bench';
import { assertCode } from './refusals';

const ID = '1000a1b2c3';

describe('flash/overview/host-overview', () => {
  const hosts: FlashHost[] = [];
  afterEach(() => Promise.all(hosts.splice(0).map((host) => host.close())));

  function make(settings = ON_LOOPBACK): FlashHost {
    const around = { ...THIS_MACHINE, discovery: { interfaces: () => [] } };
    const host = new FlashHost(settings, undefined, undefined, around);
    hosts.push(host);
    return host;
  }

  it('shows of a host where it is to listen, and that nothing is there yet', () => {
    assert.deepEqual(overviewOfHost(make({ ...ON_LOOPBACK, legacyPort: 2 })).ports, [2]);
    assert.deepEqual(overviewOfHost(make({ ...ON_LOOPBACK, httpsPort: 3, httpPort: 1 })), {
      ...{ isListening: false, address: '127.0.0.1', ports: [3, 1], trouble: undefined },
      ...{ jobs: [], queue: undefined, sonoffs: undefined },
    });
  });

  it('shows why it does not listen, its queue once there is one, and devices where a node wants to know', async () => {
    const problem = new FlashError('value-invalid', { name: 'httpsPort', reason: quoted('it is "abc"') });
    const host = make({ ...ON_LOOPBACK, problem });
    await assertCode(host.open(), 'value-invalid');
    const { code, message: text, values } = problem;
    assert.deepEqual(overviewOfHost(host).trouble, { code, text, values });
    host.queue.pause();
    assert.deepEqual(overviewOfHost(host).queue, host.queue.snapshot());
    host.queue.resume();
    assert.equal(overviewOfHost(host).queue, undefined);
    host.queue.add({ deviceid: ID });
    assert.deepEqual(overviewOfHost(host).queue, host.queue.snapshot());
    host.survey.watch('a node', () => undefined);
    assert.deepEqual(overviewOfHost(host).sonoffs, []);
  });

  it('shows open jobs first, then the thirty that ended last, each with what can be done about it', () => {
    const host = make();
    const jobs = Array.from({ length: 33 }, (_, index) => host.jobs.jobFor('cloud', `${index}`));
    for (const job of jobs.slice(1, -1)) job.fail('cancelled');
    const [open, first, second] = jobs;
    const last = jobs.at(-1);
    assert.ok(open && first && second && last);
    host.runs.failures.add(second, { id: 'x', nodeId: 'node', stage: 'cloud', message: {} });
    host.nextSteps.start(last.id, () => new Promise(() => undefined));
    const expected = [last, open, ...jobs.slice(2, -1).reverse()].map((job) =>
      overviewOf(job, job === second, job === last ? { state: 'running' } : undefined),
    );
    assert.deepEqual(overviewOfHost(host).jobs, expected);
    assert.equal(expected.length, 32);
  });

  it('shows a device as its list has it, with the method and the reason in words', () => {
    const recommendation = recommend({ version: '3.5.0', product: 'BASICR3', firmware: 'Tasmota' });
    const device = { deviceid: ID, name: 'Hall', model: 'BASICR3', version: '3.5.0', address: '192.0.2.7' };
    const more = { known: ['named'], seenAt: 1, rssi: -50 } as const;
    const list = [{ key: 'a key', ...device, ...more, recommendation }];
    assert.deepEqual(sonoffsIn({ isWatching: true, list }), [
      {
        ...{ id: 'a key', ...device, confidence: 'supported' },
        method: { name: 'none', text: METHODS.none },
        reason: { name: 'other-firmware', values: { firmware: 'Tasmota' }, text: 'It runs Tasmota already.' },
      },
    ]);
    assert.equal(sonoffsIn({ isWatching: false, list }), undefined);
  });
});
