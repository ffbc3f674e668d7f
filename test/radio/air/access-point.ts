import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Place, Program, run } from './program';

export interface AirNetwork {
  ssid: string;
  /** WPA2; an open network has none. */
  password?: string | undefined;
  channel: number;
  bssid?: string | undefined;
  /** The access point's own address, with /24. */
  address: string;
  /** The first and the last address that it gives; none where it gives none. */
  leases?: readonly [string, string] | undefined;
  /** A bridge that it is a part of; it must be there, and carries the address. */
  bridge?: string | undefined;
}

/** A real access point: hostapd on a radio, and a DHCP server. */
export class AccessPoint {
  private constructor(
    readonly place: Place,
    readonly radio: string,
    private readonly programs: Program[],
  ) {}

  static async open(place: Place, radio: string, network: AirNetwork): Promise<AccessPoint> {
    const folder = mkdtempSync(join(tmpdir(), 'hostapd-'));
    const programs: Program[] = [];
    const ap = new AccessPoint(place, radio, programs);
    try {
      run(place, 'ip', 'link', 'set', radio, 'down');
      if (network.bssid) run(place, 'ip', 'link', 'set', radio, 'address', network.bssid);
      const file = join(folder, 'hostapd.conf');
      writeFileSync(file, configuration(radio, network));
      const hostapd = new Program(place, 'hostapd', file);
      programs.push(hostapd);
      await hostapd.says(/AP-ENABLED/);
      const carrier = network.bridge ?? radio;
      run(place, 'ip', 'addr', 'replace', `${network.address}/24`, 'dev', carrier);
      if (network.leases) programs.push(await serveLeases(place, carrier, network.leases));
      return ap;
    } catch (error) {
      await ap.vanish();
      throw error;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** The output of hostapd, such as who joined. */
  get log(): readonly string[] {
    return this.programs[0]?.log ?? [];
  }

  /** Gone from one moment to the next, as when a device restarts: its guests are not notified. */
  async vanish(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.kill()));
    run(this.place, 'ip', 'link', 'set', this.radio, 'down');
    run(this.place, 'ip', 'addr', 'flush', 'dev', this.radio);
  }
}

function configuration(radio: string, { ssid, password, channel, bridge }: AirNetwork): string {
  const lines = [`interface=${radio}`, 'driver=nl80211', `ssid2="${ssid}"`, 'hw_mode=g', `channel=${channel}`];
  if (bridge) lines.push(`bridge=${bridge}`);
  if (password) lines.push('wpa=2', `wpa_passphrase=${password}`, 'wpa_key_mgmt=WPA-PSK', 'rsn_pairwise=CCMP');
  return `${lines.join('\n')}\n`;
}

/** As an ESP8266's: it names itself as the router, which is the trap. */
async function serveLeases(place: Place, carrier: string, [first, last]: readonly [string, string]): Promise<Program> {
  const own = ['--no-daemon', '--conf-file=/dev/null', '--port=0', '--user=root', '--leasefile-ro', '--no-ping'];
  const where = [`--interface=${carrier}`, '--bind-interfaces', `--dhcp-range=${first},${last},1h`];
  const server = new Program(place, 'dnsmasq', ...own, '--dhcp-sequential-ip', ...where);
  await server.says(/sockets bound|IP range/);
  return server;
}
