import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import WebSocket from 'ws';
import type { ErrorCode } from '../../../lib/errors';
import type { Job } from '../../../lib/flash/job/job';
import type { Report } from '../../../lib/flash/run/report';
import type { UpgradeDownload } from '../../../lib/flash/job/upgrade-download';
import { PATIENCE, type Patience } from '../../../lib/flash/verdict/patience';
import type { OwnAddress } from '../../../lib/flash/observation';
import { isFailure, type Verdict } from '../../../lib/flash/verdict/verdict';
import { digestOf, makeFinalImage, makeUserImage } from '../../../lib/image';
import type { VirtualSonoff, VirtualSonoffOptions } from '../../../lib/virtual/virtual-sonoff';
import { freePort, occupy } from '../../shared/ports';
import { closeBenches, FIRMWARE, HOME, openBench, type Bench, type Begun } from '../bench';
import { assertCode } from '../refusals';
import type { Wording } from '../../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';

const DEVICE = '1000a1b2c3';

/** All reports and verdicts of a job from its first stage on. */
class Sayings {
  readonly codes = new Set<Verdict['code']>();

  constructor(private readonly bench: Bench) {}

  /** Listens to the job of a stage that has started. */
  async follow({ recorder }: Begun): Promise<Job> {
    await recorder.reported(() => true);
    const job = this.bench.host.jobs.all().at(-1);
    assert.ok(job);
    const note = (): void => void this.codes.add(job.evidence.verdict().code);
    job.evidence.on('changed', note);
    note();
    return job;
  }

  /** The trouble that was named, by verdicts and by warnings. */
  trouble(): Set<string> {
    const said = [...this.bench.recorders.values()].flatMap(({ reports }) =>
      reports.flatMap(({ report, job }) => [report.warning, job.verdict?.code]),
    );
    const all = [...this.codes, ...said].filter((code) => code !== undefined);
    return new Set(all.filter((code) => !['on-course', 'plain-firmware', 'finalstage-again'].includes(code)));
  }
}

/** Expects that a stage that has started gets this one code and no other, then or later. */
async function endsWith(
  bench: Bench,
  code: ErrorCode,
  begun: Begun,
  act: () => Promise<unknown> | void = () => undefined,
): Promise<Job> {
  const sayings = new Sayings(bench);
  const job = await sayings.follow(begun);
  await act();
  const error = await assertCode(begun.outcome, code);
  assert.deepEqual([...sayings.trouble()], [code]);
  const verdict = job.evidence.verdict();
  assert.equal(verdict.code, code);
  assert.ok(isFailure(verdict) && verdict.text === error.message, `${verdict.text}\n${error.message}`);
  assert.ok(verdict.evidence.length > 0);
  assert.equal(job.snapshot().verdict?.code, code);
  return job;
}

/** The same for a stage that does not end on its own: a limit in seconds would race with the device. */
function timesOutWith(
  bench: Bench,
  code: ErrorCode,
  begun: Begun,
  act: () => Promise<unknown> | void = () => undefined,
): Promise<Job> {
  return endsWith(bench, code, begun, async () => {
    await act();
    await begun.overAs(code);
  });
}

/** Resolves when a time limit that is over has asked whether the device is still at it. */
async function lookedAt(download: UpgradeDownload): Promise<void> {
  const isFlowing = download.isFlowing.bind(download);
  await new Promise<void>((resolve) => {
    download.isFlowing = (withinMs) => {
      resolve();
      return isFlowing(withinMs);
    };
  });
}

function impatient(bench: Bench, patience: Partial<Patience>): void {
  bench.around.patience = { ...PATIENCE, ...patience };
}

describe('flash/verdict over real sockets', () => {
  const servers: Server[] = [];

  afterEach(async () => {
    timeGoesOn();
    await closeBenches();
    for (const server of servers.splice(0)) server.close();
  });

  /** A server in place of the device, which does as scripted. */
  async function listen(onSocket: (socket: Socket) => void): Promise<string> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      onSocket(socket);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  describe('at the access point', () => {
    const provision = (bench: Bench, url: string): Begun => bench.begin('provision', { ...HOME, url });

    it('ap-unreachable: its button was not held', async () => {
      const bench = await openBench();
      const url = `http://127.0.0.1:${await freePort()}`;
      await timesOutWith(bench, 'ap-unreachable', provision(bench, url));
    });

    it('ap-silent: this machine is in its network, and another route swallows what is sent', async () => {
      const bench = await openBench();
      bench.around.ownAddresses = () => [{ name: 'wlan0', address: '10.10.7.2' }];
      impatient(bench, { apSilentMs: 100 });
      const url = await listen((socket) => void socket.destroy());
      await timesOutWith(bench, 'ap-silent', provision(bench, url));
    });

    it('network-overlap: two interfaces are in its network', async () => {
      const bench = await openBench();
      bench.around.ownAddresses = () => [
        { name: 'eth0', address: '10.10.7.40' },
        { name: 'wlan0', address: '10.10.7.2' },
      ];
      const url = await listen((socket) => void socket.destroy());
      const job = await timesOutWith(bench, 'network-overlap', provision(bench, url));
      assert.match(job.evidence.verdict().text, /10\.10\.7\.0\/24 .*eth0, wlan0/);
    });

    it('ap-stranger: a login page answers instead', async () => {
      const bench = await openBench();
      const page = 'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<html></html';
      const url = await listen((socket) => socket.once('data', () => socket.end(page)));
      await timesOutWith(bench, 'ap-stranger', provision(bench, url));
    });
  });

  describe('at the cloud', () => {
    const cloud = (bench: Bench): Begun => bench.begin('cloud', { deviceid: DEVICE });

    it('nothing-arrived: a wrong Wi-Fi password', async () => {
      const bench = await openBench();
      const device = await bench.factoryDevice({ fault: 'wrong-wifi-password' });
      const { apPort } = await device.start();
      await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` }).outcome;
      await timesOutWith(bench, 'nothing-arrived', cloud(bench));
    });

    it('nothing-arrived: what is doubtful in the Wi-Fi settings is said when they are sent, and again first of all', async () => {
      const bench = await openBench();
      const device = await bench.factoryDevice({ fault: 'wrong-wifi-password' });
      const { apPort } = await device.start();
      const url = `http://127.0.0.1:${apPort}`;
      const sent = bench.begin('provision', { ssid: 'Zoë’s Wi-Fi', password: '1234567', url });
      await sent.outcome;
      const { text: doubts } = sent.said.at(-1)?.values['doubts'] as Wording;
      assert.match(doubts, /shorter than the 8 characters.*The Wi-Fi name has a character/);
      const { evidence } = await timesOutWith(bench, 'nothing-arrived', cloud(bench));
      assert.ok(evidence.verdict().text.includes(`s. ${doubts} Check the Wi-Fi password`), evidence.verdict().text);
    });

    it('nothing-arrived says nothing of doubts where there are none', async () => {
      const bench = await openBench();
      const device = await bench.factoryDevice({ fault: 'wrong-wifi-password' });
      const { apPort } = await device.start();
      const sent = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` });
      await sent.outcome;
      assert.equal(sent.said.at(-1)?.name, 'wifi-sent');
      const { evidence } = await timesOutWith(bench, 'nothing-arrived', cloud(bench));
      assert.match(evidence.verdict().text, /s\. Check the Wi-Fi password/);
    });

    it('nothing-arrived is said long before the limit', async () => {
      const bench = await openBench();
      impatient(bench, { nothingArrivedMs: 200 });
      const stage = cloud(bench);
      const warned = await stage.recorder.reported(({ warning }) => warning !== undefined);
      assert.equal(warned.warning, 'nothing-arrived');
      assert.match(
        (await stage.job()).evidence.verdict().text,
        /within 1 s\./,
        'the time that has passed, not the limit',
      );
      await (await bench.device()).start();
      assert.equal((await stage.outcome).job.verdict?.code, 'on-course');
    });

    it('certificate-rejected: the firmware checks whose certificate it gets', async () => {
      const bench = await openBench();
      const device = await bench.factoryDevice({ transport: 'verifying' });
      const { apPort } = await device.start();
      await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` }).outcome;
      const job = await endsWith(bench, 'certificate-rejected', cloud(bench));
      assert.equal(job.evidence.verdict().confidence, 'certain');
    });

    it('certificate-rejected, but only likely: a neighbour has been refusing since before the wait', async () => {
      const bench = await openBench();
      const neighbour = await bench.device({ deviceid: '1000000001', transport: 'verifying' });
      const refused = once(bench.host.devices, 'trouble');
      await neighbour.start();
      await refused;
      const job = await timesOutWith(bench, 'certificate-rejected', cloud(bench), () =>
        once(bench.host.devices, 'trouble'),
      );
      assert.equal(job.evidence.verdict().confidence, 'likely');
      assert.equal(job.evidence.verdict().isFinal, false);
    });

    it('tls-refused: the device offers nothing that our TLS library takes', async () => {
      const bench = await openBench();
      await timesOutWith(bench, 'tls-refused', cloud(bench), async () => {
        const { https: port } = bench.host.ports;
        const ciphers = 'ECDHE-ECDSA-AES128-SHA';
        const socket = connectTls({
          host: '127.0.0.1',
          port,
          ciphers,
          maxVersion: 'TLSv1.2',
          rejectUnauthorized: false,
        });
        await once(socket, 'error');
      });
    });

    it('connection-empty: something connects and says nothing', async () => {
      const bench = await openBench();
      await timesOutWith(bench, 'connection-empty', cloud(bench), async () => {
        for (let times = 0; times < 2; times++) {
          const socket = connect(bench.host.ports.https, '127.0.0.1');
          await once(socket, 'connect');
          socket.end();
          await once(socket, 'close');
        }
      });
    });

    it('session-unregistered: it opens its session six times and never says who it is', async () => {
      const bench = await openBench();
      const begun = cloud(bench);
      const job = await timesOutWith(bench, 'session-unregistered', begun, async () => {
        const { evidence } = await begun.job();
        for (let times = 0; times < 6; times++) {
          const socket = new WebSocket(`ws://127.0.0.1:${bench.host.ports.legacy}/api/ws`);
          await once(socket, 'open');
          socket.terminate();
        }
        const left = (): number => evidence.all.filter(({ kind }) => kind === 'left-unregistered').length;
        while (left() < 6) await once(evidence, 'changed');
      });
      assert.match(job.evidence.verdict().text, /opened its session 6 times/);
    });

    it('message-malformed: garbage instead of a dispatch', async () => {
      const bench = await openBench();
      const device = await bench.device({ fault: 'garbage-dispatch' });
      await timesOutWith(bench, 'message-malformed', cloud(bench), () => void device.start());
    });

    it('device-timeout: only another device came', async () => {
      const bench = await openBench();
      const other = await bench.device({ deviceid: '1000000001' });
      await timesOutWith(bench, 'device-timeout', cloud(bench), () => void other.start());
    });

    it('plain-firmware: a note, no trouble', async () => {
      const bench = await openBench();
      const sayings = new Sayings(bench);
      const stage = cloud(bench);
      await sayings.follow(stage);
      await (await bench.device({ transport: 'plain', romVersion: '2.0.1', model: 'PSA-BHA-GL' })).start();
      const { job } = await stage.outcome;
      assert.equal(job.verdict?.code, 'plain-firmware');
      assert.deepEqual([...sayings.trouble()], []);
    });

    it('nothing: a device that is flashed well', async () => {
      const bench = await openBench();
      const sayings = new Sayings(bench);
      const stage = cloud(bench);
      await sayings.follow(stage);
      const device = await bench.device({ slot: 2 });
      await device.start();
      await stage.outcome;
      await bench.begin('upgrade', { deviceid: DEVICE }).outcome;
      const { job } = await bench.begin('finalstage', { deviceid: DEVICE, url: device.finalStageUrl }).outcome;
      assert.deepEqual([...sayings.trouble()], []);
      assert.equal(job.verdict?.code, 'on-course');
      assert.ok(sayings.codes.has('finalstage-again'), 'the second time is explained');
    });
  });

  describe('at the upgrade', () => {
    const LARGE = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 40_960 }) };

    async function ready(options: Partial<VirtualSonoffOptions>): Promise<{ bench: Bench; device: VirtualSonoff }> {
      const bench = await openBench();
      const device = await bench.device(options);
      await device.start();
      await bench.begin('cloud', { deviceid: DEVICE }).outcome;
      return { bench, device };
    }
    const upgrade = (bench: Bench, more: { sources?: object } = {}): Begun =>
      bench.begin('upgrade', { deviceid: DEVICE, ...more });

    const refusals: [number, ErrorCode][] = [
      [400, 'upgrade-malformed'],
      [405, 'upgrade-malformed'],
      [404, 'download-failed'],
      [406, 'model-refused'],
      [411, 'model-refused'],
      [409, 'digest-refused'],
      [410, 'version-refused'],
      [499, 'unexplained'],
    ];
    for (const [number, code] of refusals) {
      it(`${code}: it answers ${number}`, async () => {
        const { bench } = await ready({ fault: `refuse-${number}`, behaviours: { refusesWith: number } });
        await endsWith(bench, code, upgrade(bench));
      });
    }

    it('download-failed: its connection is lost in spite of the proven pace', async () => {
      const { bench } = await ready({ transport: 'no-range', behaviours: { losesConnectionAtByte: 4096 } });
      await endsWith(bench, 'download-failed', upgrade(bench));
    });

    it('download-blocked: it cannot reach the port of the images', async () => {
      const { bench } = await ready({ fault: 'download-blocked', timings: { connect: 400 } });
      for (const job of bench.host.jobs.all()) job.evidence.patience = { ...PATIENCE, failedConnectionMs: 300 };
      await endsWith(bench, 'download-blocked', upgrade(bench));
    });

    it('download-restarts: it starts over after every lost connection', async () => {
      const { bench } = await ready({ fault: 'download-restarts' });
      await endsWith(bench, 'download-restarts', upgrade(bench, { sources: LARGE }));
    });

    it('device-rebooted: once, and then it takes the upgrade', async () => {
      const { bench } = await ready({ fault: 'crash-during-upgrade', timings: { joinHome: 400 } });
      const sayings = new Sayings(bench);
      const stage = upgrade(bench, { sources: LARGE });
      await sayings.follow(stage);
      assert.equal((await stage.outcome).found['sessions'], 2);
      assert.deepEqual([...sayings.trouble()], ['device-rebooted']);
    });

    it('device-rebooted: again and again, which its random numbers prove', async () => {
      const { bench, device } = await ready({ behaviours: { holdsAtByte: 8192 } });
      const job = await endsWith(bench, 'device-rebooted', upgrade(bench, { sources: LARGE }), () => {
        device.on('log', (line: string) => {
          if (line === 'held at byte 8192') device.powerCycle();
        });
      });
      assert.equal(job.evidence.verdict().confidence, 'certain');
      assert.equal(job.evidence.verdict().values['times'], 3);
    });

    it('one-hop-unconfirmed: silent with the whole image, but not before it can be through with that', async () => {
      const bench = await openBench({}, { upgradeFlowsMs: 1 });
      const device = await bench.device({ fault: 'silent-after-upgrade' });
      await device.start();
      const { deviceid } = device;
      await bench.begin('cloud', { deviceid }).outcome;
      const sources = { final: FIRMWARE.final, intermediate: 'one-hop' } as const;
      timeStands(['Date'], Date.now());
      const stage = bench.begin('upgrade', { deviceid, sources, timeoutSeconds: 0.2 });
      const job = await new Sayings(bench).follow(stage);
      while (!job.download?.isComplete) await once(bench.host.jobs, 'changed');
      timePasses(PATIENCE.oneHopWritesMs - 1000);
      await lookedAt(job.download);
      await lookedAt(job.download);
      assert.ok(job.running, 'it may write');
      timePasses(2000);
      const { job: after } = await stage.outcome;
      assert.deepEqual([after.stage, after.percent, after.verdict?.code], ['upgrade', 60, 'one-hop-unconfirmed']);
      assert.deepEqual(stage.said.at(-1)?.name, 'one-hop-unconfirmed');
    });

    it('one-hop-unconfirmed: no text asks for a power cycle where its session is lost', async () => {
      const { bench, device } = await ready({ fault: 'silent-after-upgrade' });
      const stage = upgrade(bench, { sources: { final: FIRMWARE.final, intermediate: 'one-hop' } });
      const job = await new Sayings(bench).follow(stage);
      while (!job.download?.isComplete) await once(bench.host.jobs, 'changed');
      await device.stop();
      while (!job.evidence.all.some(({ kind }) => kind === 'session-lost')) await once(job.evidence, 'changed');
      assert.equal(job.evidence.verdict().code, 'on-course');
      // As if the slowest flash were written.
      job.evidence.patience = { ...PATIENCE, oneHopWritesMs: 0 };
      assert.equal((await stage.outcome).job.verdict?.code, 'one-hop-unconfirmed');
      assert.ok(!stage.said.some(({ name }) => name === 'upgrade-trouble'));
    });

    it('device-silent: it has everything and says nothing more', async () => {
      const { bench } = await ready({ fault: 'silent-after-upgrade' });
      const stage = upgrade(bench);
      await timesOutWith(bench, 'device-silent', stage, async () => {
        const job = await stage.job();
        while (!job.download?.isComplete) await once(bench.host.jobs, 'changed');
      });
    });

    it('device-timeout: it is not there', async () => {
      const bench = await openBench();
      const stage = upgrade(bench);
      // Before that, its images are examined, which has no time limit.
      const isWaiting = ({ name }: Report): boolean => name === 'wait-for-session';
      await timesOutWith(bench, 'device-timeout', stage, () => stage.recorder.reported(isWaiting));
    });

    it('port-in-use: another program has the port of FinalStage', async () => {
      const finalStagePort = await freePort();
      const holder = await occupy(finalStagePort);
      try {
        const bench = await openBench({ finalStagePort });
        await (await bench.device()).start();
        await bench.begin('cloud', { deviceid: DEVICE }).outcome;
        await endsWith(bench, 'port-in-use', upgrade(bench));
      } finally {
        await holder.release();
      }
    });
  });

  describe('in FinalStage', () => {
    const SOURCES = {
      ...FIRMWARE,
      user2: makeUserImage({ slot: 2, size: 400_000 }),
      final: makeFinalImage({ size: 400_000 }),
    };
    const watch = (bench: Bench, url: string): Begun => bench.begin('finalstage', { url, sources: SOURCES });

    /** A device in FinalStage; this machine gets `addresses` in its network while it is there. */
    async function inFinalStage(
      options: Partial<VirtualSonoffOptions>,
      addresses: OwnAddress[] = [],
    ): Promise<{ bench: Bench; device: VirtualSonoff & { finalStageUrl: string } }> {
      const bench = await openBench();
      let own: OwnAddress[] = [{ name: 'lo', address: '127.0.0.1' }];
      bench.around.ownAddresses = () => own;
      const radio = {
        openAccessPoint: () => void (own = [...own, ...addresses]),
        closeAccessPoint: () => void (own = own.slice(0, 1)),
      };
      const device = await bench.factoryDevice({ startAt: 'finalstage', radio, ...options });
      return { bench, device };
    }
    const wlan = (address: string): OwnAddress => ({ name: 'wlan0', address });

    it('finalstage-timeout: it never appears', async () => {
      const { bench, device } = await inFinalStage({});
      await timesOutWith(bench, 'finalstage-timeout', watch(bench, device.finalStageUrl));
    });

    it('finalstage-blocked: it is joined, but a firewall keeps it away', async () => {
      const { bench, device } = await inFinalStage({ fault: 'finalstage-blocked' }, [wlan('192.168.4.2')]);
      impatient(bench, { finalStageDialsMs: 300 });
      await timesOutWith(bench, 'finalstage-blocked', watch(bench, device.finalStageUrl), () => void device.start());
    });

    it('finalstage-stolen: another client was first', async () => {
      const { bench, device } = await inFinalStage({ fault: 'finalstage-stolen' }, [wlan('192.168.4.3')]);
      await timesOutWith(bench, 'finalstage-stolen', watch(bench, device.finalStageUrl), () => void device.start());
    });

    it('finalstage-wrong-address: a static one', async () => {
      const { bench, device } = await inFinalStage({ fault: 'finalstage-blocked' }, [wlan('192.168.4.77')]);
      const stage = watch(bench, device.finalStageUrl);
      await timesOutWith(bench, 'finalstage-wrong-address', stage, () => void device.start());
    });

    it('network-overlap: the home network has the same numbers', async () => {
      const home = { name: 'eth0', address: '192.168.4.30' };
      const { bench, device } = await inFinalStage({ fault: 'finalstage-blocked' }, [home, wlan('192.168.4.2')]);
      await timesOutWith(bench, 'network-overlap', watch(bench, device.finalStageUrl), () => void device.start());
    });

    it('finalstage-half-erased: it connects and never asks', async () => {
      const { bench, device } = await inFinalStage({ slot: 1 });
      device.flash.fill(0xff, 0x1000, 0x80000);
      impatient(bench, { halfErasedMs: 700 });
      await timesOutWith(
        bench,
        'finalstage-half-erased',
        watch(bench, device.finalStageUrl),
        () => void device.start(),
      );
    });

    it('finalstage-stalled: it loses its power behind the erase', async () => {
      const { bench, device } = await inFinalStage({ slot: 1, fault: 'stream-cut' });
      await timesOutWith(bench, 'finalstage-stalled', watch(bench, device.finalStageUrl), () => void device.start());
    });

    it('user2-stalled: it loses its power while it takes user2, and starts again', async () => {
      const { bench, device } = await inFinalStage({ slot: 2, behaviours: { losesPowerAtByte: 8192 } });
      const sayings = new Sayings(bench);
      const stage = watch(bench, device.finalStageUrl);
      await sayings.follow(stage);
      await device.start();
      await stage.outcome;
      assert.deepEqual([...sayings.trouble()], ['user2-stalled']);
    });

    it('finalstage-left-early: it is gone before it asked for anything', async () => {
      const { bench, device } = await inFinalStage({ fault: 'finalstage-blocked' });
      impatient(bench, { leftEarlyMs: 300 });
      const stage = watch(bench, device.finalStageUrl);
      await timesOutWith(bench, 'finalstage-left-early', stage, async () => {
        const job = bench.host.jobs.all().at(-1);
        const isThere = (): boolean =>
          job?.evidence.all.some((seen) => seen.kind === 'finalstage-looked' && seen.answered) ?? false;
        await device.start();
        while (job && !isThere()) await once(job.evidence, 'changed');
        await device.stop();
      });
    });
  });

  describe('at the new firmware', () => {
    it('new-firmware-silent: it is flashed, and shows itself nowhere', async () => {
      const bench = await openBench();
      const apPort = await freePort();
      const newFirmware = { apAddress: '127.0.0.1', apPort, homePort: 0 };
      const device = await bench.factoryDevice({
        startAt: 'finalstage',
        slot: 1,
        fault: 'new-firmware-silent',
        newFirmware,
      });
      await device.start();
      const { deviceid, finalStageUrl } = device;
      await bench.begin('finalstage', { deviceid, url: finalStageUrl, sources: FIRMWARE }).outcome;
      const url = `http://127.0.0.1:${apPort}`;
      const stage = bench.begin('newfirmware', { deviceid, url });
      const job = await timesOutWith(bench, 'new-firmware-silent', stage);
      assert.equal(job.stage, 'done');
      assert.equal(device.state, 'new-silent');
    });

    for (const [fault, what] of [
      ['image-rots', 'the image was damaged before its first start'],
      ['flash-half-protected', 'the lower half of the flash takes no write'],
    ] as const) {
      it(`back-to-stock: ${what}, so the relocator handed back`, async () => {
        const bench = await openBench();
        const device = await bench.device({ fault });
        const stock = digestOf(device.flash.subarray(0x1000, 0x74000));
        const sources = { final: FIRMWARE.final, intermediate: 'one-hop' } as const;
        await bench.upgraded(device, { sources });
        const url = `http://127.0.0.1:${await freePort()}`;
        const stage = bench.begin('newfirmware', { deviceid: device.deviceid, url });
        await endsWith(bench, 'back-to-stock', stage);
        assert.equal(digestOf(device.flash.subarray(0x1000, 0x74000)), stock);
      });
    }

    for (const [fault, slot] of [
      ['flash-sector-bad', 1],
      ['flash-sector-0-bad', 1],
      ['flash-sector-0-bad', 2],
    ] as const) {
      it(`one-hop-silent: ${fault}, stock in user${slot}, so the relocator waits, also after a power cycle`, async () => {
        const bench = await openBench({}, { darkMs: 0, darkAtMostMs: 0 });
        const device = await bench.device({ fault, slot });
        await bench.upgraded(device, { sources: { final: FIRMWARE.final, intermediate: 'one-hop' } });
        const { deviceid } = device;
        const waits = (): boolean => device.log.at(-1)?.endsWith(': stopped') ?? false;
        while (!waits()) await once(device, 'log');
        // A dark device refuses nothing either.
        const url = await listen(() => undefined);
        await timesOutWith(bench, 'one-hop-silent', bench.begin('newfirmware', { deviceid, url }));
        device.powerCycle();
        do await once(device, 'log');
        while (!waits());
      });
    }
  });
});
