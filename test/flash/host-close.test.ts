import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { THIS_MACHINE } from '../../lib/flash/host/environment';
import { FlashHost } from '../../lib/flash/host/host';
import { FINALSTAGE, ONE_HOP } from '../../lib/flash/routes';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import type { Job } from '../../lib/flash/job/job';
import type { StageContext } from '../../lib/flash/run/task';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { loadForFinalStage } from '../../lib/firmware/firmware';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import type { DeviceConnection } from '../../lib/server/device-connection';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { freePort, occupy } from '../shared/ports';
import { timeGoesOn, timeStands } from '../shared/standing-time';
import { closeBenches, FIRMWARE, ON_LOOPBACK, openBench, type Bench } from './bench';
import { assertCode } from './refusals';

const DEVICE = '1000a1b2c3';
/** Handed over in thirty parts, between which other things happen. */
const LARGE_FINAL = makeFinalImage({ size: 480_000 });

/** A busy machine takes longer than a device waits for a header (5 s), which is not what is tried here. */
const HANGS_MS = 600_000;

/** Lets everything happen that needs only turns of the event loop. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await nextTurn();
}

describe('flash/host: what a close or other ports must not cut', function () {
  afterEach(timeGoesOn);
  afterEach(closeBenches);

  /** A device in FinalStage, and the job that has its images. */
  async function inFinalStage(
    bench: Bench,
    behaviours = {},
  ): Promise<{ device: VirtualSonoff; session: FinalStageSession }> {
    const device = await bench.factoryDevice({
      startAt: 'finalstage',
      slot: 1,
      behaviours,
      timings: { finalStageHeader: HANGS_MS },
    });
    const job = bench.host.jobs.jobFor('finalstage', DEVICE);
    job.enter('finalstage');
    job.firmware = await loadForFinalStage({ final: LARGE_FINAL }, { signal: new AbortController().signal });
    const session = (job.finalStage = new FinalStageSession());
    session.peer = '127.0.0.1';
    await bench.host.openFinalStagePort();
    await device.start();
    return { device, session };
  }

  it('a transfer to FinalStage of which not all is handed over ends before the host closes', async () => {
    const bench = await openBench();
    const { device, session } = await inFinalStage(bench);
    const cut: unknown[] = [];
    const known = { deviceid: '1000000002', apikey: 'own', model: 'PSF-B04-GL', romVersion: '1.5.5' };
    const close = (): void => void cut.push(session.deliveries.final?.state);
    const connected = Object.assign(new EventEmitter(), { peer: '192.0.2.7', sessionKey: 'key', device: known, close });
    bench.host.devices.add(connected as unknown as DeviceConnection);
    const closed = new Promise<void>((resolve) => {
      session.on('changed', function close() {
        const { sent = 0 } = session.deliveries.final ?? {};
        if (sent === 0) return;
        session.off('changed', close);
        assert.ok(sent < LARGE_FINAL.length / 2, `${sent} bytes are handed over already`);
        resolve(bench.host.close());
      });
    });
    await closed;
    assert.equal(session.deliveries.final?.state, 'delivered');
    assert.deepEqual(cut, ['delivered'], 'what other devices say until then is heard');
    assert.equal((await device.ended).result, 'flashed');
    await (await occupy(bench.settings.httpPort)).release();
  });

  it('a transfer to FinalStage that has not moved for long does not hold the close up', async () => {
    const bench = await openBench({}, { deadTransferMs: 0 });
    const { device, session } = await inFinalStage(bench, { holdsAtByte: 4096 });
    while (!session.deliveries.final) await once(session, 'changed');
    await bench.host.close();
    await (await occupy(bench.settings.httpPort)).release();
    assert.notEqual(device.state, 'flashed');
  });

  it('a second job that needs the port of FinalStage cuts nothing off there', async () => {
    const bench = await openBench({ finalStagePort: await freePort() });
    const { host } = bench;
    await host.openFinalStagePort();
    const socket = connect(host.finalStagePort, '127.0.0.1');
    await once(socket, 'connect');
    let isClosed = false;
    socket.on('error', () => undefined).on('close', () => (isClosed = true));
    await host.openFinalStagePort();
    await turns();
    assert.equal(isClosed, false);
    socket.write('GET /nothing HTTP/1.0\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 404/);
    socket.destroy();
  });

  it('the old port serves a download to its last byte before other ports are taken on', async () => {
    const bench = await openBench();
    const device = await bench.device({ transport: 'no-range' });
    const upgraded = bench.upgraded(device);
    await bench.recorder('upgrade').reported(({ text }) => /downloads user2/.test(text));
    const { job, apply } = await moved(bench);
    assert.equal(job.download?.isComplete, false, 'it has ended already');
    const whole = once(job.download ?? assert.fail(), 'checkpoint');
    await Promise.race([whole, apply]);
    const { httpPort, finalStagePort } = bench.settings;
    assert.deepEqual([bench.host.ports.http, bench.host.finalStagePort], [httpPort, finalStagePort]);
    assert.equal((await upgraded).found['size'], FIRMWARE.user2.length);
    await apply;
    assert.notEqual(bench.host.ports.http, bench.settings.httpPort);
    await (await occupy(bench.settings.httpPort)).release();
  });

  it('nor is a device cut off between two of the pieces that it fetches, or before its verdict', async () => {
    const bench = await openBench();
    const behaviours = { blockPauseMs: 20, holdsAtByte: 8192 };
    const device = await bench.device({ behaviours });
    const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 40_960 }) };
    const upgraded = bench.upgraded(device, { sources });
    await bench.recorder('upgrade').reported(({ text }) => /downloads user2/.test(text));
    while (!device.log.some((line) => line.startsWith('held at byte'))) await once(device, 'log');
    const { apply } = await moved(bench);
    await turns();
    assert.equal(bench.host.ports.http, bench.settings.httpPort);
    device.behave({ holdsAtByte: undefined });
    const { found } = await upgraded;
    assert.deepEqual([found['size'], found['sessions']], [sources.user2.length, 1]);
    await apply;
    assert.notEqual(bench.host.ports.http, bench.settings.httpPort);
  });

  it('a close does not wait for the end of a download that other ports wait for', async () => {
    const bench = await openBench();
    const device = await bench.device({ transport: 'no-range' });
    const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 100_000 }) };
    const upgraded = bench.upgraded(device, { sources });
    await bench.recorder('upgrade').reported(({ text }) => /downloads user2/.test(text));
    const { apply } = await moved(bench);
    // Its pace is that of timers, so the download does not end.
    timeStands();
    await Promise.all([bench.host.close(), apply]);
    assert.equal(bench.host.isListening, false);
    upgraded.catch(() => undefined);
  });

  it('the same settings again close nothing', async () => {
    const bench = await openBench();
    const { host } = bench;
    const socket = connect(host.ports.http, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    let isClosed = false;
    socket.on('close', () => (isClosed = true));
    await host.apply({ ...bench.settings });
    await turns();
    assert.equal(isClosed, false);
    socket.destroy();
  });

  it('a stage has left its network before the close is over', async () => {
    const bench = await openBench();
    const { host } = bench;
    const order: string[] = [];
    const stage = begin(host, async (signal) => {
      await once(signal, 'abort');
      // The ports are free already.
      if (host.isListening) await once(host, 'state');
      await turns();
      order.push('left');
    });
    while (!stage().running) await nextTurn();
    await host.close();
    order.push('closed');
    assert.deepEqual(order, ['left', 'closed']);
  });

  it('a stage that does not leave is not waited for longer than it may take', async () => {
    const { host } = await openBench({}, { leaveMs: 20 });
    const stage = begin(host, () => new Promise(() => undefined));
    while (!stage().running) await nextTurn();
    await host.close();
    assert.ok(stage().running, 'it has left');
  });

  it('starts no further flash of its queue, and ends none of it, while it cancels what is in work', async () => {
    const { host } = await openBench();
    const started: unknown[] = [];
    host.queue.attach('queue', {
      ...{ atOnce: 1, attempts: 1 },
      start: (message) => {
        started.push(message['deviceid']);
        const deviceid = String(message['deviceid']);
        const findJob = (): Job => host.jobs.jobFor('cloud', deviceid);
        const run = async ({ signal }: StageContext): Promise<never> => {
          await once(signal, 'abort');
          throw signal.reason as Error;
        };
        host.runs.begin({ nodeId: 'node', stage: 'cloud', message, deviceid, findJob, run });
        return true;
      },
    });
    for (const deviceid of [DEVICE, '1000000002']) host.queue.add({ deviceid }, { nodeId: 'queue' });
    const [, job] = (await once(host.runs, 'in-job')) as [unknown, Job];
    await host.close();
    assert.equal(job.error, 'cancelled');
    assert.deepEqual(started, [DEVICE]);
    assert.deepEqual(
      host.queue.snapshot().entries.map(({ state }) => state),
      ['running', 'waiting'],
    );
  });

  it('ends the step behind a flash that a person has started', async () => {
    const { host } = await openBench();
    const signals: AbortSignal[] = [];
    host.nextSteps.start('job', ({ signal }) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    await host.close();
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true],
    );
  });

  it('ends the watch for devices in sight', async () => {
    const host = new FlashHost(ON_LOOPBACK, undefined, undefined, {
      ...THIS_MACHINE,
      discovery: { interfaces: () => [] },
    });
    host.survey.watch('node', () => undefined);
    assert.equal(host.survey.isWatching, true);
    await host.close();
    assert.equal(host.survey.isWatching, false);
  });

  it('is closed for good', async () => {
    const { host } = await openBench();
    await host.close();
    await assertCode(host.open(), 'host-missing');
    await assertCode(host.openFinalStagePort(), 'host-missing');
  });

  /** Tells the host to take on other ports. */
  async function moved({ host, settings }: Bench): Promise<{ job: Job; apply: Promise<void> }> {
    const httpPort = await freePort();
    const apply = host.apply({ ...settings, httpPort, finalStagePort: httpPort });
    return { job: host.jobs.openJob(DEVICE) ?? assert.fail('there is no job'), apply };
  }

  /** Starts a stage that does this. */
  function begin(host: FlashHost, work: (signal: AbortSignal) => Promise<void>): () => Job {
    host.runs.begin({
      nodeId: 'node',
      stage: 'cloud',
      message: {},
      deviceid: DEVICE,
      findJob: () => host.jobs.jobFor('cloud', DEVICE),
      run: async ({ signal }) => {
        await work(signal);
        throw signal.reason as Error;
      },
    });
    return () => host.jobs.latest(DEVICE) ?? ({} as Job);
  }
});

describe('flash/host: the port of FinalStage', () => {
  afterEach(closeBenches);

  /** Whether the port is open. */
  async function isOpen(port: number): Promise<boolean> {
    const holder = await occupy(port).catch(() => undefined);
    await holder?.release();
    return holder === undefined;
  }

  async function untilClosed(port: number): Promise<void> {
    while (await isOpen(port)) await nextTurn();
  }

  it('is given up when the last job that can reach it has ended, and while one can it stays', async () => {
    const finalStagePort = await freePort();
    const { host } = await openBench({ finalStagePort }, { sweepMs: 5 });
    const [one, other] = ['1', '2'].map((id) => host.jobs.jobFor('upgrade', id));
    assert.ok(one && other);
    one.enter('upgrade');
    one.route = FINALSTAGE;
    one.download = new UpgradeDownload();
    other.enter('upgrade');
    other.route = ONE_HOP;
    other.download = new UpgradeDownload();
    await host.openFinalStagePort();
    await swept(host);
    assert.equal(await isOpen(finalStagePort), true, 'an upgrade is on its way');
    one.download = undefined;
    one.finalStage = new FinalStageSession();
    await swept(host);
    assert.equal(await isOpen(finalStagePort), true, 'it is in FinalStage');
    one.fail('cancelled');
    await untilClosed(finalStagePort);
  });

  it('is given up where no stage watches a FinalStage any more, and never under one that is watched', async () => {
    const finalStagePort = await freePort();
    const { host } = await openBench({ finalStagePort }, { sweepMs: 5, unwatchedVisitMs: 60_000 });
    const job = host.jobs.jobFor('finalstage', '1');
    job.enter('finalstage');
    job.running = new AbortController();
    const longAgo = new Date(Date.now() - 120_000);
    job.finalStage = new FinalStageSession(longAgo);
    await host.openFinalStagePort();
    await swept(host);
    assert.ok(job.finalStage, 'a stage watches it');
    job.running = undefined;
    job.finalStage = new FinalStageSession();
    await swept(host);
    assert.ok(job.finalStage, 'a person may be on the way');
    job.finalStage = new FinalStageSession(longAgo);
    await untilClosed(finalStagePort);
    assert.equal(job.finalStage, undefined);
    assert.equal(job.isOpen, true);
  });

  it('is not given up under a transfer, whatever became of its job', async () => {
    const finalStagePort = await freePort();
    const bench = await openBench({ finalStagePort }, { sweepMs: 5 });
    const { host } = bench;
    const behaviours = { holdsAtByte: 4096 };
    const device = await bench.factoryDevice({ startAt: 'finalstage', slot: 1, behaviours });
    const job = host.jobs.jobFor('finalstage', DEVICE);
    job.enter('finalstage');
    job.firmware = await loadFirmware(FIRMWARE, { signal: new AbortController().signal });
    const session = (job.finalStage = new FinalStageSession());
    session.peer = '127.0.0.1';
    await host.openFinalStagePort();
    await device.start();
    while (!session.deliveries.final) await once(session, 'changed');
    job.fail('cancelled');
    await swept(host);
    assert.equal(await isOpen(finalStagePort), true);
    assert.equal(host.neededUntil(), Infinity);
    device.behave({ holdsAtByte: undefined });
    assert.equal((await device.ended).result, 'flashed');
    await untilClosed(finalStagePort);
  });

  /** Resolves when the host has looked at least once, from start to end. */
  async function swept(host: FlashHost): Promise<void> {
    const { jobs } = host;
    const seen = jobs.awaitingFinalStage.bind(jobs);
    for (let looks = 0; looks < 2; looks++) {
      await new Promise<void>((resolve) => {
        jobs.awaitingFinalStage = () => {
          resolve();
          return seen();
        };
      });
    }
    jobs.awaitingFinalStage = seen;
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  }
});
