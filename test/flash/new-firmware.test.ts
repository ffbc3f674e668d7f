import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { RequestListener } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Job } from '../../lib/flash/job/job';
import { DIY, ONE_HOP } from '../../lib/flash/routes';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import type { TermCode } from '../../lib/wordings/term';
import { wording } from '../../lib/wordings/wording';
import { closeBenches, FIRMWARE, openBench, type Bench } from './bench';
import { assertCode } from './refusals';

const DEVICE = '1000a1b2c3';
const MAC = '5C:CF:7F:12:34:56';

/** A Tasmota that states its MAC to clients that send its own page as the Referer. */
function tasmota(mac = MAC): RequestListener {
  return ({ url, headers }, response) => {
    response.setHeader('Server', 'Tasmota/14.1.0 (ESP8266EX)');
    if (url === '/') return response.end('<title>Tasmota - Main Menu</title>');
    if (headers.referer === undefined) return response.writeHead(500).end();
    response.end(JSON.stringify({ StatusNET: { Mac: mac } }));
  };
}

/** A job whose device has taken an image that goes in one hop, so long ago. */
function upgraded(bench: Bench, agoMs: number): Job {
  const job = bench.host.jobs.jobFor('upgrade', DEVICE);
  job.route = ONE_HOP;
  job.enter('upgrade');
  job.learn({ mac: MAC, ip: '127.0.0.1' });
  job.leave('upgrade', new Date(Date.now() - agoMs));
  return job;
}

describe('flash/stage/new-firmware', () => {
  const servers = useHttpServers();
  afterEach(timeGoesOn);
  afterEach(closeBenches);

  it('counts the darkness of one hop down, and ends the job when the new firmware answers', async () => {
    const bench = await openBench();
    upgraded(bench, 10_000);
    const port = await freePort();
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url: `http://127.0.0.1:${port}` });
    const dark = await stage.recorder.reported(
      ({ name, values }) => name === 'one-hop-dark' && values['seconds'] === 14,
    );
    assert.equal(dark.text, 'Leave the device powered: it is dark for usually 14 s more.');
    assert.match(dark.details ?? '', /at most 100 s in all\.$/);
    assert.equal(dark.label, 'dark, 14 s');
    assert.ok(dark.percent > 60 && dark.percent < 100);
    const { fraction = 0 } =
      stage.said.find(({ name, values }) => name === 'one-hop-dark' && values['seconds'] === 14) ?? {};
    // Three fifths of the stage, of which 13 to 14 of 25 s are left; to the millisecond, which a fraction is not.
    const leftMs = Math.round(25_000 * (1 - fraction / 0.6));
    assert.ok(leftMs >= 13_000 && leftMs <= 14_000, `${fraction}`);
    await servers.serveAt(port, tasmota());
    const { found, job } = await stage.outcome;
    assert.deepEqual(found, {
      kind: 'tasmota',
      version: '14.1.0',
      title: 'Tasmota - Main Menu',
      url: `http://127.0.0.1:${port}`,
      mac: MAC,
      address: '127.0.0.1',
    });
    assert.deepEqual([job.stage, job.percent, job.verdict?.code], ['done', 100, 'firmware-same-mac']);
    const [began] = (await stage.job()).evidence.all.filter(({ kind }) => kind === 'stage');
    assert.ok(began?.kind === 'stage' && began.event === 'began' && began.deviceid === DEVICE);
    const percents = stage.recorder.reports.map(({ report }) => report.percent);
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    assert.match(stage.recorder.reports.at(-1)?.report.text ?? '', /^Tasmota 14\.1\.0 answers at http/);
  });

  it('is through the darkness of one hop where it did not acknowledge: what answers first is its own', async () => {
    const bench = await openBench();
    const { evidence } = upgraded(bench, 0);
    evidence.add({ kind: 'upgrade-sent', version: '23.42.5', session: 1, isOneHop: true });
    const url = await servers.serve((_, response) => response.end('<title>My own</title>'));
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
    assert.equal((await stage.outcome).job.verdict?.code, 'firmware-page');
    assert.ok(!stage.said.some(({ name }) => name === 'one-hop-dark'));
  });

  const pages: [string, RequestListener, Record<string, unknown>, TermCode][] = [
    [
      'ESPHome, whose page is packed',
      (_, response) =>
        response.setHeader('Content-Encoding', 'gzip').end(gzipSync('<html><esp-app></esp-app>'.padEnd(200_000))),
      { kind: 'esphome' },
      'firmware-esphome',
    ],
    [
      'ESPurna, which asks for a password first',
      (_, response) => response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="ESPURNA-AB12CD"' }).end(),
      { kind: 'espurna' },
      'firmware-espurna',
    ],
    [
      'a page that nothing is known of, without an end',
      (_, response) => void response.write('<title>My own</title>'.padEnd(100_000)),
      { kind: 'other', title: 'My own' },
      'firmware-page',
    ],
  ];
  for (const [title, listener, known, name] of pages) {
    it(`recognises ${title}`, async () => {
      const bench = await openBench();
      const url = await servers.serve(listener);
      const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
      const { found, job } = await stage.outcome;
      assert.deepEqual(found, { ...known, url, address: '127.0.0.1' });
      assert.equal(job.stage, 'done');
      const firmware = wording(name);
      assert.deepEqual(stage.said.at(-1), { name: 'new-firmware-here', values: { firmware, url }, fraction: 0.99 });
    });
  }

  it('says by what it is known: the MAC address that the network has shown, or the place alone', async () => {
    for (const [linkMac, code] of [
      [MAC, 'firmware-same-mac'],
      // A repeater's rules nothing out.
      ['5C:CF:7F:00:00:01', 'firmware-page'],
    ] as const) {
      const bench = await openBench();
      bench.host.jobs.jobFor('newfirmware', DEVICE).learn({ linkMac });
      const { job } = await bench.begin('newfirmware', { deviceid: DEVICE, url: await servers.serve(tasmota()) })
        .outcome;
      assert.deepEqual([job.stage, job.verdict?.code], ['done', code]);
    }
  });

  it("does not take another device's Tasmota for its own", async () => {
    const bench = await openBench({}, { darkAtMostMs: 0 });
    upgraded(bench, 60_000);
    const url = await servers.serve(tasmota('5C:CF:7F:00:00:01'));
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
    assert.match(
      (await stage.recorder.reported(({ name }) => name === 'new-firmware-stranger')).details ?? '',
      /^Another device answers/,
    );
    await stage.over();
    const error = await assertCode(stage.outcome, 'new-firmware-silent');
    assert.match(error.message, /what answers there is another device/);
  });

  it('knows the device by its MAC address, however that is spelled', async () => {
    const bench = await openBench();
    const job = upgraded(bench, 0);
    job.learn({ mac: MAC.toLowerCase() });
    const url = await servers.serve(tasmota());
    // While the device is dark only its MAC address counts.
    const { found } = await bench.begin('newfirmware', { deviceid: DEVICE, url }).outcome;
    assert.equal(found['mac'], MAC);
  });

  /** A page at the address of the new firmware, whose title can change, and how often it was asked for. */
  async function page(
    title: string,
  ): Promise<{ url: string; titled: (title: string) => void; looks: (n: number) => Promise<void> }> {
    const asked = new EventEmitter();
    let times = 0;
    const url = await servers.serve((_, response) => {
      times += 1;
      response.end(`<title>${title}</title>`);
      asked.emit('asked');
    });
    return {
      url,
      titled: (next) => void (title = next),
      looks: async (n) => {
        for (const until = times + n; times < until;) await once(asked, 'asked');
      },
    };
  }

  /** The darkness is over. */
  const becomesLight = (job: Job): void => void Object.assign(job, { leftAt: () => new Date(Date.now() - 200_000) });

  it('ignores a stale responder at the same address', async () => {
    const bench = await openBench();
    const job = upgraded(bench, 0);
    const { url, titled, looks } = await page('proxy');
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
    await looks(1);
    while (!job.evidence.all.some(({ kind }) => kind === 'new-firmware-looked')) await once(job.evidence, 'changed');
    becomesLight(job);
    // The second one starts when the first is judged.
    await looks(2);
    assert.equal(stage.recorder.outcomes.has(stage.pending.id), false);
    assert.match(
      (await stage.recorder.reported(({ name }) => name === 'new-firmware-stranger')).details ?? '',
      /^Another device answers/,
    );
    const stranger = stage.said.find(({ name }) => name === 'new-firmware-stranger');
    const asFarAsDarkness = 0.6;
    assert.deepEqual(stranger, { name: 'new-firmware-stranger', values: { url }, fraction: asFarAsDarkness });
    titled('mine');
    assert.equal((await stage.outcome).found['title'], 'mine');
  });

  it('does not take for it what comes while it is dark, before its time', async () => {
    const bench = await openBench();
    const job = upgraded(bench, 10_000);
    const { url, looks } = await page('mine');
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
    await looks(2);
    assert.equal(stage.recorder.outcomes.has(stage.pending.id), false);
    becomesLight(job);
    assert.equal((await stage.outcome).found['title'], 'mine');
  });

  it('does not fail for silence, and so asks for no power cut, while the device may still write', async () => {
    const bench = await openBench();
    // Dark for longer than usual, but not for as long as it may be.
    const job = upgraded(bench, 40_000);
    const looked = new EventEmitter();
    const url = await servers.serve(({ socket }) => {
      socket.destroy();
      looked.emit('looked');
    });
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url, timeoutSeconds: 0.1 });
    // The second look comes a second after the first: the limit of the stage is over.
    for (let looks = 0; looks < 2; looks++) await once(looked, 'looked');
    assert.equal(stage.recorder.outcomes.has(stage.pending.id), false);
    becomesLight(job);
    await assertCode(stage.outcome, 'one-hop-silent');
    assert.equal(job.stage, 'failed');
    for (const { report } of stage.recorder.reports) assert.doesNotMatch(report.text, /Disconnect it from power for/);
  });

  it('ends immediately with back-to-stock when the device dials the cloud again', async () => {
    const bench = await openBench();
    const job = upgraded(bench, 20_000);
    const url = `http://127.0.0.1:${await freePort()}`;
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
    await stage.recorder.reported(() => true);
    await (await bench.device()).start();
    const error = await assertCode(stage.outcome, 'back-to-stock');
    assert.match(error.message, /nothing is lost/);
    assert.deepEqual([job.stage, job.error], ['failed', 'back-to-stock']);
    // It is a stock device again, and can be flashed again.
    const again = await bench.begin('cloud', { deviceid: DEVICE }).outcome;
    assert.notEqual(bench.host.jobs.latest(DEVICE), job);
    assert.equal(again.job.percent, 20);
  });

  it('looks after a flash that FinalStage has done, which stays done', async () => {
    const bench = await openBench();
    const device = await bench.factoryDevice({ startAt: 'finalstage', slot: 1, deviceid: DEVICE });
    await device.start();
    const sources = { final: FIRMWARE.final };
    await bench.begin('finalstage', { deviceid: DEVICE, url: device.finalStageUrl, sources }).outcome;
    const silent = `http://127.0.0.1:${await freePort()}`;
    const options = { deviceid: DEVICE, url: silent, timeoutSeconds: 0.3 };
    const looked = bench.begin('newfirmware', options);
    const { job: snapshot } = (await looked.recorder.reported(() => true), looked.recorder.reports[0]!);
    assert.deepEqual([snapshot.stage, snapshot.percent], ['done', 100]);
    await assertCode(looked.outcome, 'new-firmware-silent');
    const job = bench.host.jobs.latest(DEVICE);
    assert.deepEqual([job?.stage, job?.error], ['done', undefined]);
    const { job: after } = await bench.begin('newfirmware', { ...options, url: await servers.serve(tasmota()) })
      .outcome;
    assert.deepEqual([after.stage, after.percent], ['done', 100]);
    assert.deepEqual(Object.keys(after.stages), ['finalstage', 'newfirmware']);
    assert.equal(bench.host.jobs.all().length, 1);
  });

  it('keeps what it has seen: where it looked, and the addresses of this machine', async () => {
    const bench = await openBench();
    const own = [{ name: 'wlan0', address: '192.0.2.5' }];
    const asked: string[] = [];
    bench.around.ownAddresses = (at) => {
      asked.push(at);
      return own;
    };
    const url = await servers.serve(tasmota());
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
    await stage.outcome;
    assert.deepEqual([...new Set(asked)], [url]);
    const seen = (await stage.job()).evidence.all.map((one) => ({ ...one, at: 0 }));
    assert.deepEqual(seen.slice(1, 3), [
      { at: 0, kind: 'addresses', addresses: own },
      {
        ...{ at: 0, kind: 'new-firmware-looked' },
        looks: [{ url, result: 'page', firmware: 'tasmota', version: '14.1.0', proof: 'place' }],
      },
    ]);
  });

  it('keeps where it looks, and for which route', async () => {
    const bench = await openBench();
    const asked: string[] = [];
    const noWifi = (at: string): boolean => {
      asked.push(at);
      return false;
    };
    Object.assign(bench.around, { hasWifi: noWifi, ownAddresses: (at: string) => (asked.push(at), []) });
    const job = upgraded(bench, 200_000);
    job.learn({ ip: '198.51.100.9' });
    const stage = bench.begin('newfirmware', { deviceid: DEVICE });
    const { evidence } = await stage.job();
    const began = evidence.all.find(({ kind }) => kind === 'stage');
    assert.deepEqual(began && { ...began, at: 0 }, {
      ...{ at: 0, kind: 'stage', event: 'began', stage: 'newfirmware', seconds: 600, deviceid: DEVICE },
      ...{ url: 'http://192.168.4.1 and http://198.51.100.9', intermediate: 'one-hop' },
    });
    assert.deepEqual(stage.said[0], { name: 'wait-for-new-firmware', values: {}, fraction: 0.6 });
    assert.deepEqual([...new Set(asked)], ['http://192.168.4.1'], 'the one that a person can do something for');
    bench.host.runs.cancel('newfirmware');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('says where to look once this machine is in its network', async () => {
    const bench = await openBench();
    bench.around.ownAddresses = () => [{ name: 'wlan0', address: '192.168.4.9' }];
    upgraded(bench, 200_000);
    const url = `http://127.0.0.1:${await freePort()}`;
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
    await stage.recorder.reported(({ name }) => name === 'wait-for-new-firmware-here');
    assert.deepEqual(stage.said.at(-1), { name: 'wait-for-new-firmware-here', values: { url }, fraction: 0.6 });
    bench.host.runs.cancel('newfirmware');
    await assertCode(stage.outcome, 'cancelled');
  });

  describe('on standing time', () => {
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 50; turn++) await nextTurn();
    };

    it('counts the darkness down by the second, also while a look takes its time', async () => {
      const bench = await openBench();
      timeStands(['setTimeout', 'setInterval', 'Date'], 1_800_000_000_000);
      upgraded(bench, 10_000);
      const asked = new EventEmitter();
      const url = await servers.serve(() => void asked.emit('asked'));
      const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
      await once(asked, 'asked');
      for (let second = 0; second < 2; second++) timePasses(1000);
      const told = stage.said.map(({ name, values, fraction }) => [name, values['seconds'], fraction]);
      assert.deepEqual(
        told,
        [15, 14, 13].map((seconds) => ['one-hop-dark', seconds, 0.6 * (1 - seconds / 25)]),
      );
      bench.host.runs.cancel('newfirmware');
      await assertCode(stage.outcome, 'cancelled');
    });

    it('knows other firmware at the same address by its kind, whatever its title', async () => {
      const bench = await openBench();
      const job = upgraded(bench, 0);
      const { url, titled } = await page('home');
      timeStands(['setTimeout', 'setInterval']);
      const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
      await stage.job();
      while (!job.evidence.all.some(({ kind }) => kind === 'new-firmware-looked')) await once(job.evidence, 'changed');
      becomesLight(job);
      for (let second = 0; second < 3; second++) {
        timePasses(1000);
        await turns();
      }
      assert.equal(stage.recorder.outcomes.size, 0);
      titled('home</title><esp-app>');
      while (stage.recorder.outcomes.size === 0) {
        timePasses(1000);
        await turns();
      }
      const { found } = await stage.outcome;
      assert.deepEqual([found['kind'], found['title']], ['esphome', 'home']);
    });

    for (const end of ['found', 'cancelled'] as const) {
      it(`says nothing any more, and looks no more, once it has ${end === 'found' ? 'ended well' : 'been cancelled'}`, async () => {
        const bench = await openBench();
        let looks = 0;
        let isThere = false;
        const url = await servers.serve(({ socket }, response) => {
          looks += 1;
          if (isThere) response.end('<title>mine</title>');
          else socket.destroy();
        });
        timeStands(['setTimeout', 'setInterval']);
        const stage = bench.begin('newfirmware', { deviceid: DEVICE, url });
        const { evidence } = await stage.job();
        while (!evidence.all.some(({ kind }) => kind === 'new-firmware-looked')) await once(evidence, 'changed');
        if (end === 'cancelled') {
          bench.host.runs.cancel('newfirmware');
          await assertCode(stage.outcome, 'cancelled');
        } else {
          isThere = true;
          timePasses(1000);
          await stage.outcome;
          assert.equal(stage.said.at(-1)?.name, 'new-firmware-here');
        }
        const before = [stage.said.length, looks];
        for (let second = 0; second < 5; second++) {
          timePasses(1000);
          await turns();
        }
        assert.deepEqual([stage.said.length, looks], before);
        assert.equal(evidence.listenerCount('changed'), 1, 'that of the job itself');
      });
    }
  });

  it('asks for no power cut to rescue a device as long as that may write', async () => {
    const bench = await openBench({}, { rescueOffMs: 600_000 });
    const job = upgraded(bench, 40_000);
    assert.ok(DIY.rescue);
    job.route = { ...ONE_HOP, rescue: DIY.rescue };
    const looked = new EventEmitter();
    const url = await servers.serve(({ socket }) => {
      socket.destroy();
      looked.emit('looked');
    });
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url, rescue: true });
    for (let looks = 0; looks < 2; looks++) await once(looked, 'looked');
    assert.ok(!stage.said.some(({ name }) => name.startsWith('rescue-')));
    becomesLight(job);
    await stage.recorder.reported(({ name }) => name === 'rescue-off');
    assert.deepEqual(stage.said.at(-1), { name: 'rescue-off', values: { seconds: 600 }, fraction: 0 });
    bench.host.runs.cancel('newfirmware');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('is what a flash without FinalStage continues to, past the stage of FinalStage', async () => {
    const bench = await openBench();
    const job = upgraded(bench, 60_000);
    const { found } = await bench.begin('finalstage', { deviceid: DEVICE }).outcome;
    assert.deepEqual(found, { skipped: true });
    assert.deepEqual([job.isOpen, job.percent, job.finalStage], [true, 60, undefined]);
    const { job: done } = await bench.begin('newfirmware', { deviceid: DEVICE, url: await servers.serve(tasmota()) })
      .outcome;
    assert.deepEqual([done.stage, done.percent], ['done', 100]);
  });
});
