import { createPrivateKey, generateKeyPair, randomBytes, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The certificate and key of a TLS server, both in PEM. */
export interface TlsIdentity {
  key: string;
  cert: string;
}

export interface LoadedTlsIdentity extends TlsIdentity {
  /** Why the one that was stored was not used, where there was one. */
  replaced?: string;
  /** Why it could not be stored, where it could not; it works all the same, but the next start makes a new one. */
  notStored?: string;
}

export const TLS_IDENTITY_FILE = 'tls-identity.pem';

/**
 * Devices have little memory for a certificate: of RSA only, this length is the proven one
 * (docs/dev/stock-firmware.md#2.4).
 */
export const KEY_BITS = 2048;

/** Some of our users' machines, and every device, boot without a clock: it must be valid whenever that is. */
const NOT_BEFORE = new Date('2016-01-01T00:00:00Z');
/** From 2050 on a certificate writes its dates in a second form, which small parsers do not know. */
const NOT_AFTER = new Date('2049-12-31T00:00:00Z');

/**
 * The TLS identity of this installation: read from `folder`, or made and stored there. A file that is broken, or not
 * of our making, is replaced.
 *
 * @param folder undefined = in memory only
 */
export async function loadTlsIdentity(folder?: string): Promise<LoadedTlsIdentity> {
  const file = folder === undefined ? undefined : join(folder, TLS_IDENTITY_FILE);
  const stored = file === undefined ? undefined : await readIdentity(file);
  if (stored && 'key' in stored) return stored;
  const made = { ...(await makeIdentity()), ...stored };
  if (folder === undefined || file === undefined) return made;
  try {
    await mkdir(folder, { recursive: true });
    await writeIdentity(file, made);
    return made;
  } catch (error) {
    return { ...made, notStored: (error as Error).message };
  }
}

/** Undefined where there is none. A fault is reported without quoting it: it holds a key. */
async function readIdentity(file: string): Promise<TlsIdentity | { replaced: string } | undefined> {
  let pem: string;
  try {
    pem = await readFile(file, 'latin1');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : { replaced: `it cannot be read (${code})` };
  }
  try {
    const [key = ''] = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/.exec(pem) ?? [];
    const [cert = ''] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(pem) ?? [];
    const privateKey = createPrivateKey(key);
    if (privateKey.asymmetricKeyDetails?.modulusLength !== KEY_BITS) return { replaced: 'its key has another length' };
    if (!new X509Certificate(cert).checkPrivateKey(privateKey))
      return { replaced: 'its key is of another certificate' };
    await chmod(file, 0o600);
    return { key, cert };
  } catch {
    return { replaced: 'it holds no key and certificate that can be read' };
  }
}

/** Beside it first, then over it: a power cut leaves the old file or the new one, never half of one. */
async function writeIdentity(file: string, { key, cert }: TlsIdentity): Promise<void> {
  const beside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(beside, key + cert, { mode: 0o600, flag: 'wx' });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/**
 * One self-signed certificate and no chain: a second one would overflow the device's buffer
 * (docs/dev/stock-firmware.md#2.4).
 */
async function makeIdentity(): Promise<TlsIdentity> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: KEY_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  // Once in an installation's life: every other start of Node-RED must not wait for it to load.
  const { md, pki } = (await import('node-forge')).default;
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(publicKey);
  // A serial number is positive: the first byte must not look like a sign.
  certificate.serialNumber = `01${randomBytes(8).toString('hex')}`;
  certificate.validity.notBefore = NOT_BEFORE;
  certificate.validity.notAfter = NOT_AFTER;
  const name = [{ name: 'commonName', value: 'sonota' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.sign(pki.privateKeyFromPem(privateKey), md.sha256.create());
  return { key: privateKey, cert: pki.certificateToPem(certificate).replace(/\r\n/g, '\n') };
}
