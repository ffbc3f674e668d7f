import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../shared/package-root';

const runFile = promisify(execFile);
const LIMIT_MS = 120_000;

describe('npm start', function () {
  this.timeout(LIMIT_MS);

  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-start-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function start(): Promise<string> {
    const script = join(packageRoot(), 'scripts', 'start.mjs');
    const { stdout } = await runFile(process.execPath, [script, '--prepared', '--once'], {
      cwd: folder,
      env: { ...process.env, SONOTA_REHEARSAL: folder },
      timeout: LIMIT_MS,
    });
    return stdout;
  }

  it('prints the address, rehearses to the end, and keeps its own secret', async () => {
    const said = await start();
    assert.match(said, /Node-RED is open at http:\/\/127\.0\.0\.1:\d+/);
    const [, first = '', second = ''] = said.split(/^Rehearse .*$/m);
    for (const [act, last] of [
      [first, 'finalstage watch'],
      [second, 'new firmware'],
    ] as const) {
      for (const stage of ['provision', 'cloud emulator', 'ota serve', last]) {
        assert.match(act, new RegExp(`^${stage} +done$`, 'm'));
      }
    }
    assert.doesNotMatch(second, /^finalstage watch/m);
    assert.match(second, /^new firmware +dark, \d+ s /m);
    assert.match(said, /The rehearsal went well to its end\./);
    const secret = await readFile(join(folder, 'credential-secret'), 'utf8');
    assert.match(secret, /^[\da-f]{64}$/);
    assert.ok(!said.includes(secret));
  });

  it('takes other ports where its own are taken', async () => {
    const rivals = await Promise.all([18443, 18081, 18080, 10080, 1880].map(hold));
    try {
      assert.match(await start(), /The rehearsal went well to its end\./);
    } finally {
      for (const rival of rivals) rival.close();
    }
  });
});

/** A program that holds a port; where another one does already, that serves as well. */
async function hold(port: number): Promise<{ close(): void }> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch(() => undefined);
  return server;
}
