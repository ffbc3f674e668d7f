/**
 * `npm run test:node-red-5`: builds, then runs the tests of the nodes and of the editor on Node-RED 5.0, with a Node.js
 * that it takes. Arguments go to mocha.
 */
import { nodeRed5 } from './node-red-5.mjs';
import { build, install, requireNode } from './prepare.mjs';
import { finish, of, skip, step, tests } from './test-runs.mjs';

requireNode();
if (!(await step('install', install)) || !(await step('build', build))) finish();
const second = await nodeRed5();
if (second.skip) {
  skip('the tests on Node-RED 5.0', second.skip);
} else {
  const there = { node: second.node, env: { SONOTA_NODE_RED: second.folder } };
  await Promise.all([
    tests(`the nodes on Node-RED ${second.version}`, [of('nodes')], there),
    tests(`the editor on Node-RED ${second.version}`, [of('editor')], { ...there, hold: true }),
  ]);
}
finish();
