/** The file of one host's jobs, and the images that they need beside it. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../storage/atomic-file';
import { contentOf, JobLines, type JobChanges } from './job-journal';
import { jobFileContent, type JobFileContent } from './job-schema';
import { Journal } from '../../storage/journal';
import { StoredImages, type StoredImage } from './stored-images';
import { readStored, usable, type OnUnusable, type StoredFormat } from '../../storage/stored-file';

/** Each job is a line that is written when it changes. */
const FORMAT = 'sonota-jobs/2';
/** All jobs in one text. */
const FORMER: StoredFormat<JobFileContent> = { format: 'sonota-jobs/1', schema: jobFileContent };

export class JobFile {
  readonly images: StoredImages;
  private readonly journal: Journal;
  private readonly lines = new JobLines();
  /** Images that the disk has not taken yet, by their digests. */
  private readonly awaitedImages = new Map<string, StoredImage>();
  private isFormerAway = false;
  private readonly names: { readonly journal: string; readonly former: string };

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
    this.names = { journal: `${safe}.jsonl`, former: `${safe}.json` };
    this.journal = new Journal(folder, this.names.journal, FORMAT);
    this.images = new StoredImages(join(folder, `${safe}.images`));
  }

  get path(): string {
    return this.journal.path;
  }

  /**
   * What was kept; see `readStored`. A file of the former format is newer than the other where there are both: it is put
   * away as soon as its jobs are in the other one, and an older version of this package writes no other.
   */
  read(onUnusable: OnUnusable): JobFileContent | undefined {
    this.removeLeftovers();
    const former = readStored(this.formerPath, FORMER, onUnusable);
    if (former) return former;
    const lines = this.journal.read(onUnusable);
    return lines && usable(this.path, jobFileContent, contentOf(lines), onUnusable);
  }

  /** Ids of the jobs that are in the file. */
  jobIds(): readonly string[] {
    return this.lines.jobIds();
  }

  hasJob(id: string): boolean {
    return this.lines.hasJob(id);
  }

  /**
   * Writes the images first, so that the file never names one that is not there; then removes those that are not needed.
   *
   * @param images bytes of those that may not be there yet
   * @param needed digests of all that the file names
   * @throws what the file system says; the next call writes what this one could not
   */
  async write(changes: JobChanges, images: readonly StoredImage[], needed: ReadonlySet<string>): Promise<void> {
    const line = this.lines.update(changes);
    for (const image of images) this.awaitedImages.set(image.sha256, image);
    try {
      await this.images.add([...this.awaitedImages.values()]);
      this.awaitedImages.clear();
      if (line !== undefined || this.journal.needsWhole) await this.journal.add(line ?? '{}', () => this.lines.whole());
      await this.putFormerAway();
    } catch (error) {
      this.journal.mistrust();
      throw error;
    }
    await this.images.retain(needed);
  }

  /** The host is closed. */
  async remove(): Promise<void> {
    await this.journal.remove();
    for (const path of [this.formerPath, `${this.formerPath}.old`]) await rm(path, { force: true });
    await this.images.remove();
  }

  private get formerPath(): string {
    return join(this.folder, this.names.former);
  }

  /** Kept for a return to an older version; on the disk before anything else is written, as it would be read instead. */
  private async putFormerAway(): Promise<void> {
    if (this.isFormerAway) return;
    if (existsSync(this.formerPath)) {
      await rename(this.formerPath, `${this.formerPath}.old`);
      await syncFolder(this.folder);
    }
    this.isFormerAway = true;
  }

  /** Of writes that a crash cut off; other hosts may be writing just now. */
  private removeLeftovers(): void {
    const mine = Object.values(this.names).map((name) => `.${name}.`);
    try {
      const left = readdirSync(this.folder).filter((name) => mine.some((beginning) => name.startsWith(beginning)));
      for (const name of left) rmSync(join(this.folder, name), { force: true });
    } catch {
      // There is no folder yet.
    }
  }
}
