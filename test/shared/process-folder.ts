import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A temporary folder that several test files of this process share; it is removed when the process exits. A hook of
 * mocha's would be too early: a worker runs one file after another, and each of them has its own root suite; and a host
 * writes behind its close, such as its key and its address at home.
 */
export function processFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `sonota-${name}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
