import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { ImageAuthorizer } from '../../lib/flash/images/image-authorizer';
import { upgradePath } from '../../lib/flash/images/upgrade-images';
import { FINALSTAGE, ONE_HOP } from '../../lib/flash/routes';
import { Devices } from '../../lib/flash/devices/devices';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import type { Job } from '../../lib/flash/job/job';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { DERIVED_EVERY_MS } from '../../lib/timing/throttle';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { refuseRehearsalImages, rehearsalImage } from '../../lib/firmware/rehearsal';
import { FlashError } from '../../lib/errors';
import { parseOtaRequest } from '../../lib/protocol/ota-request';
import { randElement } from '../../lib/protocol/newlib-rand';
import type { TransferObserver } from '../../lib/server/transfer';
import { closeAll, RawClient } from '../server/serving';
import { WebSocketDevice } from '../server/websocket-device';
import { closeBenches, FIRMWARE, openBench } from './bench';
import { ask } from './stranger';

const FINAL_PATH = '/ota/image_arduino.bin';

function request(
  url: string,
  httpVersion = '1.1',
  headers: Record<string, string> = {},
): ReturnType<typeof parseOtaRequest> {
  return parseOtaRequest({ method: 'GET', url, httpVersion, headers });
}

/** The head of whatever the image server answers, in lower case. */
async function headOf(port: number, request: string): Promise<string> {
  const answer = await ask(port, request);
  return answer.slice(0, answer.indexOf('\r\n\r\n')).toLowerCase();
}

describe('flash/image-desk', () => {
  const NEVER = new AbortController().signal;
  afterEach(timeGoesOn);

  it('knows an upgrade by its job, and the device by its address or its signature', async () => {
    const jobs = new JobRegistry();
    const devices = new Devices();
    const authorizer = new ImageAuthorizer(jobs, devices);
    const path = upgradePath('1000a1b2c3', 'user1');
    const answer = (url: string, peer: string): object | Buffer => {
      const found = authorizer.find(request(url, '1.1', { range: 'bytes=0-4095' }), peer);
      return 'status' in found ? found : found.bytes;
    };
    const closed = { status: 404, reason: 'no upgrade of this device is open' };
    const foreign = { status: 403, reason: 'this image is for another device' };
    const nothing = { status: 404, reason: 'there is nothing here' };
    assert.deepEqual(answer(path, '192.0.2.7'), closed, 'no job');
    const job = jobs.jobFor('upgrade', '1000a1b2c3');
    job.enter('upgrade');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    assert.deepEqual(answer(path, '192.0.2.7'), closed, 'no upgrade runs');
    job.download = new UpgradeDownload();
    assert.deepEqual(answer(path, '192.0.2.7'), foreign, 'it is not known who asks');
    devices.pin('1000a1b2c3', '0123456789abcdef');
    assert.deepEqual(answer(`${path}?deviceid=1000a1b2c3&ts=1&sign=00`, '192.0.2.7'), foreign, 'a false signature');
    const signed = createHash('sha256').update('1000a1b2c310123456789abcdef').digest('hex');
    const query = `?deviceid=1000a1b2c3&ts=1&sign=${signed}`;
    for (const role of ['user1', 'user2'] as const) {
      assert.deepEqual(answer(upgradePath('1000a1b2c3', role) + query, '192.0.2.7'), FIRMWARE[role], role);
    }
    assert.deepEqual(answer(path, '192.0.2.7'), foreign, 'without its signature');
    assert.deepEqual(answer(`${path}?deviceid=1000a1b2c3&sign=${signed}`, '192.0.2.7'), foreign, 'half of it');
    assert.deepEqual(answer(upgradePath('1000999999', 'user1'), '192.0.2.7'), closed, 'another device');
    for (const odd of ['/', '/sonota/1000a1b2c3/final.bin', `${path}.bin`, `/x${path}`, '/sonota//user1.bin']) {
      assert.deepEqual(answer(odd, '192.0.2.7'), nothing, odd);
    }
    const { user1, ...others } = job.firmware;
    assert.ok(user1);
    job.firmware = others;
    assert.deepEqual(answer(path + query, '192.0.2.7'), closed, 'there is no such image');
    job.fail('cancelled');
    assert.deepEqual(answer(upgradePath('1000a1b2c3', 'user2') + query, '192.0.2.7'), closed, 'the job has ended');
  });

  it('serves a device that signs in another way at its address, until a signature was right', async () => {
    const jobs = new JobRegistry();
    const devices = new Devices();
    const authorizer = new ImageAuthorizer(jobs, devices);
    const job = jobs.jobFor('upgrade', '1000a1b2c3');
    job.enter('upgrade');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    job.download = new UpgradeDownload();
    job.learn({ ip: '192.0.2.7' });
    const url = upgradePath('1000a1b2c3', 'user1');
    const isOpenTo = (peer: string): boolean =>
      'bytes' in authorizer.find(request(url, '1.1', { range: 'bytes=0-4095' }), peer);
    const right = createHash('sha256')
      .update('1000a1b2c3' + '7' + 'own-key')
      .digest('hex');
    const isGranted = (sign: string, peer: string): boolean => {
      const url = `${upgradePath('1000a1b2c3', 'user1')}?deviceid=1000a1b2c3&ts=7&sign=${sign}`;
      return 'bytes' in authorizer.find(request(url, '1.1', { range: 'bytes=0-4095' }), peer);
    };
    const wrong = '0'.repeat(64);
    assert.equal(isGranted(wrong, '192.0.2.7'), true, 'its key is not known');
    devices.pin('1000a1b2c3', 'own-key');
    assert.equal(isOpenTo('192.0.2.7'), true, 'it does not sign');
    assert.deepEqual(
      job.evidence.all.map(({ kind }) => kind),
      ['device-facts'],
    );
    assert.equal(isGranted(wrong, '192.0.2.7'), true);
    assert.equal(isGranted(wrong, '192.0.2.8'), false);
    assert.equal(isGranted(right, '192.0.2.8'), true, 'its network hides its address');
    assert.equal(isGranted(wrong, '192.0.2.7'), false);
    assert.equal(isOpenTo('192.0.2.7'), false);
    assert.equal(isOpenTo('192.0.2.9'), false);
    const seen = job.evidence.all.map((one) => (one.kind === 'stranger' ? [one.peer, one.act] : one.kind));
    assert.deepEqual(seen, [
      'device-facts',
      ['192.0.2.7', 'wrong-signature'],
      ['192.0.2.8', 'wrong-signature'],
      ['192.0.2.9', 'wrong-signature'],
    ]);
  });

  it('gives the final image to FinalStage alone', async () => {
    const jobs = new JobRegistry();
    const authorizer = new ImageAuthorizer(jobs, new Devices());
    const job = jobs.jobFor('finalstage', undefined);
    job.enter('finalstage');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    const isGranted = (peer: string, httpVersion = '1.0'): boolean =>
      'bytes' in authorizer.find(request(FINAL_PATH, httpVersion), peer);
    const unawaited = { status: 404, reason: 'no job waits for FinalStage' };
    assert.deepEqual(authorizer.find(request(FINAL_PATH, '1.0'), '192.168.4.1'), unawaited);
    job.finalStage = new FinalStageSession();
    assert.equal(isGranted('192.168.4.1'), true);
    const of = (path: string): unknown => authorizer.find(request(path, '1.0'), '192.168.4.1');
    assert.equal((of('/ota/image_user2-0x81000.bin') as { bytes: unknown }).bytes, job.firmware.user2?.bytes);
    assert.equal((of(FINAL_PATH) as { bytes: unknown }).bytes, job.firmware.final?.bytes);
    const { final, ...others } = job.firmware;
    job.firmware = others;
    assert.deepEqual(of(FINAL_PATH), unawaited, 'it has no such image');
    assert.deepEqual(job.evidence.all, [], 'it is no stranger that asks for it');
    job.firmware = { ...others, ...(final ? { final } : {}) };
    assert.equal(isGranted('192.168.4.1', '1.1'), false, 'FinalStage speaks HTTP/1.0');
    assert.equal(isGranted('192.168.1.20'), false, 'a machine at home');
    assert.equal(isGranted('192.168.4.3'), false, 'a phone in its network');
    assert.equal(isGranted('127.0.0.1'), false, 'a program on this machine');
    job.finalStage.peer = '127.0.0.1';
    assert.equal(isGranted('127.0.0.9'), true, 'a rehearsal');
    assert.equal(isGranted('192.168.4.1'), false, 'in a rehearsal nothing comes from outside');
    job.learn({ ip: '127.0.0.9' });
    assert.deepEqual([isGranted('127.0.0.9'), isGranted('127.0.0.1')], [true, false], 'where it had its session');
    job.learn({ ip: '192.168.1.7' });
    assert.deepEqual([isGranted('127.0.0.9'), isGranted('192.168.1.7')], [true, false], 'its place at home is another');
  });

  it('keeps what another client in the network of FinalStage does, once, and takes nothing from it', async () => {
    const jobs = new JobRegistry();
    const authorizer = new ImageAuthorizer(jobs, new Devices());
    const job = jobs.jobFor('finalstage', undefined);
    job.enter('finalstage');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    const session = (job.finalStage = new FinalStageSession());
    for (let times = 0; times < 3; times++) {
      assert.deepEqual([authorizer.dialled('192.168.4.3'), authorizer.dialled('192.168.1.20')], [false, false]);
      authorizer.find(request(FINAL_PATH, '1.0'), '192.168.4.3');
      authorizer.find(request(FINAL_PATH, '1.0'), '192.168.1.20');
    }
    assert.equal(session.lastDialled, undefined);
    assert.deepEqual(
      job.evidence.all.map((seen) => (seen.kind === 'stranger' ? [seen.peer, seen.act] : seen.kind)),
      [
        ['192.168.4.3', 'finalstage-dial'],
        ['192.168.4.3', 'finalstage-image'],
        ['192.168.1.20', 'finalstage-image'],
      ],
    );
  });

  it('serves the job that has waited longest', async () => {
    const jobs = new JobRegistry();
    const authorizer = new ImageAuthorizer(jobs, new Devices());
    const [late, early] = ['1000000002', '1000000001'].map((deviceid) => jobs.jobFor('finalstage', deviceid));
    for (const job of [late, early]) {
      job?.enter('finalstage');
      Object.assign(job ?? {}, { firmware: await loadFirmware(FIRMWARE, { signal: NEVER }) });
    }
    if (late) late.finalStage = new FinalStageSession(new Date(2000));
    if (early) early.finalStage = new FinalStageSession(new Date(1000));
    authorizer.dialled('192.168.4.1');
    assert.ok(early?.finalStage?.lastDialled);
    assert.equal(late?.finalStage?.lastDialled, undefined);
  });

  it('serves the job whose FinalStage this machine has joined, however long another one waits', async () => {
    const jobs = new JobRegistry();
    const authorizer = new ImageAuthorizer(jobs, new Devices());
    const [first, joined] = ['1000000001', '1000000002'].map((deviceid, index) => {
      const job = jobs.jobFor('finalstage', deviceid);
      job.finalStage = new FinalStageSession(new Date(index));
      return job.finalStage;
    });
    assert.ok(first && joined);
    joined.isJoined = true;
    authorizer.dialled('192.168.4.1');
    assert.deepEqual([first.lastDialled, joined.lastDialled !== undefined], [undefined, true]);
  });

  describe('takes what asks as FinalStage for the acknowledgement of an upgrade', () => {
    const cases: [what: string, prepare: (job: Job, download: UpgradeDownload) => void, isProof: boolean][] = [
      ['that went out to the last byte', (_job, download) => download.sentUpTo(8192), true],
      ['of which a byte is missing', (_job, download) => download.sentUpTo(8191), false],
      ['that goes in one hop', (job, download) => ((job.route = ONE_HOP), download.sentUpTo(8192)), false],
      ['whose job has failed', (job, download) => (download.sentUpTo(8192), job.fail('cancelled')), false],
    ];
    for (const [what, prepare, isProof] of cases) {
      it(`${what}: ${isProof ? 'yes' : 'no'}`, async () => {
        const jobs = new JobRegistry();
        const authorizer = new ImageAuthorizer(jobs, new Devices());
        const job = jobs.jobFor('upgrade', '1000a1b2c3');
        job.enter('upgrade');
        job.route = FINALSTAGE;
        job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
        const download = (job.download = new UpgradeDownload());
        download.requested('user1', 8192, 'range');
        prepare(job, download);
        assert.ok('status' in authorizer.find(request(FINAL_PATH, '1.0'), '192.0.2.9'), 'of another peer');
        assert.equal(download.isTaken, false);
        assert.equal('bytes' in authorizer.find(request(FINAL_PATH, '1.0'), '192.168.4.1'), isProof);
        assert.deepEqual([download.isTaken, job.finalStage !== undefined], [isProof, isProof]);
      });
    }
  });

  it('takes no device out of its FinalStage for another one that asks', async () => {
    const jobs = new JobRegistry();
    const authorizer = new ImageAuthorizer(jobs, new Devices());
    const job = jobs.jobFor('upgrade', '1000a1b2c3');
    job.enter('upgrade');
    job.route = FINALSTAGE;
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    const download = (job.download = new UpgradeDownload());
    download.requested('user1', 8192, 'range');
    download.sentUpTo(8192);
    const session = (job.finalStage = new FinalStageSession());
    session.peer = '127.0.0.1';
    const unawaited = { status: 404, reason: 'no job waits for FinalStage' };
    assert.deepEqual(authorizer.find(request(FINAL_PATH, '1.0'), '192.168.4.1'), unawaited);
    assert.deepEqual([job.finalStage, download.isTaken], [session, false]);
    assert.ok('bytes' in authorizer.find(request(FINAL_PATH, '1.0'), '127.0.0.1'));
    assert.equal(job.finalStage, session);
  });

  it('lets no byte of the final image go before a restart would know of it, and keeps how it went', async () => {
    const jobs = new JobRegistry();
    const authorizer = new ImageAuthorizer(jobs, new Devices());
    const job = jobs.jobFor('finalstage', undefined);
    job.enter('finalstage');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    const session = (job.finalStage = new FinalStageSession());
    const kept = Promise.resolve();
    const known: unknown[] = [];
    session.on('checkpoint', () => known.push(job.evidence.all.at(-1)?.kind));
    authorizer.whenStored = () => {
      assert.equal(session.deliveries.final?.state, 'flowing', 'it is known of');
      return kept;
    };
    const size = FIRMWARE.final.length;
    const asks = (): { observer: TransferObserver; answered: unknown } => {
      const asked = request(FINAL_PATH, '1.0');
      const found = authorizer.find(asked, '192.168.4.1');
      assert.ok('observer' in found);
      return { observer: found.observer, answered: found.observer.request?.(asked, '192.168.4.1') };
    };
    const { observer: older, answered } = asks();
    assert.equal(answered, kept);
    older.sent(0, 8192);
    assert.equal(session.deliveries.final?.sent, 8192);
    older.stalled?.(8192);
    assert.equal(session.deliveries.final.state, 'stalled');
    const { observer: newer } = asks();
    older.stalled?.(8192);
    older.ended({ complete: false, bytes: 8192, closedByDevice: false });
    assert.equal(session.deliveries.final.state, 'flowing', 'a newer one has overtaken it');
    newer.ended({ complete: false, bytes: 4096, closedByDevice: true });
    for (const closedByDevice of [false, true]) {
      asks().observer.ended({ complete: true, bytes: size, closedByDevice });
    }
    assert.equal(session.deliveries.final.state, 'delivered');
    // A restart that knows of a step knows its evidence, too.
    const each = ['finalstage-requested', 'finalstage-ended'];
    assert.deepEqual(known, ['finalstage-requested', 'finalstage-stalled', ...each, ...each, ...each]);
    const image = 'final';
    const asked = { at: 0, kind: 'finalstage-requested', image, size };
    const ended = (how: string, bytes: number): object => ({ at: 0, kind: 'finalstage-ended', image, how, bytes });
    assert.deepEqual(
      job.evidence.all.map((seen) => ({ ...seen, at: 0 })),
      [
        asked,
        { at: 0, kind: 'finalstage-stalled', image, bytes: 8192 },
        asked,
        ended('broken', 4096),
        asked,
        ended('acknowledged', size),
        asked,
        ended('delivered', size),
      ],
    );
  });

  const SIZE = FIRMWARE.user1.length;
  const PAIR = { role: 'user1', size: SIZE } as const;
  const sent = (bytes: number, ms: number): object => ({
    ...{ at: 0, kind: 'image-sent', role: 'user1', class: 'no-range' },
    ...{ bytes, ms },
  });
  for (const [title, headers, expected, query = ''] of [
    [
      'by ranges',
      { range: 'bytes=4096-8191' },
      [{ ...PAIR, at: 0, kind: 'image-requested', class: 'range', first: 4096, randPosition: 3 }],
      `?ts=${randElement(3)}`,
    ],
    [
      'in one piece',
      {},
      [
        { ...PAIR, at: 0, kind: 'image-requested', class: 'no-range' },
        ...[sent(1000, 10), sent(2000, 30), sent(4000, 50)],
        { at: 0, kind: 'image-ended', role: 'user1', class: 'no-range', complete: false, bytes: 4000, ms: 50 },
      ],
    ],
  ] as const) {
    it(`keeps of an upgrade that is fetched ${title} how far it got, and not every step`, async () => {
      const jobs = new JobRegistry();
      const authorizer = new ImageAuthorizer(jobs, new Devices());
      const job = jobs.jobFor('upgrade', '1000a1b2c3');
      job.enter('upgrade');
      job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
      job.learn({ ip: '192.0.2.7' });
      const download = (job.download = new UpgradeDownload());
      const known: unknown[] = [];
      download.on('changed', () => known.push(job.evidence.all.at(-1)?.kind));
      timeStands(['Date'], 5000);
      try {
        const asked = request(upgradePath('1000a1b2c3', 'user1') + query, '1.1', headers);
        const found = authorizer.find(asked, '192.0.2.7');
        assert.ok('observer' in found);
        const { observer } = found;
        void observer.request?.(asked, '192.0.2.7');
        for (const to of [1000, 1500, 2000, 3999, 4000]) {
          timePasses(10);
          observer.sent(0, to);
        }
        observer.ended({ complete: false, bytes: 4000, closedByDevice: true });
      } finally {
        timeGoesOn();
      }
      const [facts, ...seen] = job.evidence.all;
      assert.equal(facts?.kind, 'device-facts');
      assert.deepEqual(
        seen.map((one) => ({ ...one, at: 0 })),
        expected,
      );
      assert.deepEqual([download.requests, download.sent, download.role, download.size], [1, 4000, 'user1', SIZE]);
      const sending = 'range' in headers ? 'image-requested' : 'image-sent';
      assert.deepEqual(known, ['image-requested', ...Array.from({ length: 5 }, () => sending)], 'its evidence first');
      assert.equal(download.otaClass, 'range' in headers ? 'range' : 'no-range');
    });
  }

  it('counts the ranges of an upgrade where they arrive, and reports them four times a second', async () => {
    const { user1, ...others } = await loadFirmware(FIRMWARE, { signal: NEVER });
    // Before the first news: a timer that they set would be a real one.
    timeStands();
    const jobs = new JobRegistry();
    const authorizer = new ImageAuthorizer(jobs, new Devices());
    const job = jobs.jobFor('upgrade', '1000a1b2c3');
    job.enter('upgrade');
    // Larger than what is asked for: the last byte is news.
    job.firmware = { ...others, user1: { ...user1, bytes: Buffer.alloc(4096 * 101) } };
    job.learn({ ip: '192.0.2.7' });
    const download = (job.download = new UpgradeDownload());
    const told: boolean[] = [];
    jobs.on('changed', (_job: Job, isDurable: boolean) => told.push(isDurable));
    const ask = (first: number): void => {
      const range = `bytes=${first}-${first + 4095}`;
      const asked = request(upgradePath('1000a1b2c3', 'user1'), '1.1', { range });
      const found = authorizer.find(asked, '192.0.2.7');
      assert.ok('observer' in found);
      void found.observer.request?.(asked, '192.0.2.7');
      found.observer.sent(first, first + 4096);
      found.observer.ended({ complete: true, bytes: first + 4096 });
    };
    ask(0);
    told.length = 0;
    for (let n = 1; n < 100; n++) ask(4096 * n);
    assert.deepEqual(told, []);
    timePasses(DERIVED_EVERY_MS);
    assert.deepEqual(told, [false]);
    assert.equal(download.requests, 100);
    assert.deepEqual(
      job.evidence.all.map(({ kind }) => kind),
      ['device-facts', 'image-requested', 'image-requested'],
    );
  });

  it('keeps that FinalStage looks whether we are there, and of whose job it is', () => {
    const jobs = new JobRegistry();
    const authorizer = new ImageAuthorizer(jobs, new Devices());
    assert.equal(authorizer.dialled('192.168.4.1'), false, 'no job waits for it');
    const job = jobs.jobFor('finalstage', undefined);
    const session = (job.finalStage = new FinalStageSession());
    session.once('dialled', () => assert.equal(job.evidence.all.length, 1));
    assert.equal(authorizer.dialled('192.168.4.1'), true);
    assert.ok(session.lastDialled);
    assert.deepEqual(
      job.evidence.all.map(({ kind }) => kind),
      ['finalstage-dialled'],
    );
  });

  describe('over the wire', () => {
    afterEach(closeAll);
    afterEach(closeBenches);

    it('answers with a length of its own, never in chunks, and refuses what is not there', async () => {
      const bench = await openBench();
      const device = await bench.device({ fault: 'finalstage-blocked' });
      await bench.upgraded(device);
      const { http } = bench.host.ports;
      const final = await headOf(http, `GET ${FINAL_PATH} HTTP/1.0\r\nHost: 192.168.4.2\r\n\r\n`);
      assert.match(final, /^http\/1\.1 200 ok/);
      assert.match(final, new RegExp(`\\ncontent-length: ${FIRMWARE.final.length}\\b`));
      assert.doesNotMatch(final, /transfer-encoding|content-encoding|etag|location/);
      for (const path of ['/', upgradePath(device.deviceid, 'user1'), '/ota/', '/ota/../ota/image_arduino.bin']) {
        assert.match(await headOf(http, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`), /^http\/1\.1 404/, path);
      }
      assert.match(await headOf(http, `POST ${FINAL_PATH} HTTP/1.1\r\nHost: x\r\n\r\n`), /^http\/1\.1 405/);
    });

    it('serves a device where its session is, and where it was last when that is gone', async () => {
      const bench = await openBench();
      const { host } = bench;
      const deviceid = '1000a1b2c3';
      const job = host.jobs.jobFor('upgrade', deviceid);
      job.enter('upgrade');
      job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
      job.download = new UpgradeDownload();
      job.learn({ ip: '127.0.0.8' });
      const range = `GET ${upgradePath(deviceid, 'user1')} HTTP/1.1\r\nRange: bytes=0-99\r\nHost: x\r\n\r\n`;
      const answers = async (): Promise<string[]> => {
        const heads = ['127.0.0.8', '127.0.0.9'].map((from) => ask(host.ports.http, range, from));
        return (await Promise.all(heads)).map((head) => head.slice(0, 12));
      };
      const [served, refused] = ['HTTP/1.1 206', 'HTTP/1.1 403'];
      assert.deepEqual(await answers(), [served, refused]);
      const client = await RawClient.to(host.ports.legacy, { localAddress: '127.0.0.9' });
      const { device } = await WebSocketDevice.open(client);
      await device.register(deviceid);
      assert.deepEqual(await answers(), [refused, served]);
      const gone = once(host.devices, 'gone');
      device.wire.socket.destroy();
      await gone;
      assert.deepEqual(await answers(), [served, refused]);
    });

    it('refuses another peer with 403 while an upgrade runs', async () => {
      const bench = await openBench({ bind: '0.0.0.0' });
      const device = await bench.device({ localAddress: '127.0.0.9', behaviours: { blockPauseMs: 300 } });
      const upgraded = bench.upgraded(device);
      await once(bench.host.devices, 'ready');
      await bench.recorder('upgrade').reported(({ text }) => /downloads user2/.test(text));
      const path = upgradePath(device.deviceid, 'user2');
      const head = await headOf(
        bench.host.ports.http,
        `GET ${path} HTTP/1.1\r\nRange: bytes=0-4095\r\nHost: x\r\n\r\n`,
      );
      assert.match(head, /^http\/1\.1 403/);
      assert.equal((await upgraded).found['image'], 'user2');
    });
  });
});

describe('flash/rehearsal', () => {
  it('keeps its images from any device that is not on this machine', () => {
    const images = (['user1', 'user2', 'final'] as const).map((role) => ({ bytes: rehearsalImage(role) }));
    const real = { bytes: FIRMWARE.final };
    for (const image of images) {
      for (const peer of ['192.168.1.20', '10.10.7.1', '192.168.4.1', '::1x']) {
        assert.throws(
          () => refuseRehearsalImages([real, image], peer),
          (error) => error instanceof FlashError && error.code === 'rehearsal-only',
        );
      }
      refuseRehearsalImages([image], '127.0.0.1');
    }
    refuseRehearsalImages([real], '192.168.4.1');
  });
});
