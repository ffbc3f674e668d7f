/**
 * `npm run test:dashboard`: builds, then drives the examples that need FlowFuse Dashboard 2 in a real browser, on
 * Node-RED 4.1 and 5.0. With `SONOTA_SCREENSHOT` set it makes the pictures of the docs anew.
 */
import { longRun } from './long-run.mjs';
import { nodeRed5 } from './node-red-5.mjs';
import { palette } from './palette.mjs';
import { install, requireNode } from './prepare.mjs';

requireNode();
if (!(await install())) process.exit(1);
const dashboard = await palette('@flowfuse/node-red-dashboard', '1.31.0');
if (dashboard !== undefined) process.env['SONOTA_DASHBOARD'] = dashboard;
const second = await nodeRed5();
if (second.skip) console.log(`\nNode-RED 5.0 is skipped, because ${second.skip}.`);
else Object.assign(process.env, { SONOTA_NODE_RED_5: second.folder, SONOTA_NODE_5: second.node });
await longRun(['dashboard/dashboard.js', 'dashboard/language.js'], 6 * 60_000);
