import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { explained, type ErrorCode } from '../../lib/errors';
import { Job } from '../../lib/flash/job/job';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { FINALSTAGE } from '../../lib/flash/routes';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { digestOf, makeFinalImage, makeUserImage } from '../../lib/image';
import { PATIENCE } from '../../lib/flash/verdict/patience';
import type { FailureVerdict } from '../../lib/flash/verdict/verdict';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { closeAll, RawClient } from '../server/serving';
import { WebSocketDevice } from '../server/websocket-device';
import { useHttpServers } from '../shared/http-server';
import { freePort, occupy } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { closeBenches, FIRMWARE, openBench, type Bench } from './bench';
import { ask } from './stranger';
import { assertCode } from './refusals';

const DEVICE = '1000a1b2c3';

describe('flash/stage/upgrade', () => {
  const servers = useHttpServers();
  afterEach(timeGoesOn);
  afterEach(closeAll);
  afterEach(closeBenches);

  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  };

  const refusals: [number, ErrorCode][] = [
    [400, 'upgrade-malformed'],
    [404, 'download-failed'],
    [405, 'upgrade-malformed'],
    [406, 'model-refused'],
    [409, 'digest-refused'],
    [410, 'version-refused'],
    [499, 'unexplained'],
  ];
  for (const [code, expected] of refusals) {
    it(`ends with ${expected} where the device answers ${code}`, async () => {
      const bench = await openBench();
      const device = await bench.device({ fault: '', behaviours: { refusesWith: code } });
      const error = await assertCode(bench.upgraded(device), expected);
      if (code === 405) assert.match(error.message, /405/);
      const job = bench.host.jobs.latest(device.deviceid);
      assert.equal(job?.stage, 'failed');
      assert.equal(job.error, expected);
      assert.equal(job.download, undefined, 'nothing is served any more');
      assert.ok(
        !job.evidence.all.some((seen) => seen.kind === 'stage' && seen.event === 'over'),
        'its time was not over',
      );
    });
  }

  it('answers a refused version once with 9.9.9', async () => {
    const bench = await openBench();
    const device = await bench.device({ fault: 'refuse-410' });
    const { found } = await bench.upgraded(device);
    assert.equal(found['version'], '9.9.9');
    assert.equal(found['sessions'], 1);
    const { evidence } = bench.host.jobs.latest(device.deviceid)!;
    const sent = evidence.all.flatMap((seen) => (seen.kind === 'upgrade-sent' ? [{ ...seen, at: 0 }] : []));
    const offer = { at: 0, kind: 'upgrade-sent', session: 1 };
    assert.deepEqual(sent, [
      { ...offer, version: '23.42.5' },
      { ...offer, version: '9.9.9' },
    ]);
  });

  it('offers the images for both halves, with their digests, at the address that devices dial', async () => {
    const bench = await openBench();
    const device = await bench.device();
    await bench.upgraded(device);
    const { evidence } = bench.host.jobs.latest(device.deviceid)!;
    const [command] = evidence.all.flatMap((seen) =>
      seen.kind === 'message' && seen.text.includes('"action":"upgrade"') ? [seen.text] : [],
    );
    const { params } = JSON.parse(command ?? '{}') as { params?: unknown };
    const image = (role: 'user1' | 'user2'): object => ({
      downloadUrl: `http://127.0.0.1:${bench.host.ports.http}/sonota/${device.deviceid}/${role}.bin`,
      digest: digestOf(FIRMWARE[role]),
      name: `${role}.bin`,
    });
    assert.deepEqual(params, { binList: [image('user1'), image('user2')], model: 'ITA-GZ1-GL', version: '23.42.5' });
  });

  it('tells at once what stands in the way of the download, and ends a session without a verdict', async () => {
    const bench = await openBench({}, { upgradeVerdictMs: 600_000 });
    const device = await bench.device({ behaviours: { reachesImages: false } });
    await device.start();
    const { deviceid } = device;
    await bench.begin('cloud', { deviceid }).outcome;
    bench.host.jobs.latest(deviceid)!.evidence.patience = { ...PATIENCE, noRequestMs: 0 };
    const stage = bench.begin('upgrade', { deviceid });
    await stage.recorder.reported(({ name }) => name === 'upgrade-trouble');
    const { evidence } = await stage.job();
    const trouble = stage.said.find(({ name }) => name === 'upgrade-trouble');
    const verdict = evidence.verdict() as FailureVerdict;
    assert.equal(verdict.code, 'download-blocked');
    assert.deepEqual(trouble, { name: 'upgrade-trouble', values: { message: explained(verdict) }, fraction: 0 });
    bench.host.runs.cancel('upgrade', deviceid);
    await assertCode(stage.outcome, 'cancelled');
    bench.around.waits = { ...bench.around.waits, upgradeVerdictMs: 1 };
    const again = bench.begin('upgrade', { deviceid });
    await assertCode(again.outcome, 'download-blocked');
    assert.deepEqual(
      evidence.all.flatMap((seen) => (seen.kind === 'stage' && seen.event === 'over' ? [seen.stage] : [])),
      ['upgrade'],
    );
  });

  it('sends the upgrade again in a new session after the device has crashed', async () => {
    const bench = await openBench();
    const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 20_480 }) };
    const device = await bench.device({ fault: 'crash-during-upgrade' });
    const { deviceid } = device;
    await device.start();
    await bench.begin('cloud', { deviceid }).outcome;
    const stage = bench.begin('upgrade', { deviceid, sources });
    const { found } = await stage.outcome;
    assert.equal(found['sessions'], 2);
    const steps = stage.said.map(({ name }) => name).filter((name) => name !== 'upgrade-trouble');
    const names = steps.filter((name, at) => name !== steps[at - 1]);
    const session = ['upgrade-sent', 'image-flows'];
    assert.deepEqual(names, ['load-firmware', ...session, 'device-restarted', ...session, 'image-written']);
    const restarted = stage.said.find(({ name }) => name === 'device-restarted');
    assert.deepEqual(restarted?.values, { deviceid, session: 2, sessions: 3 });
  });

  it('gives up after three sessions', async () => {
    const bench = await openBench();
    const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 40_960 }) };
    const device = await bench.device({ behaviours: { blockPauseMs: 50 } });
    await device.start();
    await bench.begin('cloud', { deviceid: device.deviceid }).outcome;
    const stage = bench.begin('upgrade', { deviceid: device.deviceid, sources });
    let crashed = 0;
    device.on('state', (state: string) => {
      if (state !== 'upgrading') return;
      crashed += 1;
      // Its first block is on the wire; the restart belongs behind this event.
      setImmediate(() => device.powerCycle());
    });
    const error = await assertCode(stage.outcome, 'device-rebooted');
    assert.equal(error.values['times'], 3);
    assert.equal(crashed, 3);
    assert.deepEqual(
      stage.said.flatMap(({ name, values, fraction }) => (name === 'device-restarted' ? [[values, fraction]] : [])),
      [2, 3].map((session) => [{ deviceid: device.deviceid, session, sessions: 3 }, 0]),
    );
    const { evidence } = await stage.job();
    const sent = evidence.all.flatMap((seen) => (seen.kind === 'upgrade-sent' ? [seen.session] : []));
    assert.deepEqual(sent, [1, 2, 3]);
  });

  it('continues where range firmware has lost its connection', async () => {
    const bench = await openBench();
    const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 40_000 }) };
    const device = await bench.device({ fault: 'connection-lost' });
    const { found } = await bench.upgraded(device, { sources });
    assert.equal(found['sessions'], 1);
    assert.ok(
      device.log.some((line) => /on 2 connections/.test(line)),
      device.log.join('\n'),
    );
  });

  it('ends with download-failed where no-Range firmware has lost its connection', async () => {
    const bench = await openBench();
    const behaviours = { losesConnectionAtByte: 4096 };
    const device = await bench.device({ transport: 'no-range', behaviours });
    await assertCode(bench.upgraded(device), 'download-failed');
  });

  it('costs exactly one request a sector, on one connection', async () => {
    const bench = await openBench();
    const user2 = makeUserImage({ slot: 2, size: 100_000 });
    const device = await bench.device();
    const { found } = await bench.upgraded(device, { sources: { ...FIRMWARE, user2 } });
    const requests = Math.ceil(user2.length / 4096);
    assert.equal(found['requests'], requests);
    assert.equal(found['size'], user2.length);
    assert.ok(
      device.log.some((line) => line.includes(`with ${requests} requests on 1 connection`)),
      device.log.join('\n'),
    );
  });

  it('reports how far it is, the first and the last always, and never less than before', async () => {
    const bench = await openBench();
    const device = await bench.device({ behaviours: { blockPauseMs: 60 } });
    const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 100_000 }) };
    await bench.upgraded(device, { sources });
    const { reports } = bench.recorder('upgrade');
    const [first, last] = [reports[0], reports.at(-1)];
    assert.equal(first?.report.percent, 20);
    assert.equal(last?.report.percent, 60);
    assert.equal(last.job.percent, 60);
    assert.ok(reports.length >= 5, `${reports.length} reports`);
    const percents = reports.map(({ report }) => report.percent);
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
    );
  });

  it('waits for the device where it is not there yet, and ends with device-timeout', async () => {
    const bench = await openBench();
    const waiting = bench.begin('upgrade', { deviceid: '1000a1b2c3' });
    await waiting.recorder.reported(({ state }) => state === 'waiting');
    const device = await bench.device();
    await device.start();
    const { found, job } = await waiting.outcome;
    assert.equal(found['image'], 'user2');
    assert.deepEqual(
      [job.ip, job.model, job.romVersion],
      ['127.0.0.1', 'ITA-GZ1-GL', '1.5.5'],
      'it was not seen before',
    );
    const other = await openBench();
    await assertCode(other.begin('upgrade', { deviceid: '1000999999', timeoutSeconds: 0.2 }).outcome, 'device-timeout');
  });

  it('ends with device-silent after the last byte where the device never gives its verdict', async () => {
    const bench = await openBench();
    const device = await bench.device({ fault: 'silent-after-upgrade' });
    await device.start();
    await bench.begin('cloud', { deviceid: device.deviceid }).outcome;
    const stage = bench.begin('upgrade', { deviceid: device.deviceid });
    while (!(await stage.job()).download?.isComplete) await once(bench.host.jobs, 'changed');
    await stage.over();
    await assertCode(stage.outcome, 'device-silent');
  });

  it('is not ended by its time limit while bytes still flow', async () => {
    const bench = await openBench();
    const device = await bench.device({ fault: 'slow-drip' });
    const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 40_000 }) };
    const { found, job } = await bench.upgraded(device, { timeoutSeconds: 0.5, sources });
    assert.equal(found['sessions'], 1);
    const { startedAt, endedAt } = job.stages.upgrade ?? {};
    assert.ok(Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '') > 1500);
  });

  it('is refused before the upgrade is sent where the port of FinalStage is taken', async () => {
    const finalStagePort = await freePort();
    const holder = await occupy(finalStagePort);
    try {
      const bench = await openBench({ finalStagePort });
      const device = await bench.device();
      const error = await assertCode(bench.upgraded(device), 'port-in-use');
      assert.equal(error.values['port'], finalStagePort);
      assert.ok(!device.log.some((line) => /state: upgrading/.test(line)), device.log.join('\n'));
      await holder.release();
      const { found } = await bench.begin('upgrade', { deviceid: device.deviceid }).outcome;
      assert.equal(found['image'], 'user2');
    } finally {
      await holder.release().catch(() => undefined);
    }
  });

  it('looks at every image before the device sees any', async () => {
    const bench = await openBench();
    const device = await bench.device();
    await device.start();
    await bench.begin('cloud', { deviceid: device.deviceid }).outcome;
    const { user1, user2, final } = FIRMWARE;
    const begin = (sources: object): Promise<unknown> =>
      bench.begin('upgrade', { deviceid: device.deviceid, sources }).outcome;
    await assertCode(begin({ user1: user2, user2: user1, final }), 'image-wrong-slot');
    await assertCode(begin({ user1, user2, final: user1 }), 'image-invalid');
    await assertCode(begin({ user1, user2 }), 'firmware-missing');
    await assertCode(begin({ user1: '/no/such/file', user2, final }), 'image-unreadable');
    assert.equal(device.state, 'ready');
  });

  it('is cancelled in mid-download; the device is served no more', async () => {
    const bench = await openBench();
    const device = await bench.device({ behaviours: { blockPauseMs: 100 } });
    await device.start();
    await bench.begin('cloud', { deviceid: device.deviceid }).outcome;
    const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 40_960 }) };
    const stage = bench.begin('upgrade', { deviceid: device.deviceid, sources });
    await once(device, 'state');
    await stage.recorder.reported(({ text }) => /downloads user2/.test(text));
    bench.host.runs.cancel('upgrade', device.deviceid);
    await assertCode(stage.outcome, 'cancelled');
    assert.equal(bench.host.jobs.openJob(device.deviceid), undefined);
    const request = `GET /sonota/${device.deviceid}/user2.bin HTTP/1.1\r\nHost: dl.itead.cn\r\n\r\n`;
    assert.match(await ask(bench.host.ports.http, request), /^HTTP\/1\.1 404/);
  });

  it('gives no real device the images of a rehearsal', async () => {
    const bench = await openBench();
    const deviceid = '1000a1b2c3';
    const device = { deviceid, apikey: 'own-key', model: 'ITA-GZ1-GL', romVersion: '1.5.5' };
    const connection = { ready: true, peer: '192.0.2.7', device } as unknown as DeviceConnection;
    bench.host.devices.get = () => connection;
    const sources = { user1: 'rehearsal:', user2: 'rehearsal:', final: 'rehearsal:' };
    await assertCode(bench.begin('upgrade', { deviceid, sources }).outcome, 'rehearsal-only');
  });

  it('is refused for what is known of the firmware and of the key, unless a person insists', async () => {
    const bench = await openBench();
    const { devices } = bench.host;
    const device = await bench.device({ romVersion: '3.5.0' });
    const { deviceid } = device;
    await device.start();
    await once(devices, 'ready');
    await assertCode(bench.begin('upgrade', { deviceid }).outcome, 'device-not-supported');
    assert.ok(!device.log.includes('told to upgrade'), device.log.join('\n'));
    devices.pin(deviceid, 'another key');
    const { found } = await bench.begin('upgrade', { deviceid, force: true }).outcome;
    assert.equal(found['image'], 'user2');
  });

  it('can be restarted in the same session after a refusal', async () => {
    const bench = await openBench();
    const device = await bench.device({ behaviours: { refusesWith: 404 } });
    await assertCode(bench.upgraded(device), 'download-failed');
    device.behave({ refusesWith: undefined });
    const { found, job } = await bench.begin('upgrade', { deviceid: device.deviceid }).outcome;
    assert.equal(found['image'], 'user2');
    assert.equal(job.error, undefined);
  });

  it('sends nothing to a device that has registered, before it is ready', async () => {
    const bench = await openBench();
    const { device } = await WebSocketDevice.open(await RawClient.to(bench.host.ports.legacy));
    await device.register(DEVICE);
    const stage = bench.begin('upgrade', { deviceid: DEVICE });
    await stage.recorder.reported(({ name }) => name === 'wait-for-session');
    await turns();
    assert.deepEqual(
      stage.said.map(({ name }) => name),
      ['load-firmware', 'wait-for-session'],
    );
    await device.asks(DEVICE);
    assert.equal((await device.answer())['action'], 'upgrade');
    bench.host.runs.cancel('upgrade', DEVICE);
    await assertCode(stage.outcome, 'cancelled');
  });

  for (const route of ['one-hop', 'finalstage'] as const) {
    it(`has its host listen where that does not (${route})`, async () => {
      const bench = await openBench();
      await bench.host.stopListening();
      const final = makeFinalImage({ size: 24_576, redundancy: 0.7, text: 'Theo Arends' });
      const sources = { ...FIRMWARE, ...(route === 'one-hop' ? { final, intermediate: route } : {}) };
      const stage = bench.begin('upgrade', { deviceid: DEVICE, sources });
      await stage.recorder.reported(({ name }) => name === 'wait-for-session');
      assert.equal(bench.host.isListening, true);
      bench.host.runs.cancel('upgrade', DEVICE);
      await assertCode(stage.outcome, 'cancelled');
    });
  }

  it('names no address where none is known that a device could dial', async () => {
    const bench = await openBench();
    Object.defineProperty(bench.host, 'address', { value: undefined });
    const stage = bench.begin('upgrade', { deviceid: DEVICE });
    const [began] = (await stage.job()).evidence.all;
    assert.equal(began?.kind === 'stage' && began.event === 'began' && began.address, 'unknown');
    bench.host.runs.cancel('upgrade', DEVICE);
    await assertCode(stage.outcome, 'cancelled');
  });

  describe('to a device that has its image to the last byte', () => {
    /** Such a device, which gives no verdict, and its upgrade. */
    async function complete(bench: Bench, options: Parameters<Bench['begin']>[1] = {}) {
      const device = await bench.device({ fault: 'silent-after-upgrade' });
      await device.start();
      await bench.begin('cloud', { deviceid: DEVICE }).outcome;
      const stage = bench.begin('upgrade', { deviceid: DEVICE, ...options });
      const job = await stage.job();
      while (!job.download?.isComplete) await once(bench.host.jobs, 'changed');
      const acknowledges = (): void => void bench.host.devices.get(DEVICE)?.emit('acknowledged', 0, '1');
      return { stage, acknowledges };
    }

    it('is not ended by another peer that states its id with another key', async () => {
      const bench = await openBench();
      const { stage, acknowledges } = await complete(bench);
      const { devices } = bench.host;
      const statement = { deviceid: DEVICE, apikey: 'another', model: 'ITA-GZ1-GL', romVersion: '1.5.5' };
      assert.equal(devices.admits(statement, '127.0.0.66', 'dispatch'), false);
      assert.ok(devices.rivals(DEVICE));
      await turns();
      assert.equal(stage.recorder.outcomes.size, 0);
      acknowledges();
      assert.equal((await stage.outcome).found['image'], 'user2');
    });

    it('is not ended by a page at the address of its new firmware, which comes behind FinalStage alone', async () => {
      const bench = await openBench();
      let asked = 0;
      const newFirmwareUrl = await servers.serve((_, response) => {
        asked += 1;
        response.end('Tasmota 14.1.0 by Theo Arends');
      });
      const { stage, acknowledges } = await complete(bench, { newFirmwareUrl });
      await fetch(newFirmwareUrl);
      assert.deepEqual([asked, stage.recorder.outcomes.size], [1, 0], 'our own request');
      acknowledges();
      await stage.outcome;
    });
  });

  describe('that a restart of ours broke into', () => {
    /** A host in which the upgrade of a device continues that had the command. */
    async function resumed(bench: Bench, change: (download: UpgradeDownload) => void = () => undefined): Promise<void> {
      const before = new Job('upgrade', DEVICE);
      before.enter('upgrade');
      before.route = FINALSTAGE;
      const { id, lastStage } = before;
      const job = Job.restore({ id, lastStage, snapshot: before.snapshot() });
      job.firmware = await loadFirmware(FIRMWARE, { signal: new AbortController().signal });
      const download = new UpgradeDownload();
      download.offered();
      change(download);
      job.download = UpgradeDownload.restore(download.record());
      bench.host.jobs.restore(job);
    }

    it('is not ended by its time limit before nothing has flowed for ten seconds', async () => {
      const bench = await openBench();
      await resumed(bench);
      const lastByte = 1_800_000_000_000;
      bench.host.jobs.latest(DEVICE)?.download?.sentUpTo(4096, new Date(lastByte));
      timeStands(['setTimeout', 'setInterval', 'Date'], lastByte);
      const stage = bench.begin('upgrade', { deviceid: DEVICE, timeoutSeconds: 1 });
      while (!stage.said.some(({ name }) => name === 'wait-for-session')) await nextTurn();
      let passedMs = 0;
      for (; stage.recorder.outcomes.size === 0; passedMs += 100) {
        timePasses(100);
        await nextTurn();
      }
      assert.ok(passedMs >= 10_000 && passedMs < 12_000, `${passedMs}`);
      await assertCode(stage.outcome, 'device-timeout');
    });

    it('is over, and not sent again, where the device was known to have it', async () => {
      const bench = await openBench();
      await resumed(bench, (download) => download.taken());
      const device = await bench.device();
      await device.start();
      await once(bench.host.devices, 'ready');
      const stage = bench.begin('upgrade', { deviceid: DEVICE });
      const { found } = await stage.outcome;
      assert.equal(found['sessions'], 0);
      await turns();
      assert.ok(!device.log.includes('told to upgrade'), device.log.join('\n'));
    });

    it('is not sent again where two peers state its id with different keys', async () => {
      const bench = await openBench();
      await resumed(bench);
      const device = await bench.device();
      await device.start();
      await once(bench.host.devices, 'ready');
      const statement = { deviceid: DEVICE, apikey: 'another', model: 'ITA-GZ1-GL', romVersion: '1.5.5' };
      assert.equal(bench.host.devices.admits(statement, '127.0.0.66', 'dispatch'), false);
      const stage = bench.begin('upgrade', { deviceid: DEVICE });
      const { values } = await assertCode(stage.outcome, 'device-contested');
      assert.deepEqual(values, { deviceid: DEVICE, peer: '127.0.0.1', other: '127.0.0.66' });
      await turns();
      assert.ok(!device.log.includes('told to upgrade'), device.log.join('\n'));
    });
  });
});
