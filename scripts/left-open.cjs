'use strict';

const dgram = require('node:dgram');
const { promises: files } = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const { performance } = require('node:perf_hooks');
const timers = require('node:timers/promises');
const tls = require('node:tls');

const { setImmediate, setTimeout } = timers;

/** Closing takes turns of the loop, and a busy machine its time. What is still there after this is never closed. */
const LIMIT_MS = 60_000;
const LOOK_AGAIN_MS = 20;

/** What tests put something else in the place of: left so, it would fail the next file in the same process. */
const SHARED = {
  ...{ globalThis, Math, Date, performance, os, net, tls, files, 'timers/promises': timers },
  ...{ 'net.Socket': net.Socket.prototype, 'net.Server': net.Server.prototype, 'dgram.Socket': dgram.Socket.prototype },
};

let atFirst = new Map();
let functionsAtFirst = new Map();
let handlesAtFirst = new Set();

/**
 * mocha's root hooks: what keeps a process alive after its tests, and did not before them, fails them; so does a function
 * that was replaced and not restored. A worker of a parallel run is asked after each file, any other process once at its
 * end.
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
    functionsAtFirst = functions();
  },
  async afterAll() {
    this.timeout(0);
    const now = functions();
    const replaced = [...functionsAtFirst].filter(([name, it]) => now.get(name) !== it).map(([name]) => name);
    if (replaced.length > 0)
      throw new Error(`A test of "${titles(this)}" left other functions: ${replaced.join(', ')}`);
    const until = Date.now() + LIMIT_MS;
    for (;;) {
      await setImmediate();
      const left = [...counts()].filter(([type, count]) => count > (atFirst.get(type) ?? 0)).map(([type]) => type);
      if (left.length === 0) return;
      if (Date.now() > until) {
        const open = [...left, ...newHandles()];
        throw new Error(`A test of "${titles(this)}" left something open: ${open.join(', ')}`);
      }
      await setTimeout(LOOK_AGAIN_MS);
    }
  },
};

function titles({ test }) {
  return test.parent.suites.map(({ title }) => title).join('", "');
}

/** The functions that all files of tests in this process share, by their names. */
function functions() {
  const found = new Map();
  for (const [name, shared] of Object.entries(SHARED)) {
    for (let owner = shared; owner !== null && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
      for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
        const full = `${name}.${key}`;
        // Those belong to libraries, such as the helpers that each copy of tslib puts there.
        const isTheirs = key.startsWith('__');
        if (typeof value === 'function' && !isTheirs && !found.has(full)) found.set(full, value);
      }
    }
  }
  return found;
}

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
