import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { ONE_HOP } from '../../lib/flash/routes';
import { FinalStageSession, type DeliveryTry } from '../../lib/flash/job/finalstage-session';
import type { Job } from '../../lib/flash/job/job';
import type { Waits } from '../../lib/flash/stage/waits';
import { makeFinalImage } from '../../lib/image';
import { useHttpServers } from '../shared/http-server';
import { freePort, occupy } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { closeBenches, FIRMWARE, openBench, type Bench, type Begun, type Said } from './bench';
import { assertCode } from './refusals';
import { explained } from '../../lib/errors';
import { wording } from '../../lib/wordings/wording';
import type { FailureVerdict } from '../../lib/flash/verdict/verdict';

const DEVICE = '1000a1b2c3';
const SIZE = 40_000;

describe('flash/stage/finalstage: what it says', () => {
  let bench: Bench;
  let stage: Begun;
  let job: Job;
  /** This machine's address in the network of FinalStage. */
  let own: string | undefined;
  const servers = useHttpServers();
  afterEach(timeGoesOn);
  afterEach(closeBenches);

  /** The stage, with a device that does what the test says. */
  async function start(waits: Partial<Waits> = {}, prepare: (job: Job) => unknown = () => undefined): Promise<void> {
    // Another port and another address than those of everything else.
    bench = await openBench({ finalStagePort: await freePort() }, waits);
    own = undefined;
    bench.around.ownAddresses = () => (own === undefined ? [] : [{ name: 'wlan0', address: own }]);
    job = bench.host.jobs.jobFor('finalstage', DEVICE);
    prepare(job);
    const url = `http://127.0.0.182:${await freePort()}`;
    stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE });
    await said('wait-for-finalstage', 'several-wait', 'final-interrupted', 'final-stalled', 'finalstage-away');
  }

  /** The last report, once it is one of these. */
  async function said(...names: Said['name'][]): Promise<Said> {
    for (;;) {
      const last = stage.said.at(-1);
      if (last && names.includes(last.name)) return last;
      // Its looks come twice a second.
      await once(job.evidence, 'changed');
    }
  }

  const visitOf = (): FinalStageSession => {
    assert.ok(job.finalStage);
    return job.finalStage;
  };
  const last = (): [Said['name'] | undefined, number | undefined] => [
    stage.said.at(-1)?.name,
    stage.said.at(-1)?.fraction,
  ];

  /** Bytes that flow are reported four times a second at most, so a moment later. */
  async function flows(name: Said['name'], fraction: number): Promise<void> {
    while (last()[0] !== name || Math.abs((last()[1] ?? 0) - fraction) > 0.001) await once(bench.host.runs, 'reported');
  }

  it('says what it waits for before it has looked for the device', async () => {
    bench = await openBench({}, {});
    bench.around.ownAddresses = () => [];
    job = bench.host.jobs.jobFor('finalstage', DEVICE);
    const url = `http://127.0.0.1:${await freePort()}`;
    stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE });
    await once(bench.host.runs, 'reported');
    assert.equal(last()[0], 'wait-for-finalstage');
    assert.deepEqual(
      job.evidence.all.map(({ kind }) => kind),
      ['stage'],
    );
  });

  it('reports every step of a device, and what the person must do', async () => {
    await start({ goneMs: 0 });
    const [began] = job.evidence.all;
    const { url } = began as { url?: string };
    assert.deepEqual(began && { ...began, at: 0 }, {
      at: 0,
      kind: 'stage',
      event: 'began',
      stage: 'finalstage',
      seconds: 600,
      deviceid: DEVICE,
      url,
      ports: `${bench.host.finalStagePort}`,
    });
    assert.equal(visitOf().peer, '127.0.0.182');
    assert.ok(job.firmware.final?.bytes.equals(FIRMWARE.final));
    own = '192.168.4.7';
    assert.deepEqual((await said('finalstage-wrong-address')).values, { actual: own });
    own = '192.168.4.2';
    const joined = await said('finalstage-joined');
    assert.deepEqual([joined.values, joined.fraction], [{ port: bench.host.finalStagePort }, 0.05]);
    const session = visitOf();
    session.dialled();
    await flows('finalstage-dials', 0.1);
    let delivery: DeliveryTry = session.requested('user2', SIZE);
    await flows('user2-flows', 0.1);
    delivery.sent(SIZE / 2);
    await flows('user2-flows', 0.2);
    delivery.stalled();
    await flows('user2-stalled', 0);
    assert.deepEqual(stage.said.at(-1), {
      name: 'user2-stalled',
      values: { sent: SIZE / 2, size: SIZE },
      fraction: 0,
    });
    delivery = session.requested('user2', SIZE);
    delivery.sent(SIZE);
    await flows('finalstage-again', 0.3);
    delivery.ended('acknowledged');
    await flows('finalstage-again', 0.3);
    session.dialled();
    await flows('finalstage-dials', 0.32);
    delivery = session.requested('final', SIZE);
    await flows('final-flows', 0.35);
    delivery.sent(SIZE / 2);
    await flows('final-flows', 0.65);
    const { values } = stage.said.at(-1) as Said;
    assert.deepEqual([values['sent'], values['size']], [SIZE / 2, SIZE]);
    delivery.ended('broken');
    await flows('final-stalled', 0);
    assert.deepEqual(stage.said.at(-1), { name: 'final-stalled', values: { sent: SIZE / 2, size: SIZE }, fraction: 0 });
    own = undefined;
    await said('finalstage-away');
    own = '192.168.4.2';
    delivery = session.requested('final', SIZE);
    delivery.sent(SIZE);
    delivery.ended('acknowledged');
    await flows('final-unconfirmed', 0.96);
    own = '192.168.4.7';
    session.requested('final', SIZE).ended('delivered');
    await said('leave-finalstage');
    assert.deepEqual(stage.said.at(-1), { name: 'leave-finalstage', values: { actual: own }, fraction: 0.97 });
    own = undefined;
    await said('final-sent');
    assert.deepEqual(last(), ['final-sent', 0.96]);
    const { found } = await stage.outcome;
    assert.deepEqual(found, { image: 'final', size: SIZE, tries: 3, cycles: 2 });
    await flows('installed', 0.99);
    assert.equal(job.finalStage, undefined);
    const before = stage.said.length;
    session.dialled();
    assert.equal(stage.said.length, before);
    assert.deepEqual([session.listenerCount('dialled'), session.isJoined], [0, false]);
  });

  it('reports how far a transfer is at most four times a second', async () => {
    bench = await openBench({}, {});
    job = bench.host.jobs.jobFor('finalstage', DEVICE);
    const url = `http://127.0.0.1:${await freePort()}`;
    stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE });
    await once(bench.host.runs, 'reported');
    timeStands(['setTimeout']);
    const delivery = visitOf().requested('final', SIZE);
    const sent = (): unknown[] =>
      stage.said.flatMap(({ name, values }) => (name === 'final-flows' ? [values['sent']] : []));
    delivery.sent(100);
    assert.deepEqual(sent(), [0]);
    timePasses(249);
    assert.deepEqual(sent(), [0]);
    timePasses(1);
    assert.deepEqual(sent(), [0, 100]);
  });

  it('does not take a device for gone that still dials', async () => {
    await start({ goneMs: 0 });
    const session = visitOf();
    session.requested('final', SIZE).ended('delivered');
    const looks = new EventEmitter();
    let dials = true;
    bench.around.ownAddresses = () => {
      if (dials) session.dialled();
      looks.emit('look');
      return [];
    };
    for (let times = 0; times < 4; times++) await once(looks, 'look');
    assert.equal(stage.recorder.outcomes.size, 0);
    dials = false;
    await stage.outcome;
  });

  it('takes a device for gone after two looks that found nothing', async () => {
    await start({ goneMs: 0 });
    const session = visitOf();
    let looks = 0;
    bench.around.ownAddresses = () => {
      if (++looks === 1) session.requested('final', SIZE).ended('delivered');
      // Of news in a row the last waits for its turn.
      else for (let times = 0; times < 2; times++) session.emit('changed');
      return [];
    };
    await stage.outcome;
    assert.equal(looks, 2);
    assert.deepEqual(last(), ['installed', 0.99]);
  });

  it("sees nothing of it while this machine sets another device's new firmware up", async () => {
    let holder: 'set-up' | undefined = 'set-up';
    const looks = new EventEmitter();
    bench = await openBench();
    Object.defineProperty(bench.host.radio, 'holder', { get: () => holder });
    bench.around.ownAddresses = () => {
      looks.emit('look');
      return [{ name: 'wlan0', address: '192.168.4.2' }];
    };
    job = bench.host.jobs.jobFor('finalstage', DEVICE);
    const url = `http://127.0.0.1:${await freePort()}`;
    stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE });
    for (let times = 0; times < 3; times++) await once(looks, 'look');
    assert.ok(!job.evidence.all.some(({ kind }) => kind === 'finalstage-looked'));
    assert.equal(last()[0], 'wait-for-finalstage');
    holder = undefined;
    await said('finalstage-joined');
    const seen = job.evidence.all.findLast(({ kind }) => kind === 'finalstage-looked');
    const looked = { kind: 'finalstage-looked', ownAddress: '192.168.4.2', answered: false };
    assert.deepEqual({ ...seen, at: 0 }, { at: 0, ...looked });
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('ends where its port is taken, and looks for no device then', async () => {
    const finalStagePort = await freePort();
    const holder = await occupy(finalStagePort);
    bench = await openBench({ finalStagePort });
    const url = `http://127.0.0.1:${await freePort()}`;
    stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE });
    const { values } = await assertCode(stage.outcome, 'port-in-use');
    await holder.release();
    assert.deepEqual([values['port'], values['bind']], [finalStagePort, '127.0.0.1']);
    const kinds = (await stage.job()).evidence.all.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['stage', 'stage']);
  });

  it('has nothing to do for a device that starts its new firmware without FinalStage', async () => {
    bench = await openBench();
    job = bench.host.jobs.jobFor('finalstage', DEVICE);
    job.route = ONE_HOP;
    stage = bench.begin('finalstage', { deviceid: DEVICE, sources: {} });
    assert.deepEqual((await stage.outcome).found, { skipped: true });
    assert.deepEqual(last(), ['finalstage-passed-by', 0]);
  });

  it('keeps the images that the job has', async () => {
    const other = makeFinalImage({ size: 8192, text: 'another one' });
    const firmware = await loadFirmware({ ...FIRMWARE, final: other }, { signal: new AbortController().signal });
    await start({}, (one) => (one.firmware = firmware));
    assert.ok(job.firmware.final?.bytes.equals(other));
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('reports trouble in its own words where it has them, and else in those of the verdict', async () => {
    await start();
    job.evidence.add({ kind: 'stranger', peer: '192.168.4.9', act: 'finalstage-image' });
    visitOf().dialled();
    const trouble = job.evidence.verdict();
    assert.equal(trouble.code, 'finalstage-stranger');
    assert.deepEqual(stage.said.at(-1), {
      name: 'finalstage-trouble',
      values: { message: explained(trouble as FailureVerdict) },
      fraction: 0,
    });
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('reports that several devices wait, and which one is meant', async () => {
    await start({}, () => {
      const first = bench.host.jobs.jobFor('finalstage', '1000ffffff');
      first.finalStage = new FinalStageSession(new Date(0));
    });
    assert.deepEqual(stage.said.at(-1)?.values, { count: 2, deviceid: '1000ffffff' });
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('reports that several devices wait, the first of which has not stated its id', async () => {
    await start({}, () => {
      bench.host.jobs.jobFor('finalstage', undefined).finalStage = new FinalStageSession(new Date(0));
    });
    assert.deepEqual(stage.said.at(-1)?.values, { count: 2, deviceid: wording('first-device') });
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
  });

  for (const image of ['user2', 'final'] as const) {
    it(`says in its own words what to do where ${image} stands still`, async () => {
      await start();
      own = '192.168.4.2';
      await said('finalstage-joined');
      const delivery = visitOf().requested(image, SIZE);
      job.evidence.add({ kind: 'finalstage-requested', image, size: SIZE });
      delivery.sent(4096);
      job.evidence.add({ kind: 'finalstage-stalled', image, bytes: 4096 });
      delivery.stalled();
      const name = image === 'final' ? 'final-stalled' : 'user2-stalled';
      await flows(name, 0);
      assert.equal(job.evidence.verdict().code, image === 'final' ? 'finalstage-stalled' : 'user2-stalled');
      assert.deepEqual(stage.said.at(-1), { name, values: { sent: 4096, size: SIZE }, fraction: 0 });
      bench.host.runs.cancel('finalstage');
      await assertCode(stage.outcome, 'cancelled');
    });
  }

  it('says that a transfer stands still while FinalStage answers, though this machine has no address in its network', async () => {
    bench = await openBench();
    bench.around.ownAddresses = () => [];
    job = bench.host.jobs.jobFor('finalstage', DEVICE);
    let asked = 0;
    const url = await servers.serve((_request, response) => {
      asked += 1;
      response.destroy();
    });
    stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE });
    await said('wait-for-finalstage');
    while (!job.evidence.all.some((seen) => seen.kind === 'finalstage-looked' && seen.answered)) {
      await once(job.evidence, 'changed');
    }
    const session = visitOf();
    const delivery = session.requested('final', SIZE);
    delivery.sent(4096);
    delivery.ended('broken');
    await flows('final-stalled', 0);
    const looks = new EventEmitter();
    bench.around.ownAddresses = () => (looks.emit('look'), []);
    // The second one begins when the first is judged.
    for (let times = 0; times < 2; times++) await once(looks, 'look');
    assert.equal(asked, 0, 'it is asked for no page while it is at work');
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
    assert.equal(session.listenerCount('changed'), 1, 'that of the job itself: nothing more is said');
  });

  it('keeps for the evidence what was seen of a device before it was watched', async () => {
    const session = new FinalStageSession();
    session.requested('user2', SIZE).sent(SIZE);
    await start({}, (one) => {
      const delivery = session.requested('final', SIZE);
      delivery.sent(8192);
      delivery.stalled();
      one.finalStage = session;
    });
    const seen = job.evidence.all.filter(({ kind }) => kind.startsWith('finalstage-') && kind !== 'finalstage-looked');
    assert.deepEqual(
      seen.map((one) => ({ ...one, at: 0 })),
      [
        { at: 0, kind: 'finalstage-requested', image: 'user2', size: SIZE },
        { at: 0, kind: 'finalstage-requested', image: 'final', size: SIZE },
        { at: 0, kind: 'finalstage-stalled', image: 'final', bytes: 8192 },
      ],
    );
    session.requested('user2', SIZE).ended('broken');
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('keeps for the evidence what was delivered before a restart of ours, each once', async () => {
    const deliveries = {
      user2: { size: SIZE, sent: SIZE, tries: 1, state: 'delivered' },
      final: { size: SIZE, sent: 8192, tries: 1, state: 'flowing' },
    } as const;
    await start({ unconfirmedMs: 0 }, (one) => {
      one.finalStage = FinalStageSession.restore({ since: new Date(0).toISOString(), peer: '127.0.0.1', deliveries });
    });
    assert.deepEqual(last(), ['final-interrupted', 0.35]);
    await assertCode(stage.outcome, 'finalstage-interrupted');
    const seen = job.evidence.all.filter(({ kind }) => kind.startsWith('finalstage-') && kind !== 'finalstage-looked');
    assert.deepEqual(
      seen.map((one) => ({ ...one, at: 0 })),
      [
        { at: 0, kind: 'finalstage-requested', image: 'user2', size: SIZE },
        { at: 0, kind: 'finalstage-ended', image: 'user2', how: 'delivered', bytes: SIZE },
        { at: 0, kind: 'finalstage-requested', image: 'final', size: SIZE },
        { at: 0, kind: 'finalstage-ended', image: 'final', how: 'interrupted', bytes: 8192 },
      ],
    );
  });

  it('ends with finalstage-unconfirmed where a device that has everything stays away', async () => {
    await start({ unconfirmedMs: 0 });
    const delivery = visitOf().requested('final', SIZE);
    delivery.sent(SIZE);
    delivery.ended('acknowledged');
    await assertCode(stage.outcome, 'finalstage-unconfirmed');
  });
});
