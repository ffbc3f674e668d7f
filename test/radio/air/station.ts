import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../shared/package-root';
import { Program, run } from './program';

const LEASE_SCRIPT = join(packageRoot(), 'test/radio/guest/udhcpc.sh');
/** How long wpa_supplicant may take for what it does within 5 s on a quiet machine. */
const JOIN_LIMIT_MS = 60_000;

/** A radio in another network: wpa_supplicant and a DHCP client. Runs in the namespace of its own radio. */
export class Station {
  private programs: Program[] = [];

  constructor(readonly radio: string) {}

  /** @returns its address; undefined where the network is not there or refuses it */
  async join({ ssid, password }: { ssid: string; password: string }, signal: AbortSignal): Promise<string | undefined> {
    // Not AbortSignal.any of a timeout: on Node.js 20 that may be collected as garbage before it fires.
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), JOIN_LIMIT_MS);
    const onAbort = (): void => limit.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    const folder = mkdtempSync(join(tmpdir(), 'station-'));
    try {
      const file = join(folder, 'wpa.conf');
      writeFileSync(file, `network={\nssid="${ssid}"\npsk="${password}"\n}\n`);
      const supplicant = this.start('wpa_supplicant', '-i', this.radio, '-D', 'nl80211', '-c', file);
      const verdict = await supplicant.says(/CTRL-EVENT-CONNECTED|reason=WRONG_KEY/, limit.signal);
      if (verdict.includes('WRONG_KEY')) return await this.giveUp();
      // It ends when the script has set the address; the lease is longer than any scenario.
      const client = this.start('busybox', 'udhcpc', '-q', '-i', this.radio, '-s', LEASE_SCRIPT);
      await client.says(/lease of .* obtained/, limit.signal);
      await client.ended;
      const own = networkInterfaces()[this.radio]?.find(({ family }) => family === 'IPv4');
      if (!own) throw new Error(`no address in spite of a lease:\n${client.log.join('\n')}`);
      return own.address;
    } catch (error) {
      await this.giveUp();
      signal.throwIfAborted();
      if (limit.signal.aborted) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      rmSync(folder, { recursive: true });
    }
  }

  async leave(): Promise<void> {
    await this.giveUp();
  }

  private async giveUp(): Promise<undefined> {
    const programs = this.programs;
    this.programs = [];
    await Promise.all(programs.map((program) => program.kill()));
    run(undefined, 'ip', 'addr', 'flush', 'dev', this.radio);
    run(undefined, 'ip', 'link', 'set', this.radio, 'down');
    return undefined;
  }

  private start(name: string, ...args: string[]): Program {
    const program = new Program(undefined, name, ...args);
    this.programs.push(program);
    return program;
  }
}
