/**
 * Files that are there whole or not at all, whatever breaks in between. No library does it: the well-kept one
 * (write-file-atomic) needs a newer Node.js than Node-RED 4 does.
 */

import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const LEFTOVER = /^\..+\.part$/;

/**
 * Writes beside the name first and takes the name when every byte is on the disk.
 *
 * @throws what the file system says (`ENOSPC`, `EACCES`…); nothing is left behind then
 */
export async function writeAtomically(folder: string, name: string, content: Buffer | string): Promise<void> {
  const part = join(folder, `.${name}.${randomBytes(6).toString('hex')}.part`);
  try {
    const file = await open(part, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, join(folder, name));
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Removes what a crash or a power cut left of unfinished writes. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (LEFTOVER.test(name)) await rm(join(folder, name), { force: true });
}

/** The name itself lies in the folder; not every system lets a folder be synced, and none needs it to be right. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows, and some network disks.
  }
}
