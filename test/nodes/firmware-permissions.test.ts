import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startNodeRed, nodeRedFolder, type RunningNodeRed } from '../shared/node-red';

const PASSWORD = 'for this test alone';

describe('nodes: who may use the form of a firmware', function () {
  this.timeout(40_000);
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
    // The form's routes come with the node's module, which is loaded with or without a flow.
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
    const routes: [method: string, path: string, body?: object][] = [
      ['GET', 'images'],
      ['POST', 'examine', target],
      ['POST', 'fetch', target],
      ['POST', 'mend', { ...target, mends: [] }],
      ['POST', 'confirm', { name: 'tasmota-lite-8.5.0', sha256: '0'.repeat(64) }],
      ['DELETE', `store/${'0'.repeat(64)}`],
    ];
    const found: Record<string, number> = {};
    for (const [method, path, body] of routes) {
      const response = await fetch(`${red.url}/sonota/firmware/${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...authorization },
        ...(body && { body: JSON.stringify(body) }),
      });
      found[path.split('/')[0] ?? ''] = response.status;
      await response.body?.cancel();
    }
    return found;
  }

  it('is nobody without a login', async () => {
    const all = { images: 401, examine: 401, fetch: 401, mend: 401, confirm: 401, store: 401 };
    assert.deepEqual(await statuses({}), all);
  });

  it('lets who may only read flows see the lists, and neither read files nor dial out', async () => {
    const authorization = `Bearer ${await token('reader')}`;
    const all = { images: 200, examine: 401, fetch: 401, mend: 401, confirm: 401, store: 401 };
    assert.deepEqual(await statuses({ authorization }), all);
  });

  it('lets who may change flows do everything', async () => {
    const authorization = `Bearer ${await token('owner')}`;
    const all = { images: 200, examine: 200, fetch: 200, mend: 200, confirm: 422, store: 200 };
    assert.deepEqual(await statuses({ authorization }), all);
  });
});
