import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { makeFinalImage } from '../../lib/image';
import type { Job } from '../../lib/flash/job/job';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { closeBenches, FIRMWARE, openBench, type Bench } from './bench';
import { assertCode } from './refusals';

describe('flash/stage/finalstage', () => {
  const servers = useHttpServers();
  afterEach(timeGoesOn);
  afterEach(closeBenches);

  it('resumes a device that is in FinalStage, knowing nothing of it', async () => {
    const bench = await openBench();
    const device = await bench.factoryDevice({ startAt: 'finalstage', slot: 2 });
    const { user2, final } = FIRMWARE;
    const stage = bench.begin('finalstage', { url: device.finalStageUrl, sources: { user2, final } });
    await device.start();
    const { found, job } = await stage.outcome;
    assert.deepEqual(found, { image: 'final', size: final.length, tries: 1, cycles: 2 });
    assert.equal(job.deviceid, null);
    assert.equal(job.percent, 100);
    assert.equal((await device.ended).result, 'flashed');
    assert.ok(stage.recorder.reports.some(({ report }) => report.state === 'waiting'));
    assert.ok(stage.recorder.reports.some(({ report }) => report.state === 'working'));
  });

  it('gives no real device the images of a rehearsal', async () => {
    const bench = await openBench();
    const stage = bench.begin('finalstage', { url: 'http://192.0.2.1', sources: { final: 'rehearsal:' } });
    await assertCode(stage.outcome, 'rehearsal-only');
    assert.equal((await stage.job()).finalStage, undefined, 'nothing is served');
  });

  it('needs a final image', async () => {
    const bench = await openBench();
    await assertCode(bench.begin('finalstage', { sources: {} }).outcome, 'firmware-missing');
  });

  describe('after Node-RED ended with the last byte of the final image on its way', () => {
    const { serve } = servers;

    /** The stored state is older than the bytes that the system still sent. */
    const resumed = (bench: Bench): Job => {
      const job = bench.host.jobs.jobFor('finalstage', '1000a1b2c3');
      const final = { size: 482_432, sent: 0, tries: 1, state: 'flowing' } as const;
      const visit = { since: new Date().toISOString(), peer: 'localhost', deliveries: { final } };
      job.finalStage = FinalStageSession.restore(visit);
      return job;
    };

    it('is done as soon as the new firmware shows itself', async () => {
      const bench = await openBench();
      const job = resumed(bench);
      const url = await serve((_request, response) => response.end('Tasmota 14.1.0 by Theo Arends'));
      const stage = bench.begin('finalstage', { deviceid: '1000a1b2c3', url, sources: FIRMWARE });
      await stage.outcome;
      assert.equal(job.stage, 'done');
      const looked = job.evidence.all.find(({ kind }) => kind === 'new-firmware-looked');
      const looks = [{ url, result: 'page', firmware: 'tasmota', version: '14.1.0', proof: 'place' }];
      assert.deepEqual({ ...looked, at: 0 }, { at: 0, kind: 'new-firmware-looked', looks });
      assert.equal(job.evidence.verdict().code, 'on-course');
      assert.ok(!stage.recorder.reports.some(({ report }) => report.warning === 'finalstage-stalled'));
    });

    it('looks for that where a person has said, and takes no page of something else for it', async () => {
      const bench = await openBench();
      const job = resumed(bench);
      const pages = ['<title>a router</title>', 'Tasmota 14.1.0 by Theo Arends'];
      let looks = 0;
      const newFirmwareUrl = await serve(({ url: path }, response) =>
        response.end(path === '/' ? pages[looks++] : 'Unauthorized'),
      );
      const url = `http://127.0.0.1:${await freePort()}`;
      const options = { deviceid: '1000a1b2c3', url, newFirmwareUrl, sources: FIRMWARE };
      await bench.begin('finalstage', options).outcome;
      assert.deepEqual([job.stage, looks], ['done', 2]);
    });

    it('looks for it in an access point, too, where no rehearsal is', async () => {
      const bench = await openBench();
      resumed(bench);
      bench.around.hasWifi = () => false;
      const looked = new EventEmitter();
      const asked = new Set<string>();
      bench.around.ownAddresses = (at) => {
        asked.add(at);
        looked.emit('looked');
        return [];
      };
      // It leads to this machine, but not by an address of the loopback.
      const url = `http://0.0.0.0:${await freePort()}`;
      const stage = bench.begin('finalstage', { deviceid: '1000a1b2c3', url, sources: FIRMWARE });
      while (asked.size < 2) await once(looked, 'looked');
      assert.deepEqual([...asked].sort(), [url, 'http://192.168.4.1'].sort());
      bench.host.runs.cancel('finalstage');
      await assertCode(stage.outcome, 'cancelled');
    });

    it('takes no Tasmota of another MAC address for it', async () => {
      const bench = await openBench();
      const job = resumed(bench);
      job.learn({ mac: '5C:CF:7F:A1:B2:C3' });
      let mac = '5C:CF:7F:FF:FF:FF';
      const judged = new EventEmitter();
      const url = await serve(({ url: path }, response) => {
        if (path === '/') return response.end('Tasmota 14.1.0 by Theo Arends');
        response.end(JSON.stringify({ StatusNET: { Mac: mac } }));
        judged.emit('judged');
      });
      const stage = bench.begin('finalstage', { deviceid: '1000a1b2c3', url, sources: FIRMWARE });
      // The second look begins when the first is judged.
      for (let looks = 0; looks < 2; looks++) await once(judged, 'judged');
      assert.equal(stage.recorder.outcomes.size, 0);
      mac = '5C:CF:7F:A1:B2:C3';
      await stage.outcome;
      const looked = job.evidence.all.find(({ kind }) => kind === 'new-firmware-looked');
      const looks = [{ url, result: 'page', firmware: 'tasmota', version: '14.1.0', proof: 'mac' }];
      assert.deepEqual({ ...looked, at: 0 }, { at: 0, kind: 'new-firmware-looked', looks });
    });

    it('does not take a page of unknown firmware at its address for FinalStage that is still there', async () => {
      const bench = await openBench({}, { unconfirmedMs: 50 });
      resumed(bench);
      const url = await serve((_request, response) => response.end('<title>my own</title>'));
      const stage = bench.begin('finalstage', { deviceid: '1000a1b2c3', url, sources: FIRMWARE });
      await assertCode(stage.outcome, 'finalstage-interrupted');
    });

    for (const asksAgain of [true, false]) {
      it(`looks for nothing any more once ${asksAgain ? 'its device asks for the image again' : 'the stage is over'}`, async () => {
        const bench = await openBench();
        const { finalStage: session } = resumed(bench);
        let asked = 0;
        const newFirmwareUrl = await serve((_request, response) => {
          asked += 1;
          response.end('<title>a router</title>');
        });
        const url = `http://127.0.0.1:${await freePort()}`;
        timeStands(['setTimeout', 'setInterval']);
        let looks = 0;
        bench.around.ownAddresses = () => {
          looks += 1;
          return [];
        };
        const options = { deviceid: '1000a1b2c3', url, newFirmwareUrl, sources: FIRMWARE };
        const stage = bench.begin('finalstage', options);
        const { evidence } = await stage.job();
        const passes = async (ms: number): Promise<void> => {
          for (let passed = 0; passed < ms; passed += 500) {
            timePasses(500);
            for (let turn = 0; turn < 50; turn++) await nextTurn();
          }
        };
        while (asked < 2) await passes(500);
        const before = asked;
        if (asksAgain) {
          const delivery = session?.requested('final', 4096);
          await passes(3000);
          assert.equal(asked, before);
          delivery?.ended('broken');
        }
        bench.host.runs.cancel('finalstage');
        await assertCode(stage.outcome, 'cancelled');
        looks = 0;
        await passes(3000);
        assert.deepEqual([looks, asked], [0, before]);
        assert.equal(evidence.listenerCount('changed'), 1, 'that of the job itself');
        assert.deepEqual([session?.listenerCount('dialled'), session?.isJoined], [0, false]);
      });
    }

    it('calls nothing certain, and lets the next device have its turn long before the time limit', async () => {
      const bench = await openBench({}, { unconfirmedMs: 50 });
      const job = resumed(bench);
      const url = `http://127.0.0.1:${await freePort()}`;
      const stage = bench.begin('finalstage', { deviceid: '1000a1b2c3', url, sources: FIRMWARE, timeoutSeconds: 900 });
      const report = await stage.recorder.reported(({ warning }) => warning !== undefined);
      assert.deepEqual([report.name, report.warning], ['final-interrupted', 'finalstage-interrupted']);
      const next = bench.host.jobs.jobFor('upgrade', '1000000002');
      const turn = bench.host.finalStageLock.acquire(next, new AbortController().signal, () => undefined);
      await assertCode(stage.outcome, 'finalstage-interrupted');
      const { code, confidence, text } = job.evidence.verdict();
      assert.deepEqual([code, confidence], ['finalstage-interrupted', 'likely']);
      assert.doesNotMatch(text, /482432|serial adapter/);
      await turn;
    });

    it('serves a device that asks again, and asks it for nothing', async () => {
      const bench = await openBench();
      const { finalStage: session } = resumed(bench);
      const device = await bench.factoryDevice({ startAt: 'finalstage', slot: 1 });
      const stage = bench.begin('finalstage', { deviceid: '1000a1b2c3', url: device.finalStageUrl, sources: FIRMWARE });
      await device.start();
      await stage.outcome;
      assert.equal((await device.ended).result, 'flashed');
      assert.equal(session?.deliveries.final?.tries, 2);
    });
  });

  it('looks for no new firmware while its device is at work', async () => {
    const bench = await openBench();
    let asked = 0;
    const newFirmwareUrl = await servers.serve((_request, response) => {
      asked += 1;
      response.end('Tasmota 14.1.0 by Theo Arends');
    });
    const url = `http://127.0.0.1:${await freePort()}`;
    const stage = bench.begin('finalstage', { url, newFirmwareUrl, sources: FIRMWARE });
    const { evidence } = await stage.job();
    while (!evidence.all.some(({ kind }) => kind === 'finalstage-looked')) await once(evidence, 'changed');
    await fetch(newFirmwareUrl);
    assert.equal(asked, 1, 'our own request');
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
  });

  for (const fault of ['finalstage-stolen', 'finalstage-blocked']) {
    it(`ends with finalstage-timeout where no device dials (${fault})`, async () => {
      const bench = await openBench();
      const device = await bench.factoryDevice({ startAt: 'finalstage', fault });
      await device.start();
      const stage = bench.begin('finalstage', { url: device.finalStageUrl, sources: FIRMWARE });
      const { evidence } = await stage.job();
      const isSeen = (): boolean => evidence.all.some((seen) => seen.kind === 'finalstage-looked' && seen.answered);
      while (!isSeen()) await once(evidence, 'changed');
      await stage.over();
      await assertCode(stage.outcome, 'finalstage-timeout');
    });
  }

  it('ends at its time limit where no device comes', async () => {
    const bench = await openBench();
    const stage = bench.begin('finalstage', { sources: FIRMWARE, timeoutSeconds: 0.1 });
    await assertCode(stage.outcome, 'finalstage-timeout');
  });

  it('warns when the stream breaks off, long before its limit, and ends with finalstage-stalled there', async () => {
    const bench = await openBench();
    const device = await bench.factoryDevice({ startAt: 'finalstage', slot: 1, fault: 'stream-cut' });
    const sources = { ...FIRMWARE, final: makeFinalImage({ size: 400_000 }) };
    const stage = bench.begin('finalstage', { url: device.finalStageUrl, sources });
    await device.start();
    const warned = await stage.recorder.reported(({ warning }) => warning === 'finalstage-stalled');
    assert.equal(stage.recorder.outcomes.has(stage.pending.id), false, 'a warning ends nothing');
    assert.match(warned.text, /Leave the device powered/);
    await stage.over();
    const error = await assertCode(stage.outcome, 'finalstage-stalled');
    assert.equal(error.values['size'], sources.final.length);
    const sent = Number(error.values['sent']);
    assert.ok(sent > 0 && sent < sources.final.length, `${sent}`);
  });

  it('ends where the new firmware answers at the same address, in a network of the same numbers', async () => {
    const bench = await openBench();
    const port = await freePort();
    const newFirmware = { apAddress: '127.0.0.1', apPort: port, homePort: 0 };
    const device = await bench.factoryDevice({ startAt: 'finalstage', slot: 2, finalStagePort: port, newFirmware });
    const url = `http://127.0.0.1:${port}`;
    const stage = bench.begin('finalstage', { url, sources: FIRMWARE });
    await device.start();
    await once(device, 'page');
    const { job } = await stage.outcome;
    assert.equal(job.stage, 'done');
    assert.equal(device.state, 'new-access-point');
  });

  it('is not ended by its time limit while bytes flow, nor before FinalStage had time to go', async () => {
    const bench = await openBench();
    const behaviours = { blockPauseMs: 40 };
    const device = await bench.factoryDevice({ startAt: 'finalstage', slot: 1, behaviours });
    const sources = { ...FIRMWARE, final: makeFinalImage({ size: 49_152 }) };
    const stage = bench.begin('finalstage', { url: device.finalStageUrl, sources, timeoutSeconds: 0.5 });
    await device.start();
    const { job } = await stage.outcome;
    assert.equal(job.stage, 'done');
    assert.equal((await device.ended).result, 'flashed');
  });

  it('finishes a transfer on the wire before it is cancelled', async () => {
    const bench = await openBench();
    const behaviours = { blockPauseMs: 40 };
    const device = await bench.factoryDevice({ startAt: 'finalstage', slot: 1, behaviours });
    const stage = bench.begin('finalstage', { url: device.finalStageUrl, sources: FIRMWARE });
    await device.start();
    await stage.recorder.reported(({ name }) => name === 'final-flows');
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
    assert.ok(bench.recorder('finalstage').reports.length > 0);
    assert.equal((await device.ended).result, 'flashed');
  });

  for (const isKnown of [false, true]) {
    it(`recalls what was delivered before a restart, ${isKnown ? 'not what it has seen itself' : 'which it has not seen'}`, async () => {
      const bench = await openBench();
      const job = bench.host.jobs.jobFor('finalstage', '1000a1b2c3');
      const user2 = { state: 'acknowledged' as const, size: 4096, sent: 4096, tries: 1 };
      const since = new Date(0).toISOString();
      job.finalStage = FinalStageSession.restore({ since, peer: '127.0.0.1', deliveries: { user2 } });
      if (isKnown) job.evidence.add({ kind: 'finalstage-requested', image: 'user2', size: 4096 });
      const stage = bench.begin('finalstage', { deviceid: '1000a1b2c3', sources: FIRMWARE });
      await stage.recorder.reported(({ state }) => state === 'waiting');
      assert.equal(job.evidence.all.filter(({ kind }) => kind === 'finalstage-requested').length, 1);
      assert.equal(
        job.evidence.all.some(({ kind }) => kind === 'finalstage-ended'),
        !isKnown,
      );
      bench.host.runs.cancel('finalstage');
      await assertCode(stage.outcome, 'cancelled');
    });
  }

  it('is cancelled immediately where nothing is on the wire', async () => {
    const bench = await openBench();
    const stage = bench.begin('finalstage', { sources: FIRMWARE });
    await stage.recorder.reported(({ state }) => state === 'waiting');
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('opens the port that FinalStage dials only while a job can reach it', async () => {
    const finalStagePort = await freePort();
    const bench = await openBench({ finalStagePort });
    const isOpen = async (): Promise<boolean> => {
      const socket = connect(finalStagePort, '127.0.0.1');
      const answered = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'error').then(() => false),
      ]).catch(() => false);
      socket.destroy();
      return answered;
    };
    assert.equal(await isOpen(), false);
    const device = await bench.device({ fault: 'finalstage-blocked' });
    await bench.upgraded(device);
    assert.equal(await isOpen(), true);
    device.behave({ finalStageDials: true });
    await bench.begin('finalstage', { deviceid: device.deviceid, url: device.finalStageUrl }).outcome;
    assert.equal((await device.ended).result, 'flashed');
  });
});
