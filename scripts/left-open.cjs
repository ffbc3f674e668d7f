'use strict';

const { setImmediate, setTimeout } = require('node:timers/promises');

/** Closing takes turns of the loop, and a busy machine its time. What is still there after this is never closed. */
const LIMIT_MS = 60_000;
const LOOK_AGAIN_MS = 20;

let atFirst = new Map();
let handlesAtFirst = new Set();

/**
 * mocha's root hooks: what keeps a process alive after its tests, and did not before them, fails them. A worker of a
 * parallel run is asked after each file, any other process once at its end.
 */
exports.mochaHooks = {
  async beforeAll() {
    // They are opened when they are first used.
    void process.stdout;
    void process.stderr;
    // From here on mocha has a timer of its own for the hook, as it has in the other one.
    await setImmediate();
    atFirst = counts();
    handlesAtFirst = new Set(process._getActiveHandles());
  },
  async afterAll() {
    this.timeout(0);
    const until = Date.now() + LIMIT_MS;
    for (;;) {
      await setImmediate();
      const left = [...counts()].filter(([type, count]) => count > (atFirst.get(type) ?? 0)).map(([type]) => type);
      if (left.length === 0) return;
      if (Date.now() > until) {
        const suites = this.test.parent.suites.map(({ title }) => title);
        const open = [...left, ...newHandles()];
        throw new Error(`A test of "${suites.join('", "')}" left something open: ${open.join(', ')}`);
      }
      await setTimeout(LOOK_AGAIN_MS);
    }
  },
};

/** How many of each type keep the process alive, without the turn of the loop that this takes. */
function counts() {
  const found = new Map();
  for (const type of process.getActiveResourcesInfo()) {
    if (type !== 'Immediate') found.set(type, (found.get(type) ?? 0) + 1);
  }
  return found;
}

function newHandles() {
  return process
    ._getActiveHandles()
    .filter((handle) => !handlesAtFirst.has(handle))
    .map((handle) => {
      if (handle.spawnfile) return `the process ${handle.pid} (${handle.spawnargs.join(' ')})`;
      if (handle.remotePort) return `a connection from port ${handle.localPort} to port ${handle.remotePort}`;
      const address = handle.address?.();
      return address?.port ? `a server on port ${address.port}` : handle.constructor.name;
    });
}
