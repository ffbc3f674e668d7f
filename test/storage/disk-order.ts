import type { FileHandle } from 'node:fs/promises';
import files from 'node:fs/promises';
import { basename } from 'node:path';
import { mock } from 'node:test';

type Work<T> = () => Promise<T>;

/**
 * Lists what is done to the disk from here on, in its order, until `mock.restoreAll`: a power cut shows that order, and
 * nothing else does. The real functions do it. What starts while something else is under way is listed as too early.
 *
 * @param nameOf a path, for the list
 * @param broken what fails from here on, as it would be listed
 */
export function watchDisk(nameOf: (path: string) => string = basename, broken = new Set<string>()): string[] {
  const done: string[] = [];
  let isBusy = false;
  const watched = async <T>(what: string, work: Work<T>): Promise<T> => {
    if (broken.has(what)) throw new Error('the disk is full');
    if (isBusy) done.push(`${what} too early`);
    isBusy = true;
    const result = await work().finally(() => (isBusy = false));
    done.push(what);
    return result;
  };
  const { open, rename } = files;
  mock.method(files, 'open', async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    watchHandle(handle, (what, work) => watched(`${what} ${nameOf(String(args[0]))}`, work));
    return handle;
  });
  mock.method(files, 'rename', (from: string, to: string) =>
    watched(`rename ${nameOf(from)} to ${nameOf(to)}`, () => rename(from, to)),
  );
  return done;
}

function watchHandle(handle: FileHandle, watched: (what: string, work: Work<void>) => Promise<void>): void {
  for (const what of ['writeFile', 'sync', 'datasync', 'close'] as const) {
    const real = (handle[what] as (...args: unknown[]) => Promise<void>).bind(handle);
    mock.method(handle, what, (...args: unknown[]) => watched(what, () => real(...args)));
  }
}
