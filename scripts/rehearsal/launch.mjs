/** Starts the rehearsal's Node-RED. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const START_LIMIT_MS = 60_000;

/**
 * What Node-RED prints goes to `node-red.log` in its user folder; warnings and errors are shown as well.
 *
 * @param {string} userDir
 * @returns {Promise<import('node:child_process').ChildProcess>} the process, its flows started; the script ends where
 *   they do not start
 */
export async function launch(userDir) {
  const main = join(dirname(createRequire(import.meta.url).resolve('node-red/package.json')), 'red.js');
  const child = spawn(process.execPath, [main, '--userDir', userDir, '--settings', join(userDir, 'settings.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C goes to this script, which ends Node-RED; on its own it would get the signal twice.
    detached: process.platform !== 'win32',
  });
  const logFile = join(userDir, 'node-red.log');
  const log = createWriteStream(logFile);
  const isStarted = await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), START_LIMIT_MS);
    const settle = (result) => {
      clearTimeout(timer);
      resolve(result);
    };
    child.once('exit', () => settle(false));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`);
        if (/ - \[error\] /.test(line)) console.error(line);
        if (line.includes('Started flows')) settle(true);
      });
    }
  });
  if (isStarted) return child;
  console.error(`Node-RED did not start; see ${logFile}`);
  child.kill('SIGKILL');
  process.exit(1);
}
