import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTlsIdentity, TLS_IDENTITY_FILE } from '../../lib/server/tls-identity';

describe('loadTlsIdentity', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-tls-'));
    file = join(folder, TLS_IDENTITY_FILE);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('makes one self-signed RSA-2048 certificate that is valid at any time a clock may show', async () => {
    const { key, cert } = await loadTlsIdentity();
    const certificate = new X509Certificate(cert);
    assert.equal(cert.match(/BEGIN CERTIFICATE/g)?.length, 1);
    assert.equal(certificate.publicKey.asymmetricKeyType, 'rsa');
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
    assert.ok(new Date(certificate.validFrom) < new Date('2017-01-01'));
    assert.ok(new Date(certificate.validTo) > new Date('2049-01-01'));
    // With the rest of the handshake it must fit the device's buffer of 2048 bytes.
    assert.ok(certificate.raw.length < 1000, `${certificate.raw.length} bytes`);
  });

  it('keeps it in the folder, for its owner alone, and leaves nothing else there', async () => {
    const nested = join(folder, 'not', 'there', 'yet');
    const made = await loadTlsIdentity(nested);
    assert.equal(made.notStored, undefined);
    assert.deepEqual(await loadTlsIdentity(nested), made);
    assert.deepEqual(await readdir(nested), [TLS_IDENTITY_FILE]);
    if (process.platform !== 'win32') {
      assert.equal((await stat(join(nested, TLS_IDENTITY_FILE))).mode & 0o777, 0o600);
    }
  });

  it('takes rights from a file that others can read', async function () {
    if (process.platform === 'win32') return this.skip();
    const made = await loadTlsIdentity(folder);
    await chmod(file, 0o644);
    assert.deepEqual(await loadTlsIdentity(folder), made);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  for (const [what, content] of [
    ['an empty file', () => Promise.resolve('')],
    ['half a file', async () => (await readFile(file, 'latin1')).slice(0, 1800)],
    ['garbage', () => Promise.resolve('\u0000\u0001 nothing of ours')],
    [
      'a key that does not belong to the certificate',
      async () => (await loadTlsIdentity()).key + (await loadTlsIdentity()).cert,
    ],
  ] as const) {
    it(`replaces ${what}`, async () => {
      const { cert } = await loadTlsIdentity(folder);
      await writeFile(file, await content());
      const replaced = await loadTlsIdentity(folder);
      assert.notEqual(replaced.cert, cert);
      assert.deepEqual(await loadTlsIdentity(folder), replaced);
    });
  }

  it('works without a place to keep it, and says why', async () => {
    await writeFile(join(folder, 'file'), '');
    const { cert, notStored } = await loadTlsIdentity(join(folder, 'file', 'folder'));
    assert.match(cert, /BEGIN CERTIFICATE/);
    assert.match(notStored ?? '', /ENOTDIR|EEXIST/);
  });
});
