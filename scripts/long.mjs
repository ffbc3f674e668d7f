/**
 * `node scripts/long.mjs NAME` (`npm run test:NAME`): builds, then runs one of the long test runs below, which `npm test`
 * leaves out. `.ci/run` runs them all. Further arguments go to mocha.
 */
import { homeAssistantPalette } from './home-assistant/palette.mjs';
import { homeAssistant } from './home-assistant/place.mjs';
import { nodeRed5 } from './node-red-5.mjs';
import { palette } from './palette.mjs';
import { build, install, requireNode } from './prepare.mjs';
import { radio } from './radio/run.mjs';
import { finish, skip, step, tests } from './test-runs.mjs';

/**
 * What each run consists of. `specs` are compiled tests below dist/test; `limitMinutes`: what takes longer hangs, on a busy
 * machine too; `jobs`: how many files run at a time; `options` for Node.js itself; `prepare` returns what the run needs,
 * `{ node?, env? }`, or `{ skip }`, a half-sentence. A run that is no run of mocha has an `act` instead.
 *
 * `isBusy` where it keeps a processor busy and shares no port with the others: `.ci/run` has these beside the others,
 * which mostly wait, and of which several name the same ports.
 */
export const RUNS = {
  /** All tests in a browser; `npm test` has one file of them. */
  editor: { specs: ['editor/*.test.js'], limitMinutes: 30 },
  /** Every class of device, slot and host, and DIY mode, in namespaces with real addresses; `npm test` has one. */
  lab: { specs: ['lab/*.test.js', 'lab/sweep.js'], limitMinutes: 30 },
  /** The package as npm would publish it, and `npm start`, which rehearses in it. */
  package: { specs: ['package/*.scenario.js'], limitMinutes: 30 },
  /** The tests of the nodes and of the editor again. */
  'node-red-5': {
    specs: ['nodes/*.test.js', 'editor/*.test.js'],
    limitMinutes: 30,
    prepare: async () => {
      const { skip, node, folder } = await nodeRed5();
      return skip ? { skip } : { node, env: { SONOTA_NODE_RED: folder } };
    },
  },
  /** Each example against virtual devices in a real Node-RED, to its end; and all of them in one. */
  examples: {
    specs: ['examples/examples.js', 'examples/together.js'],
    limitMinutes: 30,
    prepare: async () => ({
      env: {
        SONOTA_DASHBOARD: await dashboardPalette(),
        SONOTA_HOME_ASSISTANT_PALETTE: homeAssistantPalette(),
      },
    }),
  },
  /** Node-RED is killed at every point of a flash, two dozen, and started again. `npm test` has a few of them. */
  survive: { specs: ['survive/sweep.js'], limitMinutes: 30 },
  /** Fifty virtual devices in one Node-RED, ten of them faulty; is anything left behind? FinalStage takes one at a time. */
  many: { specs: ['many/sweep.js'], limitMinutes: 40, options: ['--expose-gc'] },
  /**
   * 20 000 damaged inputs to all that listens, asks or reads a file, while devices are flashed (`-- --seed 7` for others);
   * and a Node-RED started on every damage to its stored files.
   */
  hostile: {
    isBusy: true,
    specs: ['hostile/sweep.js', 'hostile/stored-files.js'],
    limitMinutes: 40,
    options: ['--expose-gc'],
    prepare: () => {
      const at = process.argv.indexOf('--seed');
      const [, seed] = at < 0 ? [] : process.argv.splice(at, 2);
      return { env: seed === undefined ? {} : { SONOTA_HOSTILE_SEED: seed } };
    },
  },
  /**
   * The examples that need FlowFuse Dashboard 2 in a real browser, on Node-RED 4.1 and 5.0, and our part of the editor in
   * the dark. With SONOTA_SCREENSHOT set it makes the pictures of the docs.
   */
  dashboard: {
    specs: ['dashboard/dashboard.js', 'dashboard/language.js', 'dashboard/dark.js'],
    limitMinutes: 30,
    prepare: async () => {
      // Node-RED 5.0 has a dark theme of its own.
      const env = {
        SONOTA_DASHBOARD: await dashboardPalette(),
        SONOTA_THEMES: await palette('@node-red-contrib-themes/theme-collection', '3.0.6'),
      };
      const { skip, node, folder } = await nodeRed5();
      if (skip) console.log(`\nNode-RED 5.0 is skipped, because ${skip}.`);
      else Object.assign(env, { SONOTA_NODE_RED_5: folder, SONOTA_NODE_5: node });
      return { env };
    },
  },
  /** With a real Mosquitto, and a real Home Assistant beside it, which is installed first. */
  'home-assistant': {
    specs: ['home-assistant/with-*.js'],
    limitMinutes: 30,
    prepare: async () => ({
      // The tests say in their own output that they are skipped, and why.
      env: {
        SONOTA_HOME_ASSISTANT: JSON.stringify(homeAssistant()),
        SONOTA_HOME_ASSISTANT_PALETTE: homeAssistantPalette(),
      },
    }),
  },
  /** Twenty devices in a queue through one radio, in namespaces; needs root on Linux, and dbus-daemon. */
  unattended: { specs: ['unattended/*.scenario.js'], limitMinutes: 30 },
  /** A virtual machine with 802.11 radios, a real NetworkManager and a real Node-RED. */
  radio: { isBusy: true, act: radio },
  /** The relocator of the one-hop image is built again and compared, then boots some 10000 times in an emulator. */
  'one-hop': { isBusy: true, specs: ['image/one-hop-relocator.test.js', 'one-hop/sweep/*.js'], limitMinutes: 40 },
};

if (import.meta.filename === process.argv[1]) await main();

function dashboardPalette() {
  return palette('@flowfuse/node-red-dashboard', '1.31.0');
}

async function main() {
  const [name] = process.argv.splice(2, 1);
  const run = RUNS[name];
  if (!run) {
    console.error(`There is no long run "${name}"; there are ${Object.keys(RUNS).join(', ')}.`);
    process.exit(1);
  }
  requireNode();
  if (!(await step('install', install)) || !(await step('build', build))) finish();
  const prepared = (await run.prepare?.()) ?? {};
  if (prepared.skip) skip(name, prepared.skip);
  else if (run.act) await run.act();
  else {
    const specs = run.specs.map((spec) => `dist/test/${spec}`);
    await tests(name, specs, { ...run, ...prepared });
  }
  finish();
}
