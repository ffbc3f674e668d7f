import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { ImageDesk, upgradePath } from '../../lib/flash/host/image-desk';
import { Devices } from '../../lib/flash/host/devices';
import { FinalStageVisit } from '../../lib/flash/job/finalstage-visit';
import { JobBook } from '../../lib/flash/job/job-book';
import { loadFirmware } from '../../lib/flash/firmware/firmware';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { refuseRehearsalImages, rehearsalImage } from '../../lib/flash/firmware/rehearsal';
import { FlashError } from '../../lib/errors';
import { parseOtaRequest } from '../../lib/protocol/ota-request';
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

  it('knows an upgrade by its job, and the device by its address or its signature', async () => {
    const jobs = new JobBook();
    const devices = new Devices();
    const desk = new ImageDesk(jobs, devices);
    const path = upgradePath('1000a1b2c3', 'user1');
    const status = (url: string, peer: string): number | 'granted' => {
      const found = desk.find(request(url, '1.1', { range: 'bytes=0-4095' }), peer);
      return 'status' in found ? found.status : 'granted';
    };
    assert.equal(status(path, '192.0.2.7'), 404, 'no job');
    const job = jobs.jobFor('upgrade', '1000a1b2c3');
    job.enter('upgrade');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    assert.equal(status(path, '192.0.2.7'), 404, 'no upgrade runs');
    job.download = new UpgradeDownload();
    assert.equal(status(path, '192.0.2.7'), 403, 'nobody knows who asks');
    devices.pin('1000a1b2c3', '0123456789abcdef');
    assert.equal(status(`${path}?deviceid=1000a1b2c3&ts=1&sign=00`, '192.0.2.7'), 403, 'a false signature');
    assert.equal(status(upgradePath('1000999999', 'user1'), '192.0.2.7'), 404, 'another device');
    assert.equal(status('/sonota/1000a1b2c3/final.bin', '192.0.2.7'), 404);
    assert.equal(status('/', '192.0.2.7'), 404);
    job.fail('cancelled');
    assert.equal(status(path, '192.0.2.7'), 404, 'the job has ended');
  });

  it('serves a device that signs in another way at its address, until a signature was right', async () => {
    const jobs = new JobBook();
    const devices = new Devices();
    const desk = new ImageDesk(jobs, devices);
    const job = jobs.jobFor('upgrade', '1000a1b2c3');
    job.enter('upgrade');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    job.download = new UpgradeDownload();
    job.learn({ ip: '192.0.2.7' });
    devices.pin('1000a1b2c3', 'own-key');
    const right = createHash('sha256')
      .update('1000a1b2c3' + '7' + 'own-key')
      .digest('hex');
    const isGranted = (sign: string, peer: string): boolean => {
      const url = `${upgradePath('1000a1b2c3', 'user1')}?deviceid=1000a1b2c3&ts=7&sign=${sign}`;
      return 'bytes' in desk.find(request(url, '1.1', { range: 'bytes=0-4095' }), peer);
    };
    const wrong = '0'.repeat(64);
    assert.equal(isGranted(wrong, '192.0.2.7'), true);
    assert.equal(isGranted(wrong, '192.0.2.8'), false);
    assert.equal(isGranted(right, '192.0.2.8'), true, 'its network hides its address');
    assert.equal(isGranted(wrong, '192.0.2.7'), false);
    const seen = job.evidence.all.map((one) => (one.kind === 'stranger' ? [one.peer, one.act] : one.kind));
    assert.deepEqual(seen, [
      ['192.0.2.7', 'wrong-signature'],
      ['192.0.2.8', 'wrong-signature'],
    ]);
  });

  it('gives the final image to FinalStage alone', async () => {
    const jobs = new JobBook();
    const desk = new ImageDesk(jobs, new Devices());
    const job = jobs.jobFor('finalstage', undefined);
    job.enter('finalstage');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    const isGranted = (peer: string, httpVersion = '1.0'): boolean =>
      'bytes' in desk.find(request(FINAL_PATH, httpVersion), peer);
    assert.equal(isGranted('192.168.4.1'), false, 'nobody waits for it');
    job.visit = new FinalStageVisit();
    assert.equal(isGranted('192.168.4.1'), true);
    assert.equal(isGranted('192.168.4.1', '1.1'), false, 'FinalStage speaks HTTP/1.0');
    assert.equal(isGranted('192.168.1.20'), false, 'a machine at home');
    assert.equal(isGranted('192.168.4.3'), false, 'a phone in its network');
    assert.equal(isGranted('127.0.0.1'), false, 'a program on this machine');
    job.visit.peer = '127.0.0.1';
    assert.equal(isGranted('127.0.0.9'), true, 'a rehearsal');
    assert.equal(isGranted('192.168.4.1'), false, 'in a rehearsal nothing comes from outside');
  });

  it('keeps what another client in the network of FinalStage does, once, and takes nothing from it', async () => {
    const jobs = new JobBook();
    const desk = new ImageDesk(jobs, new Devices());
    const job = jobs.jobFor('finalstage', undefined);
    job.enter('finalstage');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    const visit = (job.visit = new FinalStageVisit());
    for (let times = 0; times < 3; times++) {
      desk.dialled('192.168.4.3');
      desk.dialled('192.168.1.20');
      desk.find(request(FINAL_PATH, '1.0'), '192.168.4.3');
    }
    assert.equal(visit.lastDialled, undefined);
    assert.deepEqual(
      job.evidence.all.map((seen) => (seen.kind === 'stranger' ? [seen.peer, seen.act] : seen.kind)),
      [
        ['192.168.4.3', 'finalstage-dial'],
        ['192.168.4.3', 'finalstage-image'],
      ],
    );
  });

  it('serves the job that has waited longest', async () => {
    const jobs = new JobBook();
    const desk = new ImageDesk(jobs, new Devices());
    const [late, early] = ['1000000002', '1000000001'].map((deviceid) => jobs.jobFor('finalstage', deviceid));
    for (const job of [late, early]) {
      job?.enter('finalstage');
      Object.assign(job ?? {}, { firmware: await loadFirmware(FIRMWARE, { signal: NEVER }) });
    }
    if (late) late.visit = new FinalStageVisit(new Date(2000));
    if (early) early.visit = new FinalStageVisit(new Date(1000));
    desk.dialled('192.168.4.1');
    assert.ok(early?.visit?.lastDialled);
    assert.equal(late?.visit?.lastDialled, undefined);
  });

  describe('over the wire', () => {
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
