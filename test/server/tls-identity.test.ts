import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { md, pki } from 'node-forge';
import { loadTlsIdentity, TLS_IDENTITY_FILE, type TlsIdentity } from '../../lib/server/tls-identity';
import { storeTestIdentity, testIdentity } from '../shared/test-identity';

/** A self-signed identity whose key is shorter than the proven one. */
function shortIdentity(): TlsIdentity {
  const keys = pki.rsa.generateKeyPair(1024);
  const certificate = pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  certificate.sign(keys.privateKey, md.sha256.create());
  const key = createPrivateKey(pki.privateKeyToPem(keys.privateKey)).export({ type: 'pkcs8', format: 'pem' });
  return { key: String(key), cert: pki.certificateToPem(certificate) };
}

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
    assert.deepEqual(
      [certificate.validFrom, certificate.validTo].map((date) => new Date(date).toISOString()),
      ['2016-01-01T00:00:00.000Z', '2049-12-31T00:00:00.000Z'],
    );
    assert.equal(pki.certificateFromPem(cert).signatureOid, pki.oids['sha256WithRSAEncryption']);
    assert.match(certificate.serialNumber, /^01[0-9A-F]{16}$/, 'a positive number');
    assert.deepEqual([certificate.subject, certificate.issuer], ['CN=sonota', 'CN=sonota']);
    // With the rest of the handshake it must fit the device's buffer of 2048 bytes.
    assert.ok(certificate.raw.length < 1000, `${certificate.raw.length} bytes`);
  });

  it('keeps it in the folder, for its owner alone, and leaves nothing else there', async () => {
    const nested = join(folder, 'not', 'there', 'yet');
    const made = await loadTlsIdentity(nested);
    assert.deepEqual([made.notStored, made.replaced], [undefined, undefined]);
    // Before anything is loaded, which would mend the rights.
    if (process.platform !== 'win32') {
      assert.equal((await stat(join(nested, TLS_IDENTITY_FILE))).mode & 0o777, 0o600);
    }
    assert.deepEqual(await readdir(nested), [TLS_IDENTITY_FILE]);
    assert.deepEqual(await loadTlsIdentity(nested), made);
  });

  it('takes rights from a file that others can read', async function () {
    if (process.platform === 'win32') return this.skip();
    await storeTestIdentity(folder);
    await chmod(file, 0o644);
    assert.deepEqual(await loadTlsIdentity(folder), await testIdentity());
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  const unreadable = 'it holds no key and certificate that can be read';
  const unusable: [what: string, why: string, content: (own: TlsIdentity) => string | Promise<string>][] = [
    ['an empty file', unreadable, () => ''],
    ['half a file', unreadable, ({ key, cert }) => (key + cert).slice(0, 1800)],
    ['garbage', unreadable, () => '\u0000\u0001 nothing of ours'],
    [
      'a key that does not belong to the certificate',
      'its key is of another certificate',
      async ({ cert }) => (await loadTlsIdentity()).key + cert,
    ],
    ['a key shorter than the proven one', 'its key has another length', () => Object.values(shortIdentity()).join('')],
  ];
  for (const [what, why, content] of unusable) {
    it(`replaces ${what}`, async () => {
      const before = await content(await testIdentity());
      await writeFile(file, before);
      const { key, cert, replaced, notStored } = await loadTlsIdentity(folder);
      assert.deepEqual([replaced, notStored], [why, undefined]);
      if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.equal(await readFile(file, 'latin1'), key + cert);
      assert.ok(!before.includes(cert), 'the certificate is a new one');
      assert.ok(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)));
    });
  }

  it('works without a place to keep it, and says why', async () => {
    await writeFile(join(folder, 'file'), '');
    const { cert, notStored, replaced } = await loadTlsIdentity(join(folder, 'file', 'folder'));
    assert.equal(replaced, undefined, 'there was none');
    assert.match(cert, /BEGIN CERTIFICATE/);
    assert.match(notStored ?? '', /ENOTDIR|EEXIST/);
  });

  it('leaves no copy of the key behind where it cannot be stored', async () => {
    await mkdir(join(file, 'in the way'), { recursive: true });
    const { notStored, replaced } = await loadTlsIdentity(folder);
    assert.ok(notStored);
    assert.equal(replaced, 'it cannot be read (EISDIR)');
    assert.deepEqual(await readdir(folder), [TLS_IDENTITY_FILE]);
  });
});
