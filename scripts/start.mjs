/**
 * `npm start`: installs, builds, opens a Node-RED on 127.0.0.1 with the rehearsal flow deployed, runs the rehearsal to
 * its end and shows how it goes. Node-RED stays open until Ctrl-C; with `--once` it ends with the rehearsal, and the
 * exit code says how that went. `--prepared` skips installing and building.
 *
 * Everything it keeps lies in .rehearsal/, which git ignores (or in the folder that SONOTA_REHEARSAL names); delete that
 * folder to begin anew.
 */
import { once } from 'node:events';

import { build, install, requireNode } from './prepare.mjs';
import { furnish } from './rehearsal/furnish.mjs';
import { launch } from './rehearsal/launch.mjs';

const isOnce = process.argv.includes('--once');

requireNode();
if (!process.argv.includes('--prepared')) {
  console.log('Installing and building first; the first time this takes a few minutes …');
  if (!((await install()) && (await build()))) process.exit(1);
}

// Only now: what this imports has just been installed.
const { rehearse } = await import('./rehearsal/rehearse.mjs');

const { url, flow, userDir } = await furnish();
const red = await launch(userDir);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => red.kill('SIGTERM'));
console.log(`\nNode-RED is open at ${url}\n`);

const fault = await rehearse(url, flow);
console.log(fault === undefined ? '\nThe rehearsal went well to its end.' : `\nThe rehearsal failed: ${fault}`);
if (isOnce) {
  red.kill('SIGTERM');
} else {
  console.log(`Open ${url} in a browser to look at it. Next: drag "flash sonoff" onto a new flow, or choose`);
  console.log('another fault in the virtual device and press the Inject again. Ctrl-C ends Node-RED.');
}
if (red.exitCode === null) await once(red, 'exit');
process.exit(isOnce && fault !== undefined ? 1 : 0);
