import { constants, readFileSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from './atomic-file';
import { parseStored, setAside, type OnUnusable } from './stored-file';

/** Additions may have so many times the length of the whole before all is rewritten; and at least so much. */
const GROWTH_LIMIT = 2;
const LEAST_GROWTH_BYTES = 256 * 1024;

/** Appends only to an existing file: an empty one in place of one that was removed would lack its start. */
const APPEND = constants.O_WRONLY | constants.O_APPEND;

/**
 * A file of JSON lines: what there was, then what has changed since, each in a line of its own that is on the disk when
 * `add` resolves. A line that a crash has cut off was never said to be there, and is left out. The first line names the
 * format.
 */
export class Journal {
  readonly path: string;
  /** Whether a line can be added to what lies there. */
  private isOpen = false;
  private wholeBytes = 0;
  private addedBytes = 0;

  constructor(
    private readonly folder: string,
    private readonly name: string,
    private readonly format: string,
  ) {
    this.path = join(folder, name);
  }

  /**
   * The lines of an earlier run of the process, or undefined where there are none that can be used. The next `add` writes
   * the whole file. Not in the background: the listening that follows needs it.
   */
  read(onUnusable: OnUnusable): unknown[] | undefined {
    let content: string;
    try {
      content = readFileSync(this.path, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // Where a file is in the place of the folder, the first write tells.
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        onUnusable(`${this.path} could not be read and is not used: ${message}`);
      return undefined;
    }
    const [first = '', ...lines] = content.split('\n').slice(0, -1);
    const header = parseStored(first) as { format?: unknown } | null | undefined;
    if (header?.format !== this.format) {
      setAside(this.path, `could not be read: it is no file of the format ${this.format}`, onUnusable, 'move');
      return undefined;
    }
    const parsed = lines.map(parseStored);
    const damaged = parsed.filter((line) => line === undefined).length;
    if (damaged > 0) {
      const what = damaged === 1 ? 'a line' : `${damaged} lines`;
      setAside(this.path, `is used without ${what} of it that cannot be read`, onUnusable, 'copy');
    }
    return parsed.filter((line) => line !== undefined);
  }

  /** Whether the next `add` writes all. */
  get needsWhole(): boolean {
    return !this.isOpen;
  }

  /** Makes the next `add` write all: changes may have been lost before they came here. */
  mistrust(): void {
    this.isOpen = false;
  }

  /**
   * Adds a line.
   *
   * @param line JSON
   * @param whole the lines of a file that says the same as all lines so far with this one
   * @throws what the file system says; the next call writes the whole then
   */
  async add(line: string, whole: () => readonly string[]): Promise<void> {
    const length = Buffer.byteLength(line) + 1;
    const limit = Math.max(LEAST_GROWTH_BYTES, GROWTH_LIMIT * this.wholeBytes);
    if (this.isOpen && this.addedBytes + length <= limit && (await this.append(`${line}\n`))) {
      this.addedBytes += length;
      return;
    }
    await this.writeWhole(whole());
  }

  async remove(): Promise<void> {
    this.isOpen = false;
    await rm(this.path, { force: true });
  }

  /** @returns false where there is no such file any more */
  private async append(text: string): Promise<boolean> {
    // Until it is known to have gone well: half a line may lie there now.
    this.isOpen = false;
    try {
      const file = await open(this.path, APPEND);
      try {
        await file.writeFile(text);
        await file.datasync();
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    this.isOpen = true;
    return true;
  }

  private async writeWhole(lines: readonly string[]): Promise<void> {
    this.isOpen = false;
    const text = [JSON.stringify({ format: this.format }), ...lines, ''].join('\n');
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeAtomically(this.folder, this.name, text);
    this.wholeBytes = Buffer.byteLength(text);
    this.addedBytes = 0;
    this.isOpen = true;
  }
}
