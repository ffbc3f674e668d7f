import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { FlashHost } from '../../lib/flash/host/host';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import type { Job } from '../../lib/flash/job/job';
import { ONE_HOP, type StageName } from '../../lib/flash/routes';
import type { PendingMessage } from '../../lib/flash/job/pending-message';
import type { HostNode } from '../../nodes/shared/hosts';
import type { Flow } from '../shared/node-red';
import { Bed, freePorts, road } from './bed';

const [ONE, TWO] = ['1000000001', '1000000002'] as const;

describe('nodes: what an earlier run of Node-RED left to do', () => {
  let bed: Bed;
  let flow: Flow;
  beforeEach(async () => {
    flow = road(await freePorts(), { host: { wifi: 'manual' } });
    bed = await Bed.load(flow);
  });
  afterEach(() => bed.unload());

  function host(): FlashHost {
    return (bed.node('host') as HostNode).flashHost;
  }

  /** Deploys nodes that find this message of theirs. */
  async function resumed(stage: StageName, kept: object, message: object = {}): Promise<void> {
    host().runs.restore([
      { id: 'kept', nodeId: stage, stage, message: { mine: 'kept', ...message }, left: [], ...kept },
    ]);
    await bed.deploy(flow);
  }

  it('continues with the message, for the device that it was for', async () => {
    const begun = once(host().runs, 'in-job') as Promise<[PendingMessage, Job]>;
    await resumed('cloud', { deviceid: ONE });
    const [pending, job] = await begun;
    assert.deepEqual([pending.id, pending.message], ['kept', { mine: 'kept', deviceid: ONE }]);
    assert.equal(job.deviceid, ONE);
    assert.equal(host().runs.pending.all().length, 1, 'it is the same message, not another one');
    await bed.deploy(flow);
    assert.equal(host().runs.pending.all().length, 1, 'and is begun once');
  });

  it('continues with the very job, though the device has learned its id since, or has another job', async () => {
    const job = host().jobs.jobFor('cloud', undefined);
    host().jobs.identify(job, TWO);
    const begun = once(host().runs, 'in-job') as Promise<[PendingMessage, Job]>;
    await resumed('cloud', { deviceid: ONE, jobId: job.id });
    const [pending, found] = await begun;
    assert.equal(found, job);
    assert.equal(pending.message['deviceid'], TWO);
  });

  it('starts another job where the one of the message has ended', async () => {
    const job = host().jobs.jobFor('newfirmware', ONE);
    job.leave('newfirmware');
    const begun = once(host().runs, 'in-job') as Promise<[PendingMessage, Job]>;
    await resumed('cloud', { deviceid: ONE, jobId: job.id });
    assert.notEqual((await begun)[1], job);
  });

  it('continues in the stage in which it was, at a node that has them all', async () => {
    const node = { id: 'flash', type: 'sonota-flash', z: 'tab', x: 1, y: 1, host: 'host', name: '', wires: [[], []] };
    const job = host().jobs.jobFor('cloud', ONE);
    const begun = once(host().runs, 'in-job') as Promise<[PendingMessage, Job]>;
    host().runs.restore([
      { id: 'kept', nodeId: 'flash', stage: 'upgrade', jobId: job.id, message: { mine: 'kept' }, left: [] },
    ]);
    await bed.deploy([...flow, { ...node, firmware: 'firmware' }]);
    const [{ id, stage }, found] = await begun;
    assert.deepEqual([id, stage, found], ['kept', 'upgrade', job]);
  });

  it('hands a message to Catch that its node cannot read any more, and forgets it', async () => {
    await resumed('cloud', {}, { deviceid: { not: 'an id' } });
    const caught = await bed.at('caught');
    assert.deepEqual([caught.error?.code, caught['mine']], ['value-invalid', 'kept']);
    assert.equal(bed.shown('cloud')?.text, 'value-invalid');
    assert.deepEqual(host().runs.pending.all(), []);
  });
});

describe('nodes: which flash a message continues with that names no device', () => {
  let bed: Bed;
  beforeEach(async () => {
    const newFirmware = {
      id: 'newfirmware',
      type: 'sonota-new-firmware',
      z: 'tab',
      x: 1,
      y: 1,
      host: 'host',
      name: '',
    };
    const flow = road(await freePorts(), { host: { wifi: 'manual' } });
    bed = await Bed.load([...flow, { ...newFirmware, url: '', timeout: '', wires: [[], []] }]);
    // Nothing is to be dialled.
    host().runs.on('in-job', ({ nodeId }: PendingMessage) => host().runs.cancel(nodeId));
  });
  afterEach(() => bed.unload());

  function host(): FlashHost {
    return (bed.node('host') as HostNode).flashHost;
  }

  async function jobOf(node: string, message: object = {}): Promise<Job> {
    const begun = once(host().runs, 'in-job') as Promise<[PendingMessage, Job]>;
    bed.send(node, { ...message });
    return (await begun)[1];
  }

  function inFinalStage(deviceid: string): Job {
    const job = host().jobs.jobFor('finalstage', deviceid);
    job.finalStage = new FinalStageSession();
    return job;
  }

  it('is the only one that waits for FinalStage and has no stage', async () => {
    const busy = inFinalStage(TWO);
    busy.running = new AbortController();
    const waiting = inFinalStage(ONE);
    assert.equal(await jobOf('finalstage'), waiting);
  });

  it('is none of several that wait for FinalStage', async () => {
    const both = [inFinalStage(ONE), inFinalStage(TWO)];
    const found = await jobOf('finalstage');
    assert.ok(!both.includes(found));
    assert.equal(await jobOf('finalstage', { deviceid: TWO }), both[1]);
  });

  it('is the newest that is done and knows no device, for the look at its new firmware', async () => {
    const jobs = [undefined, undefined, ONE].map((deviceid) => {
      const job = host().jobs.jobFor('newfirmware', deviceid);
      job.leave('newfirmware');
      return job;
    });
    assert.equal(await jobOf('newfirmware'), jobs[1]);
    assert.equal(await jobOf('newfirmware', { deviceid: ONE }), jobs[2]);
  });

  it('is the only one that puts its new firmware in place itself', async () => {
    const job = host().jobs.jobFor('upgrade', ONE);
    job.route = ONE_HOP;
    job.enter('upgrade');
    job.leave('upgrade');
    assert.equal(await jobOf('newfirmware'), job);
  });

  for (const stage of ['provision', 'cloud', 'upgrade', 'finalstage'] as const) {
    it(`is the one that failed in this stage: ${stage}`, async () => {
      const failed = host().jobs.jobFor(stage, ONE);
      failed.enter(stage);
      failed.fail('device-timeout');
      assert.equal(await jobOf(stage, { deviceid: ONE, ssid: 'home', password: 'top secret' }), failed);
      assert.equal(host().jobs.all().length, 1);
    });
  }

  it('is that of the only device that is ready, for an upgrade', async () => {
    await host().open();
    const provisioned = { serverName: '127.0.0.1', port: host().ports.https };
    const ready = once(host().devices, 'ready');
    await bed.device({ deviceid: ONE, provisioned }).start();
    await ready;
    assert.equal((await jobOf('upgrade')).deviceid, ONE);
  });
});
