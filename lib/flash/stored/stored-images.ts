import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkForTarget, digestOf, type ImageFacts, type ImageRole, type ImageTarget } from '../../image';
import type { LoadedImage } from '../../firmware/firmware';
import { writeAtomically } from '../../storage/atomic-file';
import { targetOf, type Route } from '../routes';
import type { ImageReference } from './job-record';

const IMAGE_FILE = /^([\da-f]{64})\.bin$/;

/** Bytes under their own digest. */
export type StoredImage = Pick<LoadedImage, 'sha256' | 'bytes'>;

/** The images that stored jobs and messages need, each once, in a folder of their own. */
export class StoredImages {
  /** Digests of the images that are known to lie there. */
  private readonly there = new Set<string>();
  private readonly read = new Map<string, Buffer | undefined>();
  private readonly examined = new Map<string, ImageFacts>();
  private isTidy = false;

  constructor(private readonly folder: string) {}

  /** An image that is still there and still what it was. */
  image(role: ImageRole, { sha256, source }: ImageReference, route: Route | undefined): LoadedImage | undefined {
    try {
      const bytes = this.bytes(sha256);
      return bytes && { role, bytes, sha256, facts: this.facts(sha256, bytes, targetOf(role, route)), source };
    } catch {
      return undefined;
    }
  }

  /** The bytes with this digest, if they are there; shared by all callers before the next change. */
  bytes(sha256: string): Buffer | undefined {
    if (!this.read.has(sha256)) this.read.set(sha256, this.readNow(sha256));
    return this.read.get(sha256);
  }

  /** @throws what the file system says */
  async add(images: readonly StoredImage[]): Promise<void> {
    this.read.clear();
    this.examined.clear();
    for (const { sha256, bytes } of images) {
      if (this.there.has(sha256)) continue;
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await writeAtomically(this.folder, `${sha256}.bin`, bytes);
      this.there.add(sha256);
    }
  }

  /** Removes all others. */
  async retain(needed: ReadonlySet<string>): Promise<void> {
    const isNews = !this.isTidy || [...this.there].some((sha256) => !needed.has(sha256));
    if (!isNews) return;
    this.isTidy = true;
    const names = await readdir(this.folder).catch(() => []);
    for (const name of names) {
      const sha256 = IMAGE_FILE.exec(name)?.[1];
      if (sha256 !== undefined && needed.has(sha256)) continue;
      await rm(join(this.folder, name), { force: true });
      if (sha256 !== undefined) this.there.delete(sha256);
    }
    if (needed.size === 0) await rm(this.folder, { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    this.there.clear();
  }

  private readNow(sha256: string): Buffer | undefined {
    try {
      const bytes = readFileSync(join(this.folder, `${sha256}.bin`));
      if (digestOf(bytes) !== sha256) return undefined;
      this.there.add(sha256);
      return bytes;
    } catch {
      return undefined;
    }
  }

  /** Many jobs have the same image. @throws FlashError as `checkForTarget` */
  private facts(sha256: string, bytes: Buffer, target: ImageTarget): ImageFacts {
    const key = `${sha256} ${target}`;
    const facts = this.examined.get(key) ?? checkForTarget(bytes, target);
    this.examined.set(key, facts);
    return facts;
  }
}
