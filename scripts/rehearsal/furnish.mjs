/** Fills the user folder of the rehearsal's Node-RED. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

import { root } from '../prepare.mjs';

const HOST = '127.0.0.1';
const EDITOR_PORT = 1880;
/** The examples that rehearse: through FinalStage, and in one hop. */
const ACTS = ['01', '12'];
const userDir = resolve(process.env.SONOTA_REHEARSAL ?? join(root, '.rehearsal'));

/**
 * Settings, this package as a link, and the rehearsal's flow unless one is there already (a person may have changed
 * it). A port that another program holds is replaced by a free one, in the flow as well.
 *
 * @returns {Promise<{ url: string, userDir: string, flow: object[] }>} where the editor will be, and what is deployed
 */
export async function furnish() {
  const scope = join(userDir, 'node_modules', '@sonota');
  await mkdir(scope, { recursive: true });
  await rm(join(scope, 'node-red'), { recursive: true, force: true });
  await symlink(root, join(scope, 'node-red'), 'junction');
  await write('package.json', { name: 'rehearsal', private: true, dependencies: { '@sonota/node-red': '*' } });

  const port = await portLike(EDITOR_PORT);
  const settings = {
    uiHost: HOST,
    uiPort: port,
    flowFile: 'flows.json',
    flowFilePretty: true,
    credentialSecret: await secret(),
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false },
  };
  await writeFile(join(userDir, 'settings.js'), `module.exports = ${JSON.stringify(settings, null, 2)};\n`, {
    mode: 0o600,
  });

  const kept = join(userDir, 'flows.json');
  const flow = existsSync(kept) ? await read(kept) : onOneHost(await Promise.all(ACTS.map(example)));
  await withFreePorts(flow);
  await write('flows.json', flow);
  return { url: `http://${HOST}:${port}`, userDir, flow };
}

/** An example by its number. */
async function example(number) {
  const folder = join(root, 'examples');
  const name = (await readdir(folder)).find((file) => file.startsWith(`${number} `));
  if (name === undefined) throw new Error(`${folder} holds no example ${number}`);
  return await read(join(folder, name));
}

async function read(file) {
  return JSON.parse(await readFile(file, 'utf8'));
}

/** The examples as the tabs of one flow, with the host of the first one for all: two could not have the same ports. */
function onOneHost(examples) {
  const all = examples.flat();
  const [host, ...others] = all.filter(({ type }) => type === 'sonota-host');
  for (const node of all) if (node.host !== undefined) node.host = host.id;
  return all.filter((node) => !others.includes(node));
}

/** Made once and kept: what the editor stores encrypted must be readable at the next start. */
async function secret() {
  const file = join(userDir, 'credential-secret');
  if (!existsSync(file)) await writeFile(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return await readFile(file, 'utf8');
}

/** Changes the ports of the flow that are taken on this machine. FinalStage dials the port of the images. */
async function withFreePorts(flow) {
  for (const host of flow.filter((node) => node.type === 'sonota-host')) {
    host.httpsPort = String(await portLike(host.httpsPort || 8443));
    host.httpPort = String(await portLike(host.httpPort || 8080));
    host.finalStagePort = host.httpPort;
    // Old firmware has this port built in: another one would be of no use.
    const legacy = Number(host.legacyPort || 8081);
    host.legacyPort = String(legacy !== 0 && (await isFree(legacy)) ? legacy : 0);
  }
  for (const device of flow.filter((node) => node.type === 'sonota-virtual-device')) {
    const before = device.apPort || 10080;
    device.apPort = String(await portLike(before));
    for (const node of flow.filter(({ z }) => z === device.z)) {
      if (typeof node.url === 'string') node.url = node.url.replace(`${HOST}:${before}`, `${HOST}:${device.apPort}`);
    }
  }
}

/** This port where it is free, else any that is. */
async function portLike(port) {
  if (await isFree(Number(port))) return Number(port);
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const free = server.address().port;
  server.close();
  await once(server, 'close');
  console.log(`Port ${port} is taken; ${free} is used instead.`);
  return free;
}

/** On all addresses, as a program may hold it on another one than ours. */
async function isFree(port) {
  for (const host of [HOST, '0.0.0.0']) {
    const server = createServer();
    try {
      server.listen({ port, host, exclusive: true });
      await once(server, 'listening');
    } catch {
      return false;
    }
    server.close();
    await once(server, 'close');
  }
  return true;
}

async function write(name, content) {
  await writeFile(join(userDir, name), JSON.stringify(content, null, 2));
}
