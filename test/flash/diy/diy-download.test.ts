import assert from 'node:assert/strict';
import { DiyDownload } from '../../../lib/flash/images/diy-download';
import { Job } from '../../../lib/flash/job/job';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import type { LoadedImage } from '../../../lib/firmware/firmware';

const PEER = '192.0.2.7';
const IMAGE = { role: 'final', bytes: Buffer.alloc(10_000), sha256: 'x', source: 'y' } as unknown as LoadedImage;

describe('flash/images/diy-download', () => {
  const open: DiyDownload[] = [];
  afterEach(timeGoesOn);
  afterEach(() => open.splice(0).forEach((download) => download.close()));

  function begin(job = new Job('diy', '10000a1b2c'), peer = PEER): DiyDownload {
    const download = DiyDownload.begin(job, IMAGE, peer);
    open.push(download);
    return download;
  }

  it('is found by its name and its device until it is closed', () => {
    const job = new Job('diy');
    const download = begin(job);
    assert.equal(download.name, `d${job.id.slice(0, 8)}.bin`);
    assert.deepEqual([download.job, download.image, download.peer, download.size], [job, IMAGE, PEER, 10_000]);
    const found = (): unknown[] => [DiyDownload.named(download.name), DiyDownload.from(PEER)];
    assert.deepEqual(found(), [download, download]);
    assert.deepEqual([DiyDownload.named('d00000000.bin'), DiyDownload.from('192.0.2.8')], [undefined, undefined]);
    download.close();
    assert.deepEqual(found(), [undefined, undefined]);
  });

  it('takes the place of an older one of its job, whose end changes nothing then', () => {
    const job = new Job('diy');
    const [older, newer] = [begin(job), begin(job)];
    older.close();
    assert.equal(DiyDownload.named(newer.name), newer);
  });

  it('counts each byte once that has gone out, in whatever order', () => {
    const download = begin();
    const sent: number[] = [download.sent];
    for (const [from, to] of [
      [4096, 8192],
      [0, 100],
      [50, 200],
      [5000, 8000],
      [0, 150],
      [200, 4096],
      [8192, 9999],
    ] as const) {
      download.sentPart(from, to);
      sent.push(download.sent);
    }
    assert.deepEqual(sent, [0, 4096, 4196, 4296, 4296, 4296, 8192, 9999]);
    assert.equal(download.isComplete, false);
    download.sentPart(9999, 10_000);
    assert.equal(download.isComplete, true);
  });

  it('flows for a while after each request and each byte, and has stalled after that until it has begun again', () => {
    const download = begin();
    assert.equal(download.isFlowing(1000, 5000), false);
    const at = (ms: number): boolean[] => [download.isFlowing(1000, ms), download.hasStalled(1000, ms)];
    assert.deepEqual(at(9000), [false, false], 'what has not begun has not stalled');
    download.requested(1, 2000);
    assert.deepEqual(
      [at(2999), at(3000)],
      [
        [true, false],
        [false, true],
      ],
    );
    download.sentPart(0, 10, 5000);
    assert.deepEqual(
      [at(5999), at(6000)],
      [
        [true, false],
        [false, true],
      ],
    );
    download.again();
    assert.deepEqual(at(9000), [false, false]);
    download.sentPart(0, 10_000, 9000);
    assert.deepEqual(at(10_000), [false, false], 'what is complete has not stalled');
  });

  it('starts over at a new command, and counts on what was asked', () => {
    const download = begin();
    download.requested(3);
    download.sentPart(0, 10_000);
    download.reported(409);
    assert.deepEqual([download.sent, download.result], [10_000, 409]);
    download.again();
    assert.deepEqual([download.sent, download.result, download.isComplete], [0, undefined, false]);
    assert.deepEqual([download.requests, download.positions], [1, [3]]);
  });

  it('keeps the newest places in the sequence of the device, and counts all requests', () => {
    const download = begin();
    for (let n = 1; n <= 2001; n++) download.requested(n);
    download.requested(undefined);
    assert.deepEqual([download.requests, download.positions.length], [2002, 2000]);
    assert.deepEqual([download.positions[0], download.positions.at(-1)], [3, undefined]);
  });

  it('reports each request, each part and the result', () => {
    const download = begin();
    const news: unknown[] = [];
    download.on('changed', () => {
      news.push([download.requests, download.positions.length, download.sent, download.result]);
    });
    download.requested(1);
    download.sentPart(0, 7);
    download.reported(0);
    assert.deepEqual(news, [
      [1, 1, 0, undefined],
      [1, 1, 7, undefined],
      [1, 1, 7, 0],
    ]);
  });

  it('knows the time of what is reported to it', () => {
    timeStands(['Date'], 5000);
    const download = begin();
    download.requested(1);
    assert.deepEqual([download.isFlowing(1), download.isFlowing(1, 6000)], [true, false]);
    timePasses(1000);
    assert.deepEqual([download.isFlowing(1000), download.hasStalled(1000)], [false, true]);
    download.sentPart(0, 1);
    assert.deepEqual([download.isFlowing(1000, 6999), download.hasStalled(1000)], [true, false]);
  });

  it('serves, of two to the same address, the one that began first', () => {
    const [first, second] = [begin(), begin()];
    assert.equal(DiyDownload.from(PEER), first);
    first.close();
    assert.equal(DiyDownload.from(PEER), second);
  });
});
