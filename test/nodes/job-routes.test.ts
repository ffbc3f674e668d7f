import assert from 'node:assert/strict';
import { once } from 'node:events';
import helper from 'node-red-node-test-helper';
import type { HostOverview } from '../../lib/flash/overview/host-overview';
import type { JobOverview } from '../../lib/flash/overview/job-overview';
import type { Flow } from '../shared/node-red';
import type { HostNode } from '../../nodes/shared/hosts';
import { useAdminServer } from './admin-server';
import { Bed, freePorts } from './bed';

const AT = { z: 'tab', x: 100, y: 100 };
const DEVICE = '1000a1b2c3';

function flowOf(ports: object, timeout: string): Flow {
  const numbers = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  const host = { name: 'at home', bind: '127.0.0.1', address: '127.0.0.1', ssid: 'home', ...numbers };
  const cloud = { name: '', host: 'host', every: false, timeout, wires: [[], []] };
  return [
    { id: 'tab', type: 'tab', label: 'jobs' },
    { id: 'host', type: 'sonota-host', ...host },
    { id: 'cloud', type: 'sonota-cloud-emulator', ...AT, ...cloud },
    { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'sink', ...AT, wires: [] },
  ];
}

describe('nodes: the overview of the jobs', () => {
  let bed: Bed | undefined;

  useAdminServer();
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  async function host(): Promise<HostOverview & { id: string; name: string }> {
    const { body } = await helper.request().get('/sonota/overview').expect(200);
    const [first, ...more] = (body as { hosts: (HostOverview & { id: string; name: string })[] }).hosts;
    assert.ok(first);
    assert.deepEqual(more, []);
    return first;
  }

  async function onlyJob(): Promise<JobOverview> {
    const { jobs } = await host();
    assert.equal(jobs.length, 1);
    return jobs[0] as JobOverview;
  }

  it('reports the state of a job, and lets it be retried with the message that it started with', async () => {
    bed = await Bed.load(flowOf(await freePorts(), '0.3'));
    bed.send('cloud', { deviceid: DEVICE, colour: 'blue', password: 'top secret' });
    await bed.at('caught');
    const { name, isListening, address } = await host();
    assert.deepEqual({ name, isListening, address }, { name: 'at home', isListening: true, address: '127.0.0.1' });
    const job = await onlyJob();
    assert.equal(job.stage, 'failed');
    assert.equal(job.lastStage, 'cloud');
    assert.equal(job.verdict?.code, 'nothing-arrived');
    assert.equal(job.verdict.values['address'], '127.0.0.1');
    assert.ok(job.endedAt !== undefined && Date.parse(job.endedAt) >= Date.parse(job.startedAt));
    assert.ok(!JSON.stringify(job).includes('top secret'));
    await helper.request().post(`/sonota/host/host/jobs/${job.id}/retry`).expect(204);
    const again = await bed.at('caught');
    const { error: _, _msgid, ...message } = again;
    assert.deepEqual(message, { deviceid: DEVICE, colour: 'blue' }, 'a node of one stage gets no other');
    assert.equal(typeof _msgid, 'string');
    assert.equal((await onlyJob()).id, job.id, 'the same job was resumed');
  });

  it('reports how long a wait lasts, and ends it when a person cancels it', async () => {
    bed = await Bed.load(flowOf(await freePorts(), '600'));
    bed.send('cloud', { deviceid: DEVICE });
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    const { id, canCancel, isHandNeeded, waitEndsAt, startedAt } = await onlyJob();
    assert.deepEqual({ canCancel, isHandNeeded }, { canCancel: true, isHandNeeded: false });
    const endsAt = Date.parse(waitEndsAt ?? '') - 600_000;
    // The wait starts with the job or after it, and has started by now.
    const now = Date.now();
    assert.ok(Date.parse(startedAt) <= endsAt && endsAt <= now, `${startedAt} and 10 minutes: ${waitEndsAt}`);
    await helper.request().post(`/sonota/host/host/jobs/${id}/cancel`).expect(204);
    assert.equal((await bed.at('caught')).error?.code, 'cancelled');
    await helper.request().post(`/sonota/host/host/jobs/${id}/cancel`).expect(409);
    const ended = await onlyJob();
    assert.deepEqual([ended.canCancel, ended.waitEndsAt], [false, undefined]);
  });

  it('sends only what changed since it was asked before', async () => {
    type Answer = { at: string; hosts: (Partial<HostOverview> & { id: string; order?: string[] })[] };
    const ask = async (since?: string): Promise<Answer> =>
      (await helper.request().get('/sonota/overview').query({ since }).expect(200)).body as Answer;
    bed = await Bed.load(flowOf(await freePorts(), '600'));
    const { flashHost } = bed.node('host') as unknown as HostNode;
    const { jobs } = flashHost;
    for (let count = 0; count < 200; count += 1) {
      jobs.jobFor('cloud', `1000${String(count).padStart(6, '0')}`).enter('cloud');
    }
    // Open jobs make it listen, which is a change too.
    while (!flashHost.isListening) await once(flashHost, 'state');
    const whole = await ask();
    assert.equal(whole.hosts[0]?.jobs?.length, 200);
    const [first, second] = jobs.all();
    const same = await ask(whole.at);
    assert.deepEqual(same.hosts, [{ id: 'host', jobs: [] }]);
    first?.learn({ model: 'ITA-GZ1-GL' });
    const [changed] = (await ask(same.at)).hosts;
    assert.deepEqual([changed?.jobs?.map(({ model }) => model), changed?.order], [['ITA-GZ1-GL'], undefined]);
    // A client that asked before still gets it, and what came since.
    assert.ok(second);
    jobs.forget(second);
    const [since] = (await ask(whole.at)).hosts;
    assert.deepEqual([since?.jobs?.map(({ id }) => id), since?.order?.length], [[first?.id], 199]);
    assert.deepEqual(Object.keys(since ?? {}).sort(), ['id', 'jobs', 'order']);
    assert.equal((await ask('of another run.7')).hosts[0]?.jobs?.length, 199, 'all of it, to one that knows nothing');
  });

  it('does to the queue what a person asks, to one entry where one is named', async () => {
    bed = await Bed.load(flowOf(await freePorts(), '60'));
    const { queue } = (bed.node('host') as unknown as HostNode).flashHost;
    const ask = async (deed: string, entry?: string, status = 204): Promise<void> =>
      void (await helper.request().post(`/sonota/host/host/queue/${deed}`).query({ entry }).expect(status));
    const states = (): string[] => queue.snapshot().entries.map(({ deviceid, state }) => `${deviceid} ${state}`);
    await ask('pause');
    for (const deviceid of ['1000000001', '1000000002', '1000000003']) queue.add({ deviceid });
    assert.equal(queue.snapshot().state, 'paused');
    const [first, second] = queue.snapshot().entries;
    await ask('skip');
    assert.equal(queue.snapshot().waiting, 3, 'a skip without an entry skips none');
    await ask('skip', first?.id);
    await ask('skip', second?.id);
    assert.deepEqual(states(), ['1000000001 skipped', '1000000002 skipped', '1000000003 waiting']);
    await ask('forget', second?.id);
    assert.deepEqual(states(), ['1000000001 skipped', '1000000003 waiting']);
    await ask('forget');
    assert.deepEqual(states(), ['1000000003 waiting']);
    // Nothing is wired to it: each flash that starts fails.
    queue.attach('queue', { atOnce: 1, attempts: 1, start: () => false });
    assert.deepEqual(states(), ['1000000003 waiting']);
    await ask('resume');
    assert.deepEqual(states(), ['1000000003 failed']);
    await ask('pause');
    await ask('retry');
    assert.deepEqual(states(), ['1000000003 waiting']);
    for (const deed of ['start', 'constructor', 'toString']) await ask(deed, undefined, 404);
    await helper.request().post('/sonota/host/nobody/queue/pause').expect(404);
  });

  it('has no node to try a job again with where that was removed', async () => {
    const flow = flowOf(await freePorts(), '0.3');
    bed = await Bed.load(flow);
    bed.send('cloud', { deviceid: DEVICE });
    await bed.at('caught');
    const job = await onlyJob();
    assert.equal(job.canRetry, true);
    const answer = await helper.request().get('/sonota/overview').expect('Cache-Control', 'no-store');
    assert.equal(answer.status, 200);
    await bed.deploy(flow.filter(({ id }) => id !== 'cloud'));
    await helper.request().post(`/sonota/host/host/jobs/${job.id}/retry`).expect(409);
    await helper.request().delete(`/sonota/host/host/jobs/${job.id}`).expect(204);
    const { runs } = (bed.node('host') as unknown as HostNode).flashHost;
    assert.equal(runs.failures.has(job.id), false, 'nothing is kept of a job that was forgotten');
  });

  it('is not retried where it is at work again, or has ended well since', async () => {
    bed = await Bed.load(flowOf(await freePorts(), '60'));
    const { jobs, runs } = (bed.node('host') as unknown as HostNode).flashHost;
    const job = jobs.jobFor('cloud', DEVICE);
    job.enter('cloud');
    runs.failures.add(job, {
      id: 'pending',
      nodeId: 'cloud',
      stage: 'cloud',
      message: { mine: 'again', deviceid: '1000ffffff' },
    });
    const retry = (status: number) => helper.request().post(`/sonota/host/host/jobs/${job.id}/retry`).expect(status);
    await retry(409);
    job.fail('device-timeout');
    await retry(204);
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    const [{ deviceid, message } = {}] = runs.pending.all();
    assert.deepEqual([deviceid, message?.['mine']], [DEVICE, 'again'], 'it is for the device that the job has by now');
  });

  it('has no next step for a flash that has not ended well, nor for a firmware that takes none', async () => {
    bed = await Bed.load(flowOf(await freePorts(), '60'));
    const { jobs } = (bed.node('host') as unknown as HostNode).flashHost;
    const [failed, done] = ['1000000001', '1000000002'].map((deviceid) => {
      const job = jobs.jobFor('finalstage', deviceid);
      job.enter('finalstage');
      return job;
    });
    failed?.fail('finalstage-timeout');
    done?.leave('finalstage');
    for (const job of [failed, done]) {
      const answer = await helper.request().post(`/sonota/host/host/jobs/${job?.id}/next-step`).expect(409);
      assert.equal((answer.body as { code: string }).code, 'not-possible');
    }
    await helper.request().post('/sonota/host/host/jobs/nothing/next-step').expect(404);
  });

  it('lets a job be forgotten that has ended, and none that runs', async () => {
    bed = await Bed.load(flowOf(await freePorts(), '60'));
    bed.send('cloud', { deviceid: DEVICE });
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    const job = await onlyJob();
    assert.equal(job.says?.name, 'wait-for-device');
    assert.equal(job.canForget, false);
    await helper.request().delete(`/sonota/host/host/jobs/${job.id}`).expect(409);
    await helper.request().post(`/sonota/host/host/jobs/${job.id}/retry`).expect(409);
    bed.send('cloud', { cancel: true });
    await bed.at('caught');
    await helper.request().delete(`/sonota/host/host/jobs/${job.id}`).expect(204);
    assert.deepEqual((await host()).jobs, []);
    await helper.request().delete(`/sonota/host/host/jobs/${job.id}`).expect(404);
    await helper.request().delete(`/sonota/host/nobody/jobs/${job.id}`).expect(404);
  });
});
