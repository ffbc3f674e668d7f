/** The file of one host's jobs, and the images that they need beside it. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkForRoad, digestOf, type ImageRole } from '../../image';
import type { LoadedImage } from '../firmware/firmware';
import { targetOf, type Route } from '../routes';
import type { ImageReference } from './job-record';
import { jobFileContent, type JobFileContent } from './job-schema';
import { readStored, storedText, type OnUnusable, type StoredFormat } from './stored-file';
import { writeAtomically } from '../firmware/store/atomic-file';

const FORMAT: StoredFormat<JobFileContent> = { format: 'sonota-jobs/1', schema: jobFileContent };
const IMAGE_FILE = /^([\da-f]{64})\.bin$/;

/** Bytes under their own digest. */
export type KeptImage = Pick<LoadedImage, 'sha256' | 'bytes'>;

export class JobFile {
  private readonly name: string;
  private readonly images: string;
  /** Digests of the images that are known to lie there. */
  private readonly kept = new Set<string>();
  private isTidy = false;

  /**
   * @param folder for the jobs of all hosts; made when there is something to write
   * @param hostId of the host's config node
   */
  constructor(
    private readonly folder: string,
    hostId: string,
  ) {
    // Ids are hex numbers, but a person can write any into a flow file.
    const safe = /^[\w-]{1,64}$/.test(hostId) ? hostId : createHash('sha256').update(hostId).digest('hex');
    this.name = `${safe}.json`;
    this.images = join(folder, `${safe}.images`);
  }

  get path(): string {
    return join(this.folder, this.name);
  }

  /** What was kept; see `readStored`. */
  read(onUnusable: OnUnusable): JobFileContent | undefined {
    this.removeLeftovers();
    return readStored(this.path, FORMAT, onUnusable);
  }

  /** An image that is still there and still what it was. */
  image(role: ImageRole, { sha256, source }: ImageReference, route: Route | undefined): LoadedImage | undefined {
    try {
      const bytes = this.bytes(sha256);
      return bytes && { role, bytes, sha256, facts: checkForRoad(bytes, targetOf(role, route)), source };
    } catch {
      return undefined;
    }
  }

  /** The bytes with this digest, where they are there. */
  bytes(sha256: string): Buffer | undefined {
    try {
      const bytes = readFileSync(join(this.images, `${sha256}.bin`));
      if (digestOf(bytes) !== sha256) return undefined;
      this.kept.add(sha256);
      return bytes;
    } catch {
      return undefined;
    }
  }

  /**
   * Writes the images first, so that a file never names one that is not there; then removes those that it does not.
   * @throws what the file system says
   */
  async write(content: JobFileContent, images: readonly KeptImage[]): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    for (const { sha256, bytes } of images) {
      if (this.kept.has(sha256)) continue;
      await mkdir(this.images, { recursive: true, mode: 0o700 });
      await writeAtomically(this.images, `${sha256}.bin`, bytes);
      this.kept.add(sha256);
    }
    await writeAtomically(this.folder, this.name, storedText(FORMAT, content));
    await this.tidyUp(new Set(images.map(({ sha256 }) => sha256)));
  }

  /** The host is no more. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(this.images, { recursive: true, force: true });
    this.kept.clear();
  }

  private async tidyUp(needed: ReadonlySet<string>): Promise<void> {
    const isNews = !this.isTidy || [...this.kept].some((sha256) => !needed.has(sha256));
    if (!isNews) return;
    this.isTidy = true;
    const names = await readdir(this.images).catch(() => []);
    for (const name of names) {
      const sha256 = IMAGE_FILE.exec(name)?.[1];
      if (sha256 !== undefined && needed.has(sha256)) continue;
      await rm(join(this.images, name), { force: true });
      if (sha256 !== undefined) this.kept.delete(sha256);
    }
    if (needed.size === 0) await rm(this.images, { recursive: true, force: true });
  }

  /** Of writes that a crash cut off; other hosts may be writing just now. */
  private removeLeftovers(): void {
    try {
      const mine = readdirSync(this.folder).filter((name) => name.startsWith(`.${this.name}.`));
      for (const name of mine) rmSync(join(this.folder, name), { force: true });
    } catch {
      // There is no folder yet.
    }
  }
}
