import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadTlsIdentity, TLS_IDENTITY_FILE, type TlsIdentity } from '../../lib/server/tls-identity';
import { packageRoot } from './package-root';

/** The TLS identity of all tests that do not test its making, kept from run to run: a new RSA key costs up to a second. */
export async function testIdentity(): Promise<TlsIdentity> {
  return await loadTlsIdentity(join(packageRoot(), 'node_modules', '.cache', 'sonota-tests'));
}

/** Stores it in a host's folder, as its first start would have done. */
export async function storeTestIdentity(folder: string): Promise<void> {
  const { key, cert } = await testIdentity();
  await writeFile(join(folder, TLS_IDENTITY_FILE), key + cert, { mode: 0o600 });
}
