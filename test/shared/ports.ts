import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/**
 * Ports for tests: below those that the system assigns itself (32768 and up on Linux, 49152 elsewhere).
 * One of those may be another program's before the test gets round to it.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;
/** How many a process claims for itself, since tests run in several processes at a time. */
const BLOCK = 128;
const BLOCKS = Math.floor((LAST_PORT - FIRST_PORT) / BLOCK);

let block: Promise<number> | undefined;
let handedOut = 0;

/** A free port on 127.0.0.1 that no other test is given: one of this process's block, in turn. */
export async function freePort(): Promise<number> {
  const first = await (block ??= claimBlock());
  for (let attempt = 1; attempt < BLOCK; attempt++) {
    const port = first + 1 + (handedOut++ % (BLOCK - 1));
    const server = await tryToListen(port);
    if (!server) continue;
    await closed(server);
    return port;
  }
  throw new Error(`all ports from ${first} on are taken`);
}

/** Holds a port until it is let go, as another program would. */
export async function occupy(port: number): Promise<{ release(): Promise<void> }> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { release: () => closed(server) };
}

/** A block is a process's while it listens on the first port of it, which it does until it ends. */
async function claimBlock(): Promise<number> {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let step = 0; step < BLOCKS; step++) {
    const claim = await tryToListen(FIRST_PORT + ((start + step) % BLOCKS) * BLOCK);
    if (claim) return (claim.unref().address() as AddressInfo).port;
  }
  throw new Error(`there is no free port from ${FIRST_PORT} to ${LAST_PORT}`);
}

async function tryToListen(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
