import type { FileHandle } from 'node:fs/promises';
import files from 'node:fs/promises';
import { basename } from 'node:path';
import { mock } from 'node:test';

/**
 * Lists what is done to the disk from here on, in its order, until `mock.restoreAll`: a power cut shows that order, and
 * nothing else does. The real functions do it.
 *
 * @param nameOf a path, for the list
 */
export function watchDisk(nameOf: (path: string) => string = basename): string[] {
  const done: string[] = [];
  const { open, rename } = files;
  mock.method(files, 'open', async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    watchHandle(handle, (what) => done.push(`${what} ${nameOf(String(args[0]))}`));
    return handle;
  });
  mock.method(files, 'rename', async (from: string, to: string) => {
    await rename(from, to);
    done.push(`rename ${nameOf(from)} to ${nameOf(to)}`);
  });
  return done;
}

function watchHandle(handle: FileHandle, tell: (what: string) => void): void {
  for (const what of ['writeFile', 'sync', 'datasync', 'close'] as const) {
    const real = (handle[what] as (...args: unknown[]) => Promise<void>).bind(handle);
    mock.method(handle, what, async (...args: unknown[]) => {
      await real(...args);
      tell(what);
    });
  }
}
