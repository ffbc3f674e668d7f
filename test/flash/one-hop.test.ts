import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { ONE_HOP } from '../../lib/flash/routes';
import { FlashHost } from '../../lib/flash/host/host';
import { Job } from '../../lib/flash/job/job';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import type { Waits } from '../../lib/flash/stage/waits';
import { PATIENCE } from '../../lib/flash/verdict/patience';
import { digestOf, makeFinalImage, packOneHop } from '../../lib/image';
import type { NewFirmwareServer, VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { processFolder } from '../shared/process-folder';
import { useHttpServers } from '../shared/http-server';
import { freePort, occupy } from '../shared/ports';
import { closeAll, RawClient } from '../server/serving';
import { WebSocketDevice } from '../server/websocket-device';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { closeBenches, HOME, openBench, type Bench, FIRMWARE } from './bench';
import { assertCode } from './refusals';

const ownFolder = processFolder('one-hop');

/** The virtual Sonoff takes it for a Tasmota by this name. */
const FINAL = makeFinalImage({ size: 24_576, redundancy: 0.7, text: 'Theo Arends' });
const SOURCES = { final: FINAL, intermediate: 'one-hop' } as const;

describe('flash: in one hop, without FinalStage', () => {
  const servers = useHttpServers();
  afterEach(timeGoesOn);
  afterEach(closeAll);
  afterEach(closeBenches);

  /** A place for the page of the new firmware, which keeps running there. */
  async function newFirmwarePlace(): Promise<{ url: string; newFirmware: NewFirmwareServer }> {
    const apPort = await freePort();
    return { url: `http://127.0.0.1:${apPort}`, newFirmware: { apAddress: '127.0.0.1', apPort, homePort: 0 } };
  }

  function isFlashed(device: VirtualSonoff): boolean {
    return Buffer.from(device.flash.subarray(0, FINAL.length)).equals(FINAL);
  }

  function percents(bench: Bench): number[] {
    return [...bench.recorders.values()].flatMap(({ reports }) => reports.map(({ report }) => report.percent));
  }

  it('asks nothing of a device that is at work: its new firmware is looked for once it may be written', async () => {
    const bench = await openBench();
    let asked = 0;
    const page = await servers.serve((_, response) => {
      asked += 1;
      response.end('<title>a router</title>');
    });
    const device = await bench.device({ behaviours: { holdsAtByte: 4096 } });
    await device.start();
    const { deviceid } = device;
    await bench.begin('cloud', { deviceid }).outcome;
    const upgrade = bench.begin('upgrade', { deviceid, sources: SOURCES, newFirmwareUrl: page });
    await upgrade.recorder.reported(({ name }) => name === 'image-flows');
    await fetch(page);
    assert.equal(asked, 1, 'our own request');
    device.behave({ holdsAtByte: undefined });
    await upgrade.outcome;
  });

  for (const [transport, slot] of [
    ['range', 1],
    ['range', 2],
    ['no-range', 2],
  ] as const) {
    it(`takes a device from its access point to its new firmware (${transport}, stock in user${slot})`, async () => {
      const finalStagePort = await freePort();
      const rival = await occupy(finalStagePort);
      const bench = await openBench({ finalStagePort });
      const { url, newFirmware } = await newFirmwarePlace();
      const device = await bench.factoryDevice({ transport, slot, homeNetwork: HOME, newFirmware });
      const { apPort } = await device.start();
      const { deviceid } = device;
      await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` }).outcome;
      await bench.begin('cloud', { deviceid }).outcome;
      const upgraded = await bench.begin('upgrade', { deviceid, sources: SOURCES }).outcome;
      const packed = packOneHop(FINAL);
      assert.deepEqual(
        [upgraded.found['intermediate'], upgraded.found['size'], upgraded.job.percent],
        ['one-hop', packed.length, 60],
      );
      assert.equal(upgraded.job.intermediate, 'one-hop');
      const job = bench.host.jobs.latest(deviceid);
      assert.ok(job);
      assert.equal(job.finalStage, undefined);
      assert.equal(job.firmware.user1?.sha256, digestOf(packed));
      assert.equal(job.firmware.user2?.sha256, digestOf(packed));
      const said = bench.recorder('upgrade').reports.at(-1)?.report;
      assert.match(said?.text ?? '', /^Leave the device powered/);
      assert.match(said?.details ?? '', /usually for 20 and at most for 100 seconds, which is normal\.$/);

      const { found, job: done } = await bench.begin('newfirmware', { deviceid, url }).outcome;
      assert.deepEqual([found['kind'], found['version'], found['mac']], ['tasmota', '15.5.0', done.mac]);
      assert.ok(done.mac);
      assert.deepEqual([done.stage, done.percent, done.verdict?.code], ['done', 100, 'firmware-same-mac']);
      assert.ok(isFlashed(device), device.log.join('\n'));
      const states = device.log.filter((line) => line === 'state: relocating');
      assert.equal(states.length, slot === 1 ? 1 : 2, 'once from user2; from user1 it moves itself there first');
      assert.ok(!device.log.includes('state: finalstage'));
      const all = percents(bench);
      assert.deepEqual(
        all,
        [...all].sort((a, b) => a - b),
        'the percent fell',
      );
      assert.equal(all.filter((percent) => percent === 100).length, 1);
      await rival.release();
    });
  }

  it('is back to stock where the image was damaged before its first start, and can be flashed again', async () => {
    const bench = await openBench();
    const { url, newFirmware } = await newFirmwarePlace();
    const device = await bench.device({ fault: 'image-rots', newFirmware });
    const before = digestOf(device.flash.subarray(0, 0x81000));
    await bench.upgraded(device, { sources: SOURCES });
    const { deviceid } = device;
    await assertCode(bench.begin('newfirmware', { deviceid, url }).outcome, 'back-to-stock');
    assert.equal(digestOf(device.flash.subarray(0, 0x81000)), before, 'it wrote before it looked');
    device.behave({ imageRots: false });
    await bench.begin('cloud', { deviceid }).outcome;
    await bench.begin('upgrade', { deviceid, sources: SOURCES }).outcome;
    const { job } = await bench.begin('newfirmware', { deviceid, url }).outcome;
    assert.equal(job.stage, 'done');
    assert.ok(isFlashed(device));
  });

  it('survives a power-cycle in the dark', async () => {
    const bench = await openBench();
    const { url, newFirmware } = await newFirmwarePlace();
    const device = await bench.device({ slot: 2, newFirmware, timings: { relocates: 300 } });
    device.once('state', function cycle(state) {
      if (state === 'relocating') device.powerCycle();
      else device.once('state', cycle);
    });
    await bench.upgraded(device, { sources: SOURCES });
    await bench.begin('newfirmware', { deviceid: device.deviceid, url }).outcome;
    assert.ok(device.log.includes('restart: power-cycled'));
    assert.ok(isFlashed(device));
  });

  it('is known to be flashed by its new firmware where its acknowledgement was lost', async () => {
    const bench = await openBench();
    const { url, newFirmware } = await newFirmwarePlace();
    const device = await bench.device({ newFirmware });
    // A device whose acknowledgement is lost restarts all the same.
    device.on('state', (state) => {
      if (state === 'rebooting') bench.host.devices.get(device.deviceid)?.close();
    });
    await device.start();
    const { deviceid } = device;
    await bench.begin('cloud', { deviceid }).outcome;
    const options = { deviceid, sources: SOURCES, newFirmwareUrl: url };
    const { found } = await bench.begin('upgrade', options).outcome;
    assert.equal(found['intermediate'], 'one-hop');
    assert.equal((await bench.begin('newfirmware', { deviceid, url }).outcome).job.stage, 'done');
    assert.equal(device.log.filter((line) => line === 'told to upgrade').length, 1);
    assert.ok(isFlashed(device));
  });

  for (const [title, fault, outcome] of [
    ['is flashed', undefined, 'done'],
    ['has handed back to its stock firmware', 'image-rots', 'back-to-stock'],
  ] as const) {
    it(`shows in the next stage that it ${title} where it did not acknowledge, and is not at home`, async () => {
      const bench = await openBench();
      const { url, newFirmware } = await newFirmwarePlace();
      const device = await bench.device({ newFirmware, ...(fault ? { fault } : {}), timings: { joinHome: 1000 } });
      const { deviceid } = device;
      device.on('state', (state) => {
        if (state !== 'rebooting') return;
        bench.host.devices.get(deviceid)?.close();
        // As if the slowest flash were written.
        for (const { evidence } of bench.host.jobs.all()) evidence.patience = { ...PATIENCE, oneHopWritesMs: 0 };
      });
      const { job } = await bench.upgraded(device, { sources: SOURCES });
      assert.deepEqual([job.stage, job.verdict?.code], ['upgrade', 'one-hop-unconfirmed']);
      assert.equal(bench.recorder('upgrade').reports.at(-1)?.report.name, 'one-hop-unconfirmed');
      const look = bench.begin('newfirmware', { deviceid, url });
      if (outcome === 'done') assert.equal((await look.outcome).job.stage, outcome);
      else await assertCode(look.outcome, outcome);
      assert.equal(device.log.filter((line) => line === 'told to upgrade').length, 1);
    });
  }

  describe('that a restart of ours broke into', () => {
    const DEVICE = '1000a1b2c3';
    const LAST_PIECE = { kind: 'image-requested', role: 'user2', class: 'range', size: 8192, first: 4096 } as const;

    /** A host in which the flash continues, of which so many bytes were missing when the last of them went out just now. */
    async function resumed(missing: number, waits: Partial<Waits>): Promise<Bench> {
      const bench = await openBench({}, waits);
      const before = new Job('upgrade', DEVICE);
      before.enter('upgrade');
      before.route = ONE_HOP;
      const { id, lastStage } = before;
      const job = Job.restore({ id, lastStage, snapshot: before.snapshot() });
      job.firmware = await loadFirmware(SOURCES, { signal: new AbortController().signal });
      const download = new UpgradeDownload();
      download.offered();
      download.requested('user2', 8192, 'range');
      download.sentUpTo(8192 - missing);
      job.download = UpgradeDownload.restore(download.record());
      job.evidence.add({ kind: 'upgrade-sent', version: '23.42.5', session: 1, isOneHop: true });
      job.evidence.add(missing === 0 ? LAST_PIECE : { ...LAST_PIECE, first: 0 });
      bench.host.jobs.restore(job);
      return bench;
    }

    it('is not ended by its limit while the device may write, but by its new firmware', async () => {
      const bench = await resumed(0, { upgradeFlowsMs: 0 });
      const { url } = await newFirmwarePlace();
      const options = { deviceid: DEVICE, timeoutSeconds: 0.001, newFirmwareUrl: url };
      const upgrade = bench.begin('upgrade', options);
      const { evidence } = await upgrade.job();
      await servers.serveAt(Number(new URL(url).port), (_, response) => {
        assert.ok(!evidence.all.some((seen) => seen.kind === 'stage' && seen.event === 'over'));
        response.setHeader('Server', 'Tasmota/14.1.0 (ESP8266EX)').end('<title>Tasmota - Main Menu</title>');
      });
      assert.equal((await upgrade.outcome).found['intermediate'], 'one-hop');
    });

    it('waits for as long as the slowest flash may take, in which it speaks of no trouble, and leaves the rest to the next stage', async () => {
      const bench = await resumed(0, {});
      const newFirmwareUrl = `http://127.0.0.1:${await freePort()}`;
      timeStands(['setTimeout', 'setInterval', 'Date'], Date.now());
      const upgrade = bench.begin('upgrade', { deviceid: DEVICE, newFirmwareUrl, timeoutSeconds: 1 });
      const { evidence } = await upgrade.job();
      // What would be trouble of any other device.
      evidence.add({ kind: 'upgrade-sent', version: '23.42.5', session: 1, isOneHop: true });
      for (let times = 0; times < 5; times++) evidence.add({ ...LAST_PIECE, first: 0 });
      assert.equal(evidence.verdict().code, 'download-restarts');
      evidence.add(LAST_PIECE);
      const passes = async (seconds: number): Promise<void> => {
        for (let second = 0; second < seconds; second++) {
          timePasses(1000);
          for (let turn = 0; turn < 10; turn++) await nextTurn();
        }
      };
      await passes(104);
      assert.equal(upgrade.recorder.outcomes.size, 0);
      await passes(2);
      const { found, job } = await upgrade.outcome;
      assert.deepEqual([found['sessions'], found['size'], job.stage], [0, 8192, 'upgrade']);
      assert.deepEqual(
        upgrade.said.map(({ name, fraction }) => [name, fraction]),
        [
          ['load-firmware', 0],
          ['wait-for-session', 0],
          ['one-hop-unconfirmed', 1],
        ],
      );
    });

    it('is over at its limit where it starts from its beginning, whatever the device had before', async () => {
      const bench = await openBench();
      const job = bench.host.jobs.jobFor('upgrade', DEVICE);
      job.route = ONE_HOP;
      const { evidence } = job;
      const facts = { kind: 'stage', stage: 'upgrade' } as const;
      evidence.add({ ...facts, event: 'began', seconds: 300, deviceid: DEVICE });
      evidence.add({ kind: 'upgrade-sent', version: '23.42.5', session: 1, isOneHop: true });
      evidence.add(LAST_PIECE);
      evidence.add({ ...facts, event: 'failed', code: 'cancelled', values: {} });
      const again = bench.begin('upgrade', { deviceid: DEVICE, sources: FIRMWARE, timeoutSeconds: 0.1 });
      await assertCode(again.outcome, 'device-timeout');
      assert.equal((await again.job()).id, job.id);
      assert.equal(job.download, undefined, 'the next device has its turn');
    });

    it('is not ended by a Tasmota of another MAC address', async () => {
      const bench = await resumed(0, {});
      const job = bench.host.jobs.latest(DEVICE);
      job?.learn({ mac: '5C:CF:7F:A1:B2:C3' });
      let mac = '5C:CF:7F:FF:FF:FF';
      const judged = new EventEmitter();
      const newFirmwareUrl = await servers.serve(({ url }, response) => {
        if (url === '/') return response.end('Tasmota 14.1.0 by Theo Arends');
        response.end(JSON.stringify({ StatusNET: { Mac: mac } }));
        judged.emit('judged');
      });
      const upgrade = bench.begin('upgrade', { deviceid: DEVICE, newFirmwareUrl });
      // The second look begins when the first is judged.
      for (let looks = 0; looks < 2; looks++) await once(judged, 'judged');
      assert.equal(upgrade.recorder.outcomes.size, 0);
      mac = '5C:CF:7F:A1:B2:C3';
      assert.equal((await upgrade.outcome).found['intermediate'], 'one-hop');
    });

    it('looks for its new firmware in its network, and no more once it is over', async () => {
      const bench = await resumed(0, {});
      let asked = 0;
      const newFirmwareUrl = await servers.serve((_, response) => {
        asked += 1;
        response.end('<title>a router</title>');
      });
      const at = new Set<string>();
      bench.around.ownAddresses = (url) => {
        at.add(url);
        return [];
      };
      timeStands(['setTimeout']);
      const upgrade = bench.begin('upgrade', { deviceid: DEVICE, newFirmwareUrl });
      const passes = async (): Promise<void> => {
        timePasses(1000);
        for (let turn = 0; turn < 50; turn++) await nextTurn();
      };
      while (asked < 2) await passes();
      bench.host.jobs.latest(DEVICE)?.download?.taken();
      await upgrade.outcome;
      const before = asked;
      for (let second = 0; second < 5; second++) await passes();
      assert.deepEqual([asked, [...at]], [before, [newFirmwareUrl]]);
    });

    it('is ended by its limit where the device cannot write, since a byte is missing', async () => {
      const bench = await resumed(1, { upgradeFlowsMs: 0, darkAtMostMs: 60 * 60_000 });
      const upgrade = bench.begin('upgrade', { deviceid: DEVICE, timeoutSeconds: 0.001 });
      await assertCode(upgrade.outcome, 'device-timeout');
    });

    it('is not ended by the time for its verdict while the device may write', async () => {
      const bench = await resumed(0, { upgradeVerdictMs: 1000 });
      const { device } = await WebSocketDevice.open(await RawClient.to(bench.host.ports.legacy));
      await device.becomeReady(DEVICE);
      timeStands(['setTimeout']);
      const upgrade = bench.begin('upgrade', { deviceid: DEVICE });
      const { sequence } = await device.answer();
      (await upgrade.job()).evidence.add(LAST_PIECE);
      timePasses(1000);
      device.say({ deviceid: DEVICE, apikey: device.sessionKey, error: 0, sequence });
      assert.equal((await upgrade.outcome).found['sessions'], 1);
    });
  });

  it('is refused before a device hears of it where the image does not fit, or the way is none', async () => {
    const bench = await openBench();
    const device = await bench.device();
    await device.start();
    const { deviceid } = device;
    await bench.begin('cloud', { deviceid }).outcome;
    const noise = makeFinalImage({ size: 480_000 });
    for (const [sources, code] of [
      [{ final: noise, intermediate: 'one-hop' }, 'image-too-large'],
      [{ intermediate: 'one-hop' }, 'firmware-missing'],
      [{ final: makeFinalImage({ flashMode: 'QIO' }), intermediate: 'one-hop' }, 'image-wrong-flash-mode'],
      [{ final: FINAL, intermediate: 'two-hops' as 'one-hop' }, 'intermediate-unknown'],
    ] as const) {
      await assertCode(bench.begin('upgrade', { deviceid, sources }).outcome, code);
    }
    assert.ok(!device.log.includes('told to upgrade'));
  });

  it('continues over a restart of ours: with the same file in mid-upgrade, without FinalStage behind it', async () => {
    const folder = await mkdtemp(join(ownFolder, 'one-hop-'));
    const ports = { httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
    const settings = { bind: '127.0.0.1', address: '127.0.0.1', ...ports };
    const before = new FlashHost(settings, folder, 'host');
    const hosts = [before];
    try {
      const job = before.jobs.jobFor('upgrade', '1000a1b2c3');
      job.route = ONE_HOP;
      job.enter('upgrade');
      const packed = packOneHop(FINAL);
      job.firmware = await loadFirmware(SOURCES, { signal: new AbortController().signal });
      before.runs.pending.began({ id: '1', nodeId: 'n', stage: 'upgrade', message: {} }, { deviceid: '1000a1b2c3' });
      before.runs.pending.inJob({ id: '1', nodeId: 'n', stage: 'upgrade', message: {} }, job);
      await before.whenStored();
      const after = new FlashHost(settings, folder, 'host');
      hosts.push(after);
      const kept = after.jobs.latest('1000a1b2c3');
      assert.equal(kept?.route, ONE_HOP);
      assert.equal(kept.isResuming('upgrade'), true);
      for (const role of ['user1', 'user2'] as const) assert.ok(kept.firmware[role]?.bytes.equals(packed), role);
      assert.ok(kept.firmware.final?.bytes.equals(FINAL));
      assert.equal(after.jobs.awaitingFinalStage().length, 0);
    } finally {
      await Promise.all(hosts.map((host) => host.close()));
    }
  });
});
