import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeAtomically } from './atomic-file';
import { readStored, storedText, type OnUnusable, type StoredFormat } from './stored-file';

/** Where a file lies; the folder is made when there is something to write. */
export interface Place {
  readonly folder: string;
  readonly name: string;
}

/**
 * A stored file that follows what is in memory: everything that changes during a write is written by the next one.
 * What cannot be written is reported once, and written with the next change; it stops nobody.
 */
export class FollowingFile<T extends object> {
  private writing: Promise<void> | undefined;
  private next: (() => T | undefined) | undefined;
  private hasFailed = false;

  /**
   * @param place undefined = for this process only
   * @param onTrouble told of what cannot be used or written
   */
  constructor(
    private readonly place: Place | undefined,
    private readonly format: StoredFormat<T>,
    private readonly onTrouble: OnUnusable,
  ) {}

  /** What an earlier run of the process kept; see `readStored`. */
  read(): T | undefined {
    const { place } = this;
    return place && readStored(join(place.folder, place.name), this.format, this.onTrouble);
  }

  /** @param content asked for when the write begins; without any the file is removed */
  follow(content: () => T | undefined): void {
    const { place } = this;
    if (!place) return;
    this.next = content;
    this.writing ??= this.write(place);
  }

  /** Resolves when what there is now is on disk, could not be written, or the disk has had its time. */
  async settled(limitMs?: number): Promise<void> {
    if (limitMs === undefined) return await this.writing;
    const limit = new AbortController();
    const timeIsOver = pause(limitMs, undefined, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([this.writing, timeIsOver]);
    limit.abort();
  }

  private async write({ folder, name }: Place): Promise<void> {
    // All that changes in one go is written in one go.
    await Promise.resolve();
    try {
      for (let content = this.taken(); content; content = this.taken()) {
        const now = content();
        if (now === undefined) {
          await rm(join(folder, name), { force: true });
          continue;
        }
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeAtomically(folder, name, storedText(this.format, now));
      }
      this.hasFailed = false;
    } catch (error) {
      if (!this.hasFailed) this.onTrouble(`${join(folder, name)} cannot be written: ${(error as Error).message}`);
      this.hasFailed = true;
    } finally {
      this.writing = undefined;
    }
  }

  private taken(): (() => T | undefined) | undefined {
    const { next } = this;
    this.next = undefined;
    return next;
  }
}
