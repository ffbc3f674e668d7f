/** The work on a final image before a flash in one hop, and how long the event loop stands still for it. */

import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { ExaminedImages } from '../../lib/firmware/examined-images';
import { ImageWorker } from '../../lib/firmware/image-worker';
import type { Row } from './figures';
import { Probe } from './probe';

export async function imageWork(final: Buffer, rounds: number): Promise<Row> {
  const time = { ours: [] as number[], partner: [] as number[] };
  const again: number[] = [];
  const stop: number[] = [];
  const worker = new ImageWorker();
  await worker.examine(final, 'one-hop');
  for (let round = 0; round < rounds; round++) {
    time.partner.push(await timed(() => Promise.resolve(byNodeAlone(final))));
    const images = new ExaminedImages(worker);
    const probe = new Probe();
    probe.begin();
    time.ours.push(await timed(() => all(images, final)));
    stop.push(probe.end().loopWorst);
    again.push(await timed(() => all(images, Buffer.from(final))));
  }
  return {
    name: 'examine, hash and pack 500 kB',
    partner: 'sha256 and deflate of Node.js alone',
    figures: {
      'the first time': { unit: 'ms', ...time },
      'every other time': { unit: 'ms', digits: 1, ours: again },
      'loop delay, worst': { unit: 'ms', ours: stop },
    },
  };
}

async function all(images: ExaminedImages, final: Buffer): Promise<void> {
  await images.facts(final, 'one-hop');
  const { bytes } = await images.packed(final);
  await images.facts(bytes, 'cloud-user1');
  await images.facts(bytes, 'cloud-user2');
}

function byNodeAlone(final: Buffer): void {
  createHash('sha256').update(final).digest('hex');
  deflateRawSync(final, { level: 9, memLevel: 9 });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
