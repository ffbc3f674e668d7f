import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from './atomic-file';
import { readStored, storedText, type OnUnusable, type StoredFormat } from './stored-file';

/** Where a file lies; the folder is made when there is something to write. */
export interface Place {
  readonly folder: string;
  readonly name: string;
}

/**
 * A stored file that follows what is in memory: everything that changes during a write is written by the next one.
 * A failed write is reported once, and repeated with the next change; it stops nothing.
 */
export class FollowingFile<T extends object> {
  /** The newest write: one that is under way, or the next one behind it. */
  private newest: Promise<void> | undefined;
  /** Whether the newest write has not asked for its content yet. */
  private isAhead = false;
  private content: () => T | undefined = () => undefined;
  private hasFailed = false;

  /**
   * @param place undefined = for this process only
   * @param onTrouble called for a file that cannot be used or written
   */
  constructor(
    private readonly place: Place | undefined,
    private readonly format: StoredFormat<T>,
    private readonly onTrouble: OnUnusable,
  ) {}

  /** The content that an earlier run of the process stored; see `readStored`. */
  read(): T | undefined {
    const { place } = this;
    return place && readStored(join(place.folder, place.name), this.format, this.onTrouble);
  }

  /** @param content read when the write starts; without any the file is removed */
  follow(content: () => T | undefined): void {
    const { place } = this;
    if (!place) return;
    this.content = content;
    // All changes before that go into one write.
    if (!this.isAhead) this.newest = this.write(place, this.newest);
  }

  /**
   * Resolves when what there is now is on disk, could not be written, or the disk has had its time; what changes later is
   * not waited for.
   */
  async settled(limitMs?: number): Promise<void> {
    const { newest } = this;
    if (limitMs === undefined) return await newest;
    let limit: NodeJS.Timeout | undefined;
    const timeIsOver = new Promise<void>((resolve) => (limit = setTimeout(resolve, limitMs)));
    await Promise.race([newest, timeIsOver]);
    clearTimeout(limit);
  }

  private async write(place: Place, before: Promise<void> | undefined): Promise<void> {
    this.isAhead = true;
    await before;
    this.isAhead = false;
    try {
      await this.writeNow(place, this.content());
      this.hasFailed = false;
    } catch (error) {
      if (!this.hasFailed) {
        this.onTrouble(`${join(place.folder, place.name)} cannot be written: ${(error as Error).message}`);
      }
      this.hasFailed = true;
    }
  }

  private async writeNow({ folder, name }: Place, now: T | undefined): Promise<void> {
    if (now === undefined) return await rm(join(folder, name), { force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeAtomically(folder, name, storedText(this.format, now));
  }
}
