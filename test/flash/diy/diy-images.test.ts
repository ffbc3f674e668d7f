import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { LoadedImage } from '../../../lib/firmware/firmware';
import { Devices } from '../../../lib/flash/devices/devices';
import { DiyDownload } from '../../../lib/flash/images/diy-download';
import { ImageAuthorizer } from '../../../lib/flash/images/image-authorizer';
import type { Job } from '../../../lib/flash/job/job';
import { JobRegistry } from '../../../lib/flash/job/job-registry';
import { randElement } from '../../../lib/protocol/newlib-rand';
import { parseOtaRequest, type OtaRequest } from '../../../lib/protocol/ota-request';
import type { ImageGrant, ImageRefusal } from '../../../lib/server/transfer';

const ID = '10000a1b2c';
const PEER = '192.0.2.7';
const KEY = 'own-key';
const RESULT = '/api/device/otaFlash';
const IMAGE = { role: 'final', bytes: Buffer.alloc(10_000), sha256: 'x', source: 'y' } as unknown as LoadedImage;
const FOREIGN = { status: 403, reason: 'this image is for another device' };
const CLOSED = { status: 404, reason: 'no flash of this device is open' };
const NOTHING = { status: 404, reason: 'there is nothing here' };

describe('flash/images/diy-images', () => {
  let jobs: JobRegistry;
  let devices: Devices;
  let authorizer: ImageAuthorizer;
  let job: Job;
  let download: DiyDownload;

  beforeEach(() => {
    jobs = new JobRegistry();
    devices = new Devices();
    authorizer = new ImageAuthorizer(jobs, devices);
    job = jobs.jobFor('diy', ID);
    job.enter('diy');
    download = DiyDownload.begin(job, IMAGE, PEER);
  });
  afterEach(() => download.close());

  function asked(target: string, headers: Record<string, string> = { range: 'bytes=4096-8191' }): OtaRequest {
    return parseOtaRequest({ method: 'GET', url: target, httpVersion: '1.1', headers });
  }

  const found = (target: string, peer = PEER): ImageGrant | ImageRefusal => authorizer.find(asked(target), peer);
  const isGranted = (target: string, peer = PEER): boolean => 'bytes' in found(target, peer);

  function signed(ts: number | undefined, key: string, deviceid = ID): string {
    const sign = createHash('sha256').update(`${deviceid}${ts}${key}`).digest('hex');
    return `/${download.name}?deviceid=${deviceid}${ts === undefined ? '' : `&ts=${ts}`}&sign=${sign}`;
  }

  it('serves the image of an open flash to its device, with or without the slash', () => {
    for (const target of [`/${download.name}`, download.name]) {
      const grant = found(target);
      assert.ok('bytes' in grant);
      assert.equal(grant.bytes, IMAGE.bytes);
      assert.deepEqual(found(target, '192.0.2.8'), FOREIGN);
    }
    assert.deepEqual(found('/d00000000.bin'), CLOSED);
    for (const target of [`//${download.name}`, `/x/${download.name}`, `/${download.name}/`, `/${download.name}.bin`]) {
      assert.deepEqual(found(target), NOTHING, target);
    }
    download.close();
    assert.deepEqual(found(`/${download.name}`), CLOSED);
  });

  it('knows the device by its signature where its network hides its address', () => {
    const elsewhere = '192.0.2.8';
    assert.equal(isGranted(signed(7, KEY), elsewhere), false, 'its key is not known');
    assert.equal(isGranted(signed(7, 'undefined'), elsewhere), false, 'nor is any other the key then');
    devices.pin(ID, KEY);
    assert.equal(isGranted(signed(7, KEY), elsewhere), true);
    assert.equal(isGranted(signed(7, 'another key'), elsewhere), false);
    assert.equal(isGranted(signed(undefined, KEY), elsewhere), false);
    assert.equal(isGranted(`/${download.name}?ts=7`, elsewhere), false);
    assert.equal(isGranted(signed(7, 'another key'), PEER), true, 'at its address each request is its own');
    job.deviceid = undefined;
    assert.equal(isGranted(signed(7, KEY), elsewhere), false, 'it is not known which device it is');
  });

  it('keeps what was asked for, and counts what has gone out', () => {
    const position = 3;
    const requests: [OtaRequest, object][] = [
      [asked(`/${download.name}`), { class: 'range', first: 4096 }],
      [asked(`/${download.name}?ts=${randElement(position)}`, {}), { class: 'no-range', randPosition: position }],
    ];
    const told: unknown[] = [];
    download.on('changed', () => told.push(job.evidence.all.length));
    for (const [request] of requests) {
      const grant = authorizer.find(request, PEER);
      assert.ok('observer' in grant);
      void grant.observer.request?.(request, PEER);
      grant.observer.sent(4096, 8192);
      grant.observer.ended({ complete: true, bytes: 8192 });
    }
    assert.deepEqual(
      job.evidence.all.map((seen) => ({ ...seen, at: 0 })),
      requests.map(([, more]) => ({ at: 0, kind: 'image-requested', role: 'final', size: 10_000, ...more })),
    );
    assert.deepEqual([download.requests, download.positions, download.sent], [2, [undefined, position], 4096]);
    assert.deepEqual(told, [1, 1, 2, 2], 'what was asked is known when it is reported');
  });

  it('takes the result from the device alone, at its path, while its flash is open', () => {
    assert.equal(authorizer.takerOf(RESULT, '192.0.2.8'), undefined);
    assert.equal(authorizer.takerOf('/api/device', PEER), undefined);
    const taker = authorizer.takerOf(RESULT, PEER);
    assert.ok(taker);
    const told: unknown[] = [];
    download.on('changed', () => told.push(job.evidence.all.at(-1)?.kind));
    assert.deepEqual(taker('{"error":409}'), { error: 0 });
    assert.deepEqual(told, ['result-reported']);
    for (const nothing of ['', '{}', '{"error":"0"}']) assert.deepEqual(taker(nothing), { error: 0 });
    assert.equal(download.result, 409);
    assert.deepEqual(
      job.evidence.all.map((seen) => ({ ...seen, at: 0 })),
      [{ at: 0, kind: 'result-reported', error: 409 }],
    );
    download.close();
    assert.equal(authorizer.takerOf(RESULT, PEER), undefined);
  });

  it('leaves to another host what is of that host', () => {
    const other = new ImageAuthorizer(new JobRegistry(), new Devices());
    assert.deepEqual(other.find(asked(`/${download.name}`), PEER), CLOSED);
    assert.equal(other.takerOf(RESULT, PEER), undefined);
  });

  it('knows its targets without a slash, which no other server has', () => {
    const targets = [
      'd0123abcd.bin',
      '/d0123abcd.bin',
      'd0123abc.bin',
      'd0123ABCD.bin',
      'xd0123abcd.bin',
      'd0123abcd.bin?x',
    ];
    assert.deepEqual(
      targets.map((target) => authorizer.ownsTarget(target)),
      [true, false, false, false, false, false],
    );
  });
});
