/**
 * What `npm test` and `npm start` do first, on a fresh clone as well as on a used one. Node's own modules only: nothing
 * is installed yet when this runs.
 */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LAST_WORDS_MS = 10_000;

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends the process with a sentence where this Node is too old for the tools. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isEnough = (major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major >= 23;
  if (isEnough) return;
  console.error(`This needs Node.js 20.19, 22.13 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** Installs what package-lock.json says, unless that has been done since it last changed. */
export async function install() {
  const done = join(root, 'node_modules', '.package-lock.json');
  const wanted = join(root, 'package-lock.json');
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(wanted).mtimeMs) return true;
  return (await run(npm(), ['ci', '--no-audit', '--no-fund'])) === 0;
}

/** Builds, unless the caller has done so (SONOTA_BUILT). */
export async function build() {
  return process.env.SONOTA_BUILT === '1' || (await run(process.execPath, [join(root, 'scripts', 'build.mjs')])) === 0;
}

/**
 * Runs a command in the package's folder.
 *
 * @param {{ env?: Record<string, string>, limitMs?: number, hold?: string }} [options] past the limit the command is
 *   ended; with `hold` its output is shown when it has ended, under that heading
 * @returns {Promise<number>} its exit code; 1 where it could not be started or was killed
 */
export function run(command, args, { env = {}, limitMs, hold } = {}) {
  const output = hold === undefined ? 'inherit' : 'pipe';
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...env },
      shell: process.platform === 'win32' && command.endsWith('.cmd'),
    });
    // It may say first what it still waits for.
    const timers = [
      [limitMs, 'SIGTERM'],
      [limitMs + LAST_WORDS_MS, 'SIGKILL'],
    ].map(([ms, signal]) => (limitMs === undefined ? undefined : setTimeout(() => child.kill(signal), ms)));
    const held = hold === undefined ? [] : [Buffer.from(hold)];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => held.push(chunk));
    const settle = (code) => {
      for (const timer of timers) clearTimeout(timer);
      if (hold !== undefined) process.stdout.write(Buffer.concat(held));
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`);
      settle(1);
    });
    child.once('close', (code) => settle(code ?? 1));
  });
}

export function npm() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}
