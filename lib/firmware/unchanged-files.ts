import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** A file that changed so recently may change again without a trace: the clocks of some file systems tick every 2 s. */
export const SETTLED_MS = 3000;
/** Paths come from messages, too. */
const PATHS_KEPT = 20;

/**
 * The bytes of files for as long as they are in use. A file that has not changed is not read again, so that hundreds of
 * devices can be flashed from one.
 */
export class UnchangedFiles {
  private readonly known = new Map<string, { readonly mark: string; readonly bytes: WeakRef<Buffer> }>();

  /** @param now in ms since the epoch */
  constructor(private readonly now: () => number = Date.now) {}

  /**
   * The bytes must not be changed.
   *
   * @param file what the file system says of it now
   * @throws what the file system says
   */
  async read(path: string, file: BigIntStats): Promise<Buffer> {
    const mark = markOf(file);
    const known = this.known.get(path);
    const bytes = known?.mark === mark ? known.bytes.deref() : undefined;
    if (bytes) return bytes;
    this.known.delete(path);
    const isSettled = Number(file.mtimeMs) < this.now() - SETTLED_MS && Number(file.ctimeMs) < this.now() - SETTLED_MS;
    const read = await readFile(path);
    if (isSettled && markOf(await stat(path, { bigint: true })) === mark) this.keep(path, mark, read);
    return read;
  }

  private keep(path: string, mark: string, bytes: Buffer): void {
    this.known.set(path, { mark, bytes: new WeakRef(bytes) });
    const [oldest] = this.known.keys();
    if (this.known.size > PATHS_KEPT && oldest !== undefined) this.known.delete(oldest);
  }
}

/** Another one for each change: no program can set `ctime`. */
function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
