import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DiscoveryOptions } from '../../../lib/client/diy/discovery';
import { DiyDownload } from '../../../lib/flash/images/diy-download';
import { Job } from '../../../lib/flash/job/job';
import { askAnnounced } from '../../../lib/flash/stage/diy/announcement';
import { doneBefore, untilGone } from '../../../lib/flash/stage/diy/gone';
import { DIY } from '../../../lib/flash/routes';
import { loadImages } from '../../../lib/firmware/firmware';
import type { NewObservation } from '../../../lib/flash/observation';
import { makeFinalImage } from '../../../lib/image';
import type { VirtualDiyOptions } from '../../../lib/virtual/diy/options';
import { DIY_VERSIONS } from '../../../lib/virtual/diy/versions';
import { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';
import { wording } from '../../../lib/wordings/wording';
import { StrictDiyServer, type Reaction } from '../../client/diy/strict-server';
import { Announcer, LOOPBACK } from '../../net/mdns/announcer';
import { freePort } from '../../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import { closeBenches, FIRMWARE, openBench, type Begun, type Bench } from '../bench';
import { assertCode } from '../refusals';
import { ask } from '../stranger';

const ID = '10000a1b2c';
const QUICK = { lanLookMs: 20 };
/** For a device that breaks its download off; with others a busy machine could miss the limit. */
const STALLS = { ...QUICK, lanStalledMs: 500 };

describe('flash/stage/diy', () => {
  const devices: VirtualDiySonoff[] = [];

  afterEach(async () => {
    timeGoesOn();
    await Promise.all(devices.splice(0).map((device) => device.stop()));
    await closeBenches();
  });

  /** A device in DIY mode, a hundred times as fast as a real one, and a host that looks for it at its address. */
  async function start(options: Partial<VirtualDiyOptions> = {}, waits: object = QUICK) {
    const bench = await openBench({}, waits);
    const device = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort: 0, lanPort: 0, mdns: false, speed: 100, deviceid: ID, startsIn: 'diy' },
      ...options,
    });
    devices.push(device);
    const { lanPort } = await device.start();
    const url = `http://127.0.0.1:${lanPort}`;
    const begin = (more: Parameters<Bench['begin']>[1] = {}): Begun =>
      bench.begin('diy', { url, deviceid: ID, ...more });
    return { bench, device, url, begin };
  }

  for (const version of DIY_VERSIONS.filter((one) => one !== '3.0.0')) {
    it(`flashes a device with ${version}`, async () => {
      const { device, begin, bench } = await start({ version });
      const { found, job } = await begin().outcome;
      const { result, flashSha256 } = await device.ended;
      assert.equal(result, 'flashed', device.log.join('\n'));
      assert.ok(flashSha256);
      assert.equal(found['proof'], 'reported');
      assert.deepEqual([found['size'], found['requests'], found['lost']], [FIRMWARE.final.length, 6, 0]);
      assert.equal(job.percent, 60);
      assert.equal(job.intermediate, 'diy');
      assert.equal(bench.host.jobs.latest(ID)?.hasFetchedAll, true);
    });
  }

  it('finds a device by what it announces, and takes its id and its version from it', async () => {
    const mdnsPort = await freePort();
    const { begin, device, bench } = await start({ mdns: { port: mdnsPort } });
    const discovery = { interfaces: () => [LOOPBACK], mdnsPort };
    const stage = begin({ url: undefined as never, deviceid: undefined as never, discovery });
    const { job } = await stage.outcome;
    assert.deepEqual([job.deviceid, job.romVersion, job.ip], [ID, '3.7.6', '127.0.0.1']);
    const { how, version, address } = bench.host.directory.get(ID) ?? {};
    assert.deepEqual([how, version, address], ['announcement', '3.7.6', '127.0.0.1']);
    const { evidence } = await stage.job();
    const info = evidence.all.find(({ kind }) => kind === 'device-info');
    const unlocked = { romVersion: '3.7.6', isUnlocked: false, rssi: -52, isAnnounced: true };
    assert.deepEqual({ ...info, at: 0 }, { at: 0, kind: 'device-info', peer: '127.0.0.1', ...unlocked });
    assert.equal((await device.ended).result, 'flashed');
  });

  it('learns under which MAC address the network shows it, and lists the device', async () => {
    const { begin, bench } = await start();
    bench.around.linkMacOf = async (address) => (address === '127.0.0.1' ? '5C:CF:7F:12:34:56' : undefined);
    const { job } = await begin().outcome;
    assert.deepEqual([job.linkMac, job.mac], ['5C:CF:7F:12:34:56', null]);
    const { how, version, address } = bench.host.directory.get(ID) ?? {};
    assert.deepEqual([how, version, address], ['answer', '3.7.6', '127.0.0.1']);
  });

  it('takes the result also where its length is not announced', async () => {
    const { begin } = await start({ behaviours: { resultHasLength: false } });
    assert.equal((await begin().outcome).found['proof'], 'reported');
  });

  it('knows a device that reports nothing by what it fetched, and that its stock firmware is gone', async () => {
    const { begin, device } = await start({ fault: 'result-never' });
    const { found } = await begin().outcome;
    assert.equal(found['proof'], 'gone');
    assert.equal((await device.ended).result, 'flashed');
  });

  describe('where the device reports nothing', () => {
    /** A device that is found by its announcement, and another one that announces the same where it is wanted. */
    async function startAnnounced(more: Partial<VirtualDiyOptions> = {}) {
      const mdnsPort = await freePort();
      const started = await start({
        fault: 'result-never',
        mdns: { port: mdnsPort },
        ...more,
      });
      const servicePort = Number(new URL(started.url).port);
      const openAnnouncer = async () => {
        const announcer = await new Announcer(mdnsPort, ID, { servicePort }).ready();
        announcers.push(announcer);
        return announcer;
      };
      const discovery: DiscoveryOptions = { interfaces: () => [LOOPBACK], mdnsPort };
      return { ...started, openAnnouncer, discovery };
    }

    const announcers: Announcer[] = [];
    afterEach(() => Promise.all(announcers.splice(0).map((announcer) => announcer.close())));

    /** The evidence of its end, and the verdict. */
    async function endOf(stage: Begun) {
      const { found } = await stage.outcome;
      const { evidence } = await stage.job();
      const gone = evidence.all.flatMap((seen) => (seen.kind === 'stock-gone' ? [seen.announcement] : []));
      const { code, values } = evidence.verdict();
      assert.deepEqual([found['proof'], code], ['gone', 'device-left']);
      return { gone, signs: values['signs'] };
    }

    it('sees that its announcement is gone with its server', async () => {
      const { begin, discovery } = await startAnnounced();
      const end = await endOf(begin({ url: undefined as never, discovery }));
      assert.deepEqual(end, { gone: ['gone'], signs: wording('sign-port-and-announcement') });
    });

    it('believes no goodbye where its announcement still answers, and reports that', async () => {
      const { begin, discovery, openAnnouncer } = await startAnnounced({ behaviours: { saysGoodbye: true } });
      await openAnnouncer();
      const stage = begin({ url: undefined as never, discovery });
      assert.deepEqual(await endOf(stage), { gone: ['there'], signs: wording('sign-port-alone') });
    });

    it('takes no silence for a sign where it was not found by its announcement', async () => {
      const { begin, discovery } = await startAnnounced();
      assert.deepEqual(await endOf(begin({ discovery })), { gone: [undefined], signs: wording('sign-port-closed') });
    });

    it('takes no silence for a sign where this machine has no network any more', async () => {
      const { begin, bench, discovery } = await startAnnounced();
      const hasAsked = () => bench.host.jobs.latest(ID)?.evidence.all.some(({ kind }) => kind === 'image-requested');
      const interfaces = () => (hasAsked() ? [] : [LOOPBACK]);
      const end = await endOf(begin({ url: undefined as never, discovery: { ...discovery, interfaces } }));
      assert.deepEqual(end, { gone: [undefined], signs: wording('sign-port-closed') });
    });

    it('takes no silence for a sign where another program has the port of mDNS for itself', async () => {
      const other = createSocket('udp4');
      other.bind(0);
      await once(other, 'listening');
      const discovery = { interfaces: () => [LOOPBACK], mdnsPort: other.address().port };
      const ask = () => askAnnounced(ID, discovery, new AbortController().signal);
      assert.equal(await ask(), undefined);
      other.close();
      await once(other, 'close');
      assert.equal(await ask(), 'gone');
    });

    it('takes it for gone after three looks in a row without an answer', async () => {
      const job = new Job('diy', ID);
      const port = await freePort();
      let answered = 0;
      const server = createServer((socket) => {
        answered++;
        socket.destroy();
      });
      timeStands(['setTimeout']);
      let isGone = false;
      const { signal } = new AbortController();
      const options = { lookMs: 1000, discovery: undefined, signal };
      const gone = untilGone(job, `127.0.0.1:${port}`, options).finally(() => (isGone = true));
      const looks = async (times: number): Promise<void> => {
        for (let look = 0; look < times; look++) {
          timePasses(1000);
          for (let turn = 0; turn < 50; turn++) await nextTurn();
        }
      };
      await looks(2);
      assert.equal(isGone, false);
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      const seen = once(server, 'connection');
      await looks(1);
      await seen;
      server.close();
      await once(server, 'close');
      await looks(2);
      assert.deepEqual([isGone, answered], [false, 1], 'it has answered in between');
      await looks(1);
      await gone;
      assert.deepEqual({ ...job.evidence.all[0], at: 0 }, { at: 0, kind: 'stock-gone' });
    });

    it('takes no announcement that is gone for an end while its server answers', async () => {
      const job = new Job('diy', ID);
      job.evidence.add({ kind: 'device-info', peer: '127.0.0.1', isAnnounced: true });
      const server = createServer((socket) => socket.destroy());
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const discovery = { interfaces: () => [LOOPBACK], mdnsPort: await freePort() };
      let isGone = false;
      const { signal } = new AbortController();
      const gone = untilGone(job, at, { lookMs: 5, discovery, signal }).finally(() => (isGone = true));
      // Twice as many looks as are enough without an answer.
      for (let looks = 0; looks < 6 && !isGone; looks++) await Promise.race([once(server, 'connection'), gone]);
      assert.ok(!isGone, 'its server answers');
      server.close();
      await gone;
      const seen = job.evidence.all.at(-1);
      assert.deepEqual({ ...seen, at: 0 }, { at: 0, kind: 'stock-gone', announcement: 'gone' });
    });
  });

  it('asks for no unlock where the device has kept it', async () => {
    const { begin, device } = await start({ otaUnlock: true, fault: 'unlock-500' });
    await begin().outcome;
    assert.equal((await device.ended).result, 'flashed');
  });

  it('has a device that rebooted in its download fetch the image again', async () => {
    const { begin, device } = await start({ fault: 'reboot-mid-way' }, STALLS);
    const stage = begin();
    const { found } = await stage.outcome;
    assert.equal((await device.ended).result, 'flashed');
    assert.equal(found['reboots'], 1);
    const again = stage.said.find(({ name }) => name === 'diy-again');
    assert.deepEqual(again?.values, { deviceid: ID, attempt: 2, attempts: 3 });
  });

  describe('by hand', () => {
    const servers: StrictDiyServer[] = [];
    afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

    /** A device that is not the virtual one, its flash, and the acts of its download. */
    async function byHand(
      bench: Bench,
      react: (command: string, fetch: (...pieces: number[]) => Promise<void>, report: () => Promise<void>) => Reaction,
    ) {
      const { http } = bench.host.ports;
      const server = new StrictDiyServer((command, { data }) => {
        const { downloadUrl } = data as { downloadUrl?: string };
        const target = downloadUrl === undefined ? '' : new URL(downloadUrl).pathname;
        const fetch = async (...pieces: number[]): Promise<void> => {
          for (const first of pieces) {
            const range = `Range: bytes=${first}-${first + 4095}`;
            await ask(http, `GET ${target} HTTP/1.1\r\n${range}\r\nConnection: close\r\n\r\n`);
          }
        };
        const post = 'POST /api/device/otaFlash HTTP/1.1\r\nContent-Length: 11\r\n\r\n{"error":0}';
        return react(command, fetch, async () => void (await ask(http, post)));
      });
      servers.push(server);
      const url = `http://127.0.0.1:${await server.listen()}`;
      return { server, stage: bench.begin('diy', { url, deviceid: ID }) };
    }

    const info = (otaUnlock = true) => ({ error: 0, data: { otaUnlock, fwVersion: '3.7.6', deviceid: ID } });

    /** What came of each command of this name, in order. */
    async function resultsOf(name: string, stage: Begun): Promise<string[]> {
      const { evidence } = await stage.job();
      return evidence.all.flatMap((seen) => (seen.kind === 'command' && seen.command === name ? [seen.result] : []));
    }

    it('gives up an answer that does not come from a device that broke off, and repeats the command', async () => {
      let orders = 0;
      const { stage } = await byHand(await openBench({}, STALLS), (command, fetch, report) => {
        if (command === 'info') return info();
        if (++orders === 1) {
          void fetch(0, 4096);
          return 'hang';
        }
        void fetch(0, 4096, 8192).then(report);
        return { error: 0 };
      });
      const { found } = await stage.outcome;
      assert.deepEqual([found['proof'], orders], ['reported', 2]);
      assert.equal((await resultsOf('ota_flash', stage))[0], 'lost');
    });

    describe('while another program has its only connection', () => {
      it('has it unlocked once that is over', async () => {
        let unlocks = 0;
        const { stage } = await byHand(await openBench({}, QUICK), (command, fetch, report) => {
          if (command === 'info') return info(unlocks === 3);
          if (command === 'ota_unlock') return ++unlocks < 3 ? 'reset' : { error: 0 };
          void fetch(0).then(report);
          return { error: 0 };
        });
        assert.equal((await stage.outcome).found['proof'], 'reported');
        assert.deepEqual(await resultsOf('ota_unlock', stage), ['done']);
      });

      it('sends the flash command once that is over', async () => {
        let orders = 0;
        const { server, stage } = await byHand(await openBench({}, STALLS), (command, fetch, report) => {
          if (command === 'info') {
            if (server.reset === 0) void holdConnection(server);
            return info();
          }
          orders++;
          void fetch(0).then(report);
          return { error: 0 };
        });
        assert.equal((await stage.outcome).found['proof'], 'reported');
        assert.deepEqual([orders, server.reset > 0], [1, true]);
      });

      it('repeats a flash command that may not have arrived, where nothing comes of it', async () => {
        let orders = 0;
        const { stage } = await byHand(await openBench({}, STALLS), (command, fetch, report) => {
          if (command === 'info') return info();
          if (++orders === 1) return 'reset';
          void fetch(0).then(report);
          return { error: 0 };
        });
        assert.equal((await stage.outcome).found['proof'], 'reported');
        assert.deepEqual(await resultsOf('ota_flash', stage), ['lost', 'done']);
      });
    });
  });

  it('says at its limit where a download broke off', async () => {
    const { begin } = await start({ fault: 'stall-mid-way' }, { lanLookMs: 20 });
    const stage = begin();
    await stage.recorder.reported(({ name }) => name === 'image-flows');
    const download = DiyDownload.from('127.0.0.1');
    await stage.overAs('diy-download-broken');
    const error = await assertCode(stage.outcome, 'diy-download-broken');
    assert.equal(error.values['size'], FIRMWARE.final.length);
    assert.equal(download?.listenerCount('changed'), 0, 'what still flows is reported no more');
  });

  it('says at its limit that the port of the images is closed to the device', async () => {
    const { begin } = await start({
      fault: 'download-blocked',
      behaviours: { flashReply: 'before-range', postsResult: false },
    });
    const stage = begin();
    await stage.overAs('download-blocked');
    await assertCode(stage.outcome, 'download-blocked');
  });

  it('says at its limit that a device has everything and stays as it was', async () => {
    const { begin } = await start({ behaviours: { resultCode: 500, postsResult: false } });
    const stage = begin();
    await stage.overAs('diy-verdict-missing');
    await assertCode(stage.outcome, 'diy-verdict-missing');
  });

  it('says at its limit that no device was found, and ends when it is cancelled', async () => {
    const bench = await openBench();
    const url = `http://127.0.0.1:${await freePort()}`;
    const stage = bench.begin('diy', { url, deviceid: ID });
    await stage.overAs('diy-not-found');
    await assertCode(stage.outcome, 'diy-not-found');
    const other = bench.begin('diy', { url, deviceid: ID });
    await other.recorder.reported(({ name }) => name === 'diy-look');
    bench.host.runs.cancel('diy');
    await assertCode(other.outcome, 'cancelled');
  });

  it('flashes no other device than the one that is meant', async () => {
    const { begin } = await start();
    await assertCode(begin({ deviceid: '1000ffffff' }).outcome, 'diy-other-device');
  });

  it('flashes none where several are in DIY mode and none is named, nor one in eWeLink mode', async () => {
    const mdnsPort = await freePort();
    const discovery = { interfaces: () => [LOOPBACK], mdnsPort };
    const { bench } = await start({ mdns: { port: mdnsPort } });
    for (const more of [{ deviceid: '10000a1b2d' }, { deviceid: '10000a1b2e', startsIn: 'ewelink' } as const]) {
      const options = { apAddress: '127.0.0.1', apPort: 0, lanPort: 0, speed: 100, startsIn: 'diy' as const };
      const other = new VirtualDiySonoff({ ...options, mdns: { port: mdnsPort }, ...more });
      devices.push(other);
      await other.start();
    }
    const error = await assertCode(bench.begin('diy', { discovery }).outcome, 'device-unknown');
    assert.deepEqual((error.values['known'] as string).split(', ').sort(), [ID, '10000a1b2d']);
    const encrypted = bench.begin('diy', { discovery, deviceid: '10000a1b2e' });
    assert.deepEqual((await assertCode(encrypted.outcome, 'diy-encrypted')).values, { deviceid: '10000a1b2e' });
  });

  it('leaves a device of another chip alone, unless a person wants it', async () => {
    const mdnsPort = await freePort();
    const discovery = { interfaces: () => [LOOPBACK], mdnsPort };
    const { bench, device } = await start({ mdns: { port: mdnsPort }, type: 'multifun_switch' });
    await assertCode(bench.begin('diy', { discovery }).outcome, 'device-not-supported');
    assert.equal(bench.host.jobs.latest(ID), undefined, 'it is no device of ours');
    assert.ok(!device.log.some((line) => line.includes('ota_')), device.log.join('\n'));
    await bench.begin('diy', { discovery, force: true }).outcome;
    assert.equal((await device.ended).result, 'flashed');
  });

  it('refuses an image that DIY mode cannot take, before the device gets a command', async () => {
    const { begin, device } = await start();
    const sources = { final: makeFinalImage({ size: 24_576, flashMode: 'DIO' }) };
    await assertCode(begin({ sources }).outcome, 'image-wrong-flash-mode');
    assert.ok(!device.log.some((line) => /ota_flash|info/.test(line)), device.log.join('\n'));
  });

  it('warns of a weak signal and of a version without reports, and continues', async () => {
    const { begin } = await start({ version: '3.8.1', fault: 'weak-signal' });
    const stage = begin();
    await stage.outcome;
    const names = stage.said.map(({ name }) => name);
    assert.ok(names.includes('diy-weak-signal') && names.includes('diy-version-unknown'), names.join());
    const proven = await start();
    const quiet = proven.begin();
    await quiet.outcome;
    assert.ok(!quiet.said.some(({ name }) => name === 'diy-version-unknown' || name === 'diy-weak-signal'));
  });

  describe('when this program ended in the middle', () => {
    const requested = (first: number): NewObservation => ({
      ...{ kind: 'image-requested', role: 'final', class: 'range', size: FIRMWARE.final.length },
      first,
    });

    /** A host in which the flash of this device continues, with what was seen of it before. */
    function resumed(bench: Bench, ...seen: NewObservation[]): void {
      const before = new Job('diy', ID);
      before.enter('diy');
      before.learn({ ip: '127.0.0.1', romVersion: '3.7.6' });
      const snapshot = { ...before.snapshot(), intermediate: 'diy' as const };
      const job = Job.restore({ id: before.id, lastStage: 'diy', snapshot });
      job.evidence.restore(seen.map((one) => ({ at: Date.now(), ...one })));
      bench.host.jobs.restore(job);
    }

    for (const [what, seen, proof] of [
      ['had reported its success', [requested(0), { kind: 'result-reported', error: 0 }], 'reported'],
      ['had asked for the last piece', [requested(0), requested(20_480)], 'gone'],
    ] as const) {
      it(`takes a device for flashed that ${what} and is not there any more`, async () => {
        const bench = await openBench({}, QUICK);
        resumed(bench, ...seen);
        const url = `http://127.0.0.1:${await freePort()}`;
        const stage = bench.begin('diy', { url, deviceid: ID });
        const { found, job } = await stage.outcome;
        const size = FIRMWARE.final.length;
        const known = { intermediate: 'diy', address: '127.0.0.1', version: '3.7.6' };
        assert.deepEqual(found, { ...known, image: 'final', size, proof });
        assert.equal(job.percent, 60);
        assert.deepEqual(stage.said.at(-1), { name: 'diy-written', values: { deviceid: ID }, fraction: 1 });
      });
    }

    it('looks for its stock firmware where it was, where no address is given', async () => {
      const bench = await openBench({}, QUICK);
      resumed(bench, requested(20_480));
      // Nothing listens there.
      bench.host.jobs.latest(ID)!.learn({ ip: '127.0.0.98' });
      const discovery = { interfaces: () => [LOOPBACK], mdnsPort: await freePort() };
      const { found } = await bench.begin('diy', { deviceid: ID, discovery }).outcome;
      assert.deepEqual([found['proof'], found['address']], ['gone', '127.0.0.98']);
    });

    it('looks for it at the address that is given, and not where it was', async () => {
      const bench = await openBench({}, QUICK);
      resumed(bench, requested(20_480));
      // Nothing listens there.
      bench.host.jobs.latest(ID)!.learn({ ip: '127.0.0.98' });
      const there = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
      await once(there, 'listening');
      const url = `http://127.0.0.1:${(there.address() as AddressInfo).port}`;
      const stage = bench.begin('diy', { deviceid: ID, url });
      // One is the question for its identity, the others are looks: more than are enough without an answer.
      for (let looks = 0; looks < 6; looks++) await Promise.race([once(there, 'connection'), stage.outcome]);
      assert.equal(stage.recorder.outcomes.size, 0);
      bench.host.runs.cancel('diy');
      await assertCode(stage.outcome, 'cancelled');
      there.close();
      await once(there, 'close');
    });

    it('tells of a device only what is known of it', async () => {
      const bench = await openBench({}, QUICK);
      const before = new Job('diy', ID);
      before.enter('diy');
      const job = Job.restore({ id: before.id, lastStage: 'diy', snapshot: before.snapshot() });
      job.evidence.restore([{ at: Date.now(), kind: 'result-reported', error: 0 }]);
      bench.host.jobs.restore(job);
      const { found } = await bench.begin('diy', { deviceid: ID }).outcome;
      const size = FIRMWARE.final.length;
      const nothing = { address: null, version: null };
      assert.deepEqual(found, { intermediate: 'diy', ...nothing, image: 'final', size, proof: 'reported' });
    });

    it('continues with the image that the device has a part of, and with no other', async () => {
      const { bench, begin } = await start();
      resumed(bench, requested(0));
      const other = makeFinalImage({ size: 8192 });
      const job = bench.host.jobs.latest(ID)!;
      job.firmware = await loadImages(DIY, { final: other }, { signal: new AbortController().signal });
      assert.equal((await begin().outcome).found['size'], other.length);
    });

    for (const [what, seen, before] of [
      ['nothing was seen', [], 'nothing'],
      ['it reported its success', [{ kind: 'result-reported', error: 0 }], 'reported'],
      ['it reported that it failed', [{ kind: 'result-reported', error: 404 }], 'nothing'],
      ['it asked for the last piece', [requested(FIRMWARE.final.length - 4096)], 'fetched'],
      ['it asked for all but the last byte', [requested(FIRMWARE.final.length - 4097)], 'nothing'],
      ['it asked for another image', [{ ...requested(20_480), role: 'user1' }], 'nothing'],
    ] as [string, NewObservation[], string][]) {
      it(`holds that it has ${before === 'nothing' ? 'done nothing' : before} where ${what}`, () => {
        const job = new Job('diy', ID);
        for (const one of seen) job.evidence.add(one);
        assert.equal(doneBefore(job), before);
      });
    }

    it('does not take it for flashed where the last piece was not asked for', async () => {
      const bench = await openBench({}, QUICK);
      resumed(bench, requested(0), requested(8192));
      const stage = bench.begin('diy', { url: `http://127.0.0.1:${await freePort()}`, deviceid: ID });
      await stage.recorder.reported(({ name }) => name === 'diy-look');
      await stage.over();
      await assertCode(stage.outcome, 'diy-not-found');
    });

    it('flashes it again where it is still in its stock firmware', async () => {
      const { bench, begin, device } = await start();
      resumed(bench, requested(0), requested(20_480));
      assert.equal((await begin().outcome).found['proof'], 'reported');
      assert.equal((await device.ended).result, 'flashed');
    });
  });

  it('serves the image to that device alone, and takes no result of another', async () => {
    const { begin, bench, device } = await start({ behaviours: { flashReply: 'before-range', holdsAtByte: 8192 } }, {});
    const stage = begin();
    await stage.recorder.reported(({ name }) => name === 'image-flows');
    const name = `d${(await stage.job()).id.slice(0, 8)}.bin`;
    const { http } = bench.host.ports;
    const get = (path: string, from: string) => ask(http, `GET ${path} HTTP/1.1\r\nRange: bytes=0-99\r\n\r\n`, from);
    assert.match(await get(`/${name}`, '127.0.0.1'), /^HTTP\/1.1 206 /);
    assert.match(await get(`/${name}`, '127.0.0.2'), /^HTTP\/1.1 403 /);
    assert.match(await get('/d00000000.bin', '127.0.0.1'), /^HTTP\/1.1 404 /);
    const post = 'POST /api/device/otaFlash HTTP/1.1\r\nContent-Length: 11\r\n\r\n{"error":0}';
    assert.match(await ask(http, post, '127.0.0.2'), /^HTTP\/1.1 405 /);
    bench.host.runs.cancel('diy');
    await assertCode(stage.outcome, 'cancelled');
    assert.match(await get(`/${name}`, '127.0.0.1'), /^HTTP\/1.1 404 /);
    assert.match(await ask(http, post, '127.0.0.1'), /^HTTP\/1.1 405 /);
    await device.stop();
  });
});

/** Takes the only connection of a device as soon as it is free, until another one was turned away. */
async function holdConnection(server: StrictDiyServer): Promise<void> {
  while (server.connections > 0) await nextTurn();
  const rival = connect(server.port, '127.0.0.1');
  rival.on('error', () => undefined);
  while (server.reset === 0) await nextTurn();
  rival.destroy();
}
