import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostIdentity } from '../../lib/flash/host/host-identity';
import { loadTlsIdentity, TLS_IDENTITY_FILE } from '../../lib/server/tls-identity';
import type { Wording } from '../../lib/wordings/wording';
import { storeTestIdentity } from '../shared/test-identity';

describe('flash/host/host-identity', () => {
  let folder: string;
  const logged: [level: string, text: string, said: unknown][] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-identity-'));
    logged.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const identityIn = (place: string | undefined): HostIdentity =>
    new HostIdentity(place, (level, text, said) => logged.push([level, text, said]));

  /** The only line of its log, with what it names. */
  function onlyLine(): { level: string | undefined; code: string; file: unknown } {
    const [line] = logged;
    assert.equal(logged.length, 1);
    const { code, values, text } = line?.[2] as Wording;
    assert.equal(line?.[1], text);
    assert.ok(!/undefined|\?/.test(text), text);
    return { level: line[0], code, file: values?.['file'] };
  }

  it('is the stored one, loaded once, with which this Node.js can speak TLS as the devices do', async () => {
    await storeTestIdentity(folder);
    const identity = identityIn(folder);
    const loaded = await identity.load();
    assert.deepEqual(loaded, await loadTlsIdentity(folder));
    assert.equal(await identity.load(), loaded);
    assert.equal(await identity.test(), undefined);
    assert.deepEqual(logged, []);
  });

  it('says that it is another one than before, and not again', async () => {
    const file = join(folder, TLS_IDENTITY_FILE);
    await writeFile(file, 'damaged');
    const identity = identityIn(folder);
    const { cert } = await identity.load();
    await identity.load();
    assert.deepEqual(onlyLine(), { level: 'warn', code: 'log-identity-replaced', file });
    assert.equal((await identityIn(folder).load()).cert, cert);
    assert.equal(logged.length, 1);
  });

  it('says that it cannot be stored, and is used all the same', async () => {
    const place = join(folder, 'file');
    await writeFile(place, 'no folder');
    assert.ok((await identityIn(place).load()).key);
    assert.deepEqual(onlyLine(), {
      level: 'warn',
      code: 'log-identity-unwritten',
      file: join(place, TLS_IDENTITY_FILE),
    });
  });
});
