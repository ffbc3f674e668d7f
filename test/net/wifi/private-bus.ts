import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why there can be no bus of our own here; undefined where there can. */
export function whyNoBus(): string | undefined {
  const { error } = spawnSync('dbus-daemon', ['--version'], { stdio: 'ignore' });
  return error ? 'there is no dbus-daemon here (Debian: apt-get install dbus)' : undefined;
}

/** A system bus of our own: every client may own and call anything. */
export class PrivateBus {
  private constructor(
    readonly address: string,
    private readonly daemon: ChildProcess,
    private readonly folder: string,
    private readonly before: string | undefined,
  ) {}

  /** Starts one, which is this process's system bus from then on; undefined where there is no dbus-daemon. */
  static async start(): Promise<PrivateBus | undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-bus-'));
    const address = `unix:path=${join(folder, 'socket')}`;
    const config = join(folder, 'bus.conf');
    await writeFile(config, CONFIG.replace('ADDRESS', address));
    const daemon = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--print-address'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const isThere = await Promise.race([once(daemon.stdout, 'data'), once(daemon, 'error')]).then(
      () => daemon.pid !== undefined,
      () => false,
    );
    if (!isThere) {
      await rm(folder, { recursive: true, force: true });
      return undefined;
    }
    const before = process.env['DBUS_SYSTEM_BUS_ADDRESS'];
    process.env['DBUS_SYSTEM_BUS_ADDRESS'] = address;
    return new PrivateBus(address, daemon, folder, before);
  }

  async stop(): Promise<void> {
    if (this.before === undefined) delete process.env['DBUS_SYSTEM_BUS_ADDRESS'];
    else process.env['DBUS_SYSTEM_BUS_ADDRESS'] = this.before;
    if (this.daemon.exitCode === null && this.daemon.signalCode === null) {
      this.daemon.kill('SIGKILL');
      await once(this.daemon, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A bus for the tests of a describe, which are skipped where there can be none. */
export function usePrivateBus(): void {
  let bus: PrivateBus | undefined;
  before(async function () {
    bus = await PrivateBus.start();
    if (bus) return;
    console.log(`    skipped: ${whyNoBus()}`);
    this.skip();
  });
  after(() => bus?.stop());
}

const CONFIG = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>ADDRESS</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
`;
