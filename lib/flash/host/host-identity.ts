import { join } from 'node:path';
import type { FlashError } from '../../errors';
import { loadTlsIdentity, TLS_IDENTITY_FILE, type TlsIdentity } from '../../server/tls-identity';
import { selfTestTls } from '../../server/tls-self-test';
import { lineOfWording, type HostLog } from '../host-log';

/** Key and certificate by which a host speaks TLS with devices, loaded when they are first needed. */
export class HostIdentity {
  private loaded: TlsIdentity | undefined;

  /** @param folder where it is kept; undefined = for this process only */
  constructor(
    private readonly folder: string | undefined,
    private readonly log: HostLog,
  ) {}

  async load(): Promise<TlsIdentity> {
    return (this.loaded ??= await this.read());
  }

  /** Makes sure that this Node.js can speak TLS as the devices do; returns `tls-refused` where it cannot. */
  async test(): Promise<FlashError | undefined> {
    return selfTestTls(await this.load());
  }

  private async read(): Promise<TlsIdentity> {
    const { replaced, notStored, ...identity } = await loadTlsIdentity(this.folder);
    const file = join(this.folder ?? '', TLS_IDENTITY_FILE);
    if (replaced !== undefined)
      this.log('warn', ...lineOfWording('log-identity-replaced', { file, message: replaced }));
    if (notStored !== undefined)
      this.log('warn', ...lineOfWording('log-identity-unwritten', { file, message: notStored }));
    return identity;
  }
}
