import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startNodeRed, nodeRedFolder, type RunningNodeRed } from '../shared/node-red';

const PASSWORD = 'for this test alone';

describe("nodes: who may ask the editor's routes", () => {
  let red: RunningNodeRed;

  before(async () => {
    const { hashSync } = createRequire(join(nodeRedFolder(), 'package.json'))('bcryptjs') as {
      hashSync: (text: string, rounds: number) => string;
    };
    const password = hashSync(PASSWORD, 4);
    const users = [
      { username: 'reader', password, permissions: 'read' },
      { username: 'owner', password, permissions: '*' },
    ];
    // The routes come with the nodes' modules, which are loaded with or without a flow.
    red = await startNodeRed({ settings: { adminAuth: { type: 'credentials', users } } });
  });
  after(() => red.stop());

  async function token(username: string): Promise<string> {
    const response = await fetch(`${red.url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: 'node-red-admin',
        grant_type: 'password',
        scope: '',
        username,
        password: PASSWORD,
      }),
    });
    const { access_token } = (await response.json()) as { access_token: string };
    return access_token;
  }

  /** The status of each route's answer. */
  async function statuses(authorization: Record<string, string>): Promise<Record<string, number>> {
    const target = { role: 'final', source: 'rehearsal:final' };
    const routes: [name: string, method: string, path: string, body?: object][] = [
      ['images', 'GET', 'firmware/images'],
      ['examine', 'POST', 'firmware/examine', target],
      ['fetch', 'POST', 'firmware/fetch', target],
      ['upload', 'POST', 'firmware/upload?role=none'],
      ['mend', 'POST', 'firmware/mend', { ...target, mends: [] }],
      ['confirm', 'POST', 'firmware/confirm', { name: 'tasmota-lite-8.5.0', sha256: '0'.repeat(64) }],
      ['store', 'DELETE', `firmware/store/${'0'.repeat(64)}`],
      ['prune', 'POST', 'firmware/prune', { digests: [] }],
      ['preflight', 'POST', 'host/none/preflight', { address: '127.0.0.1', bind: '127.0.0.1' }],
      ['overview', 'GET', 'overview'],
      ['addresses', 'GET', 'addresses'],
      ['evidence', 'GET', 'host/none/jobs/none/evidence'],
      ['home', 'GET', 'wifi/home'],
      ['interfaces', 'GET', 'wifi/interfaces'],
      ['jobs', 'GET', 'host/none/jobs'],
      ['nextStep', 'POST', 'host/none/jobs/none/next-step'],
      ['press', 'POST', 'flash/none/press'],
      ['endWait', 'POST', 'flash/none/cancel'],
      ['cancel', 'POST', 'host/none/jobs/none/cancel'],
      ['retry', 'POST', 'host/none/jobs/none/retry'],
      ['forget', 'DELETE', 'host/none/jobs/none'],
      ['queue', 'POST', 'host/none/queue/pause'],
    ];
    const found: Record<string, number> = {};
    for (const [name, method, path, body] of routes) {
      const response = await fetch(`${red.url}/sonota/${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...authorization },
        ...(body && { body: JSON.stringify(body) }),
      });
      found[name] = response.status;
      await response.body?.cancel();
    }
    return found;
  }

  const FIRMWARE = { examine: 401, fetch: 401, upload: 401, mend: 401, confirm: 401, store: 401, prune: 401 };
  const WRITES = {
    ...FIRMWARE,
    preflight: 401,
    press: 401,
    endWait: 401,
    cancel: 401,
    retry: 401,
    forget: 401,
    queue: 401,
    nextStep: 401,
  };

  it('is no client without a login', async () => {
    const all = {
      ...WRITES,
      images: 401,
      overview: 401,
      addresses: 401,
      home: 401,
      interfaces: 401,
      evidence: 401,
      jobs: 401,
    };
    assert.deepEqual(await statuses({}), all);
  });

  it('lets who may only read flows see the lists, and neither read files nor dial out', async () => {
    const authorization = `Bearer ${await token('reader')}`;
    const all = {
      ...WRITES,
      images: 200,
      overview: 200,
      addresses: 200,
      home: 200,
      interfaces: 200,
      evidence: 404,
      jobs: 404,
    };
    assert.deepEqual(await statuses({ authorization }), all);
  });

  it('lets who may change flows do everything', async () => {
    const authorization = `Bearer ${await token('owner')}`;
    const firmware = {
      images: 200,
      examine: 200,
      fetch: 200,
      upload: 400,
      mend: 200,
      confirm: 422,
      store: 200,
      prune: 200,
    };
    const all = {
      ...firmware,
      preflight: 200,
      overview: 200,
      addresses: 200,
      home: 200,
      interfaces: 200,
      jobs: 404,
      nextStep: 404,
      press: 404,
      endWait: 404,
      cancel: 404,
      evidence: 404,
      retry: 404,
      forget: 404,
      queue: 404,
    };
    assert.deepEqual(await statuses({ authorization }), all);
  });
});
