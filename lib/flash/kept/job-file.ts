/** The file of one host's jobs, and the images that they need beside it. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkForRoad, digestOf, type ImageRole } from '../../image';
import { roadFor, type Intermediate, type LoadedImage } from '../firmware/firmware';
import { isJobRecord, isTicketRecord, type ImageReference, type JobRecord } from './job-record';
import { isQueueRecord } from './queue-record';
import type { QueueRecord } from '../queue/entry';
import { writeAtomically } from '../firmware/store/atomic-file';
import type { TicketRecord } from './ticket-book';

const FORMAT = 'sonota-jobs/1';
const IMAGE_FILE = /^([\da-f]{64})\.bin$/;

export interface JobFileContent {
  readonly jobs: readonly JobRecord[];
  readonly tickets: readonly TicketRecord[];
  readonly queue?: QueueRecord;
}

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

  /**
   * What was kept; undefined where there is nothing. Not in the background: the devices dial as soon as we listen.
   *
   * @param setAside told of a file that is none of ours, which has another name then
   */
  read(setAside: (path: string, reason: string) => void): JobFileContent | undefined {
    this.removeLeftovers();
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') this.setAside(message, setAside);
      return undefined;
    }
    try {
      return contentOf(text);
    } catch (error) {
      this.setAside((error as Error).message, setAside);
      return undefined;
    }
  }

  /** An image that is still there and still what it was. */
  image(
    role: ImageRole,
    { sha256, source }: ImageReference,
    intermediate: Intermediate | undefined,
  ): LoadedImage | undefined {
    try {
      const bytes = this.bytes(sha256);
      return bytes && { role, bytes, sha256, facts: checkForRoad(bytes, roadFor(role, intermediate)), source };
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
    await writeAtomically(this.folder, this.name, `${JSON.stringify({ format: FORMAT, ...content })}\n`);
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

  private setAside(reason: string, tell: (path: string, reason: string) => void): void {
    const aside = `${this.path}.broken`;
    try {
      renameSync(this.path, aside);
    } catch {
      // Then it is overwritten with the next change.
    }
    tell(aside, reason);
  }
}

/** @throws Error where it is not what this version writes */
function contentOf(text: string): JobFileContent {
  const content = JSON.parse(text) as { format?: unknown; jobs?: unknown; tickets?: unknown; queue?: unknown } | null;
  if (content?.format !== FORMAT) throw new Error('it is not a file of jobs, or one of another version');
  const { jobs, tickets, queue } = content;
  if (!Array.isArray(jobs) || !jobs.every(isJobRecord)) throw new Error('its jobs cannot be read');
  if (!Array.isArray(tickets) || !tickets.every(isTicketRecord)) throw new Error('its messages cannot be read');
  if (queue === undefined) return { jobs, tickets };
  if (!isQueueRecord(queue)) throw new Error('its queue cannot be read');
  return { jobs, tickets, queue };
}
