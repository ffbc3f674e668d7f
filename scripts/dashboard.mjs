/**
 * `npm run test:dashboard`: builds, then drives the examples that need FlowFuse Dashboard 2 in a real browser, on
 * Node-RED 4.1 and 5.0, and our part of the editor in the dark. With `SONOTA_SCREENSHOT` set it makes the pictures of the docs anew.
 */
import { longRun } from './long-run.mjs';
import { nodeRed5 } from './node-red-5.mjs';
import { palette } from './palette.mjs';
import { install, requireNode } from './prepare.mjs';

requireNode();
if (!(await install())) process.exit(1);
const dashboard = await palette('@flowfuse/node-red-dashboard', '1.31.0');
if (dashboard !== undefined) process.env['SONOTA_DASHBOARD'] = dashboard;
// 5.0 has a dark theme of its own.
const themes = await palette('@node-red-contrib-themes/theme-collection', '3.0.6');
if (themes !== undefined) process.env['SONOTA_THEMES'] = themes;
const second = await nodeRed5();
if (second.skip) console.log(`\nNode-RED 5.0 is skipped, because ${second.skip}.`);
else Object.assign(process.env, { SONOTA_NODE_RED_5: second.folder, SONOTA_NODE_5: second.node });
await longRun(['dashboard/dashboard.js', 'dashboard/language.js', 'dashboard/dark.js'], 6 * 60_000);
