import assert from 'node:assert/strict';
import { once } from 'node:events';
import { FlashError } from '../../lib/errors';
import { ExaminedImages } from '../../lib/firmware/examined-images';
import { type Firmware } from '../../lib/firmware/firmware';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { IMAGE_WORK, type ImageWork } from '../../lib/firmware/image-work';
import { ImageWorker } from '../../lib/firmware/image-worker';
import { examine, makeFinalImage, makeUserImage, packOneHop } from '../../lib/image';
import { assertRefused } from '../shared/refusal';
import { FIRMWARE } from '../flash/bench';
import { wording } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const FINAL = makeFinalImage({ size: 24_576 });

/** The real work, counted. */
class CountedWork implements ImageWork {
  readonly done: string[] = [];

  async examine(...[bytes, target]: Parameters<ImageWork['examine']>): ReturnType<ImageWork['examine']> {
    this.done.push(target);
    return IMAGE_WORK.examine(bytes, target);
  }
  async pack(final: Uint8Array): Promise<Uint8Array> {
    this.done.push('pack');
    return IMAGE_WORK.pack(final);
  }
}

describe('flash/examined-images', () => {
  it('examines and packs a content once for each place, however many ask at the same time and afterwards', async () => {
    const work = new CountedWork();
    const images = new ExaminedImages(work);
    const ask = async (): Promise<void> => {
      const bytes = Buffer.from(FINAL);
      await images.facts(bytes, 'one-hop');
      await images.facts(bytes, 'finalstage');
      await images.packed(bytes);
    };
    await Promise.all(Array.from({ length: 20 }, ask));
    await ask();
    assert.deepEqual(work.done.sort(), ['finalstage', 'one-hop', 'pack']);
  });

  it('gives the same bytes for the same content', async () => {
    const images = new ExaminedImages(new CountedWork());
    const { bytes, sha256 } = images.share(Buffer.from(FINAL));
    assert.equal(images.share(Buffer.from(FINAL)).bytes, bytes);
    assert.equal(sha256, examine(FINAL, 'finalstage').sha256);
    assert.equal((await images.packed(Buffer.from(FINAL))).bytes, (await images.packed(bytes)).bytes);
  });

  it('keeps no more bytes than it may, and those that were used last', async () => {
    const work = new CountedWork();
    const images = new ExaminedImages(work, 100_000);
    const some = [1, 2, 3, 4, 5].map((seed) => makeFinalImage({ size: 24_576, seed }));
    for (const bytes of some.slice(0, 4)) await images.facts(bytes, 'finalstage');
    const [oldest, second] = some as [Buffer, Buffer];
    await images.facts(oldest, 'finalstage');
    await images.facts(some[4] as Buffer, 'finalstage');
    assert.equal(work.done.length, 5);
    await images.facts(oldest, 'finalstage');
    assert.equal(work.done.length, 5, 'it was used since');
    await images.facts(second, 'finalstage');
    assert.equal(work.done.length, 6, 'it had to go');
  });

  it('keeps 8 MiB of images unless told otherwise', () => {
    const images = new ExaminedImages(new CountedWork());
    const some = Array.from({ length: 9 }, (_, seed) => Buffer.alloc(1024 * 1024, seed));
    const isKept = (one: Buffer): boolean => images.share(Buffer.from(one)).bytes === one;
    for (const one of some.slice(0, 8)) images.share(one);
    assert.ok(isKept(some[0]!));
    images.share(some[8]!);
    assert.deepEqual([isKept(some[0]!), isKept(some[8]!), isKept(some[1]!)], [true, true, false]);
  });

  it('keeps an image that is larger than what it may keep until the next one comes', async () => {
    const work = new CountedWork();
    const images = new ExaminedImages(work, 1);
    await images.facts(FINAL, 'finalstage');
    await images.facts(FINAL, 'finalstage');
    assert.equal(work.done.length, 1);
  });

  it('refuses an image as often as it is asked, and examines it once', async () => {
    const work = new CountedWork();
    const images = new ExaminedImages(work);
    for (let times = 0; times < 2; times++) {
      await assertRefused(images.facts(makeUserImage({ slot: 1 }), 'finalstage'), 'image-invalid');
    }
    assert.equal(work.done.length, 1);
  });

  it('tries again what could not be found out', async () => {
    let fails = true;
    const work = new CountedWork();
    const failing: ImageWork = {
      examine: async (bytes, target) => (fails ? Promise.reject(new Error('gone')) : work.examine(bytes, target)),
      pack: async (final) => (fails ? Promise.reject(new Error('gone')) : work.pack(final)),
    };
    const images = new ExaminedImages(failing);
    await assert.rejects(images.facts(FINAL, 'finalstage'), /gone/);
    await assert.rejects(images.packed(FINAL), /gone/);
    fails = false;
    await images.facts(FINAL, 'finalstage');
    await images.packed(FINAL);
    assert.deepEqual(work.done, ['finalstage', 'pack']);
  });
});

describe('firmware of several jobs', () => {
  for (const intermediate of ['finalstage', 'one-hop'] as const) {
    it(`is the same bytes in memory (${intermediate})`, async () => {
      const load = (): Promise<Firmware> => {
        const images = Object.entries(FIRMWARE).map(([role, bytes]) => [role, Buffer.from(bytes)] as const);
        const sources = { ...Object.fromEntries(images), intermediate };
        return loadFirmware(sources, { signal: new AbortController().signal });
      };
      const [one, other] = await Promise.all([load(), load()]);
      for (const role of ['user1', 'user2', 'final'] as const) {
        assert.ok(one[role]);
        assert.equal(one[role]?.bytes, other[role]?.bytes, role);
        assert.equal(one[role]?.facts, other[role]?.facts, role);
      }
      const pair = intermediate === 'one-hop' ? 'one hop of message' : 'message';
      const images = Object.values(one).map(({ role, source }) => [role, source]);
      assert.deepEqual(Object.fromEntries(images), { final: 'message', user1: pair, user2: pair });
    });
  }
});

describe('flash/image-worker', () => {
  it('does in its thread what the image doctor does', async () => {
    const worker = new ImageWorker();
    assert.deepEqual(await worker.examine(FINAL, 'one-hop'), examine(FINAL, 'one-hop'));
    assert.deepEqual(Buffer.from(await worker.pack(FINAL)), packOneHop(FINAL));
  });

  it('refuses with the code and the values of the refusal', async () => {
    const error = await assertRefused(new ImageWorker().pack(makeUserImage({ slot: 1 })), 'image-invalid');
    assert.equal(error.values.what?.code, 'image-final');
  });

  it('reports that its thread is gone, and starts another one for what comes next', async () => {
    const worker = new ImageWorker();
    const lost = worker.examine(FINAL, 'finalstage');
    const code = (await worker['worker']?.terminate()) ?? assert.fail('there is no thread');
    await assert.rejects(lost, (error) => {
      assert.ok(error instanceof FlashError);
      const reason = wording('thread-gone', { message: wording('thread-ended', { code }) });
      assert.deepEqual([error.code, error.values], ['unexplained', { reason }]);
      return true;
    });
    assert.equal((await worker.examine(FINAL, 'finalstage')).verdict, examine(FINAL, 'finalstage').verdict);
  });

  it('keeps one thread while it is used, and ends it after 10 s in which it was not', async () => {
    timeStands(['setTimeout']);
    try {
      const worker = new ImageWorker();
      await Promise.all([worker.examine(FINAL, 'finalstage'), worker.pack(FINAL)]);
      const thread = worker['worker'];
      timePasses(9_999);
      await worker.examine(FINAL, 'finalstage');
      timePasses(9_999);
      assert.ok(thread && worker['worker'] === thread);
      const ended = once(thread, 'exit');
      timePasses(1);
      assert.equal(worker['worker'], undefined);
      const examining = worker.examine(FINAL, 'finalstage');
      await ended;
      assert.equal((await examining).verdict, examine(FINAL, 'finalstage').verdict, 'it has a thread of its own');
    } finally {
      timeGoesOn();
    }
  });
});
