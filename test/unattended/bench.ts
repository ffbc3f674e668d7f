import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { Air } from '../lab/air';
import { makeFlow, type FlowSettings } from '../lab/flow';
import { Records } from '../lab/records';
import { RedInside } from '../lab/red-inside';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { PrivateBus, whyNoBus } from '../net/wifi/private-bus';
import { writeSmallImages, type SmallImages } from '../shared/small-images';
import { DeviceProcess } from './device-process';
import { WifiInTheAir } from './wifi';

export const HOME = { ssid: 'Under the stairs', password: 'correct horse 42' };

const HOST_AT_HOME = '192.168.77.10/24';
const FIRST_DEVICE_AT_HOME = 20;

/**
 * A machine with a cable and a free Wi-Fi interface, which a NetworkManager has; Node-RED on it; and devices that come
 * when they are switched on. No person joins anything here.
 */
export class Bench {
  readonly devices: DeviceProcess[] = [];
  private readonly undo: (() => unknown)[] = [];
  private constructor(
    readonly air: Air,
    readonly manager: FakeNetworkManager,
    readonly wifi: WifiInTheAir,
    readonly inside: RedInside,
    readonly records: Records,
    readonly finalSha256: string,
    private readonly images: SmallImages['paths'],
  ) {}

  static async open(places: readonly string[]): Promise<Bench> {
    const undo: (() => unknown)[] = [];
    try {
      const bus = await PrivateBus.start();
      if (!bus) throw new Error(whyNoBus());
      undo.push(() => bus.stop());
      const folder = await mkdtemp(join(tmpdir(), 'sonota-unattended-'));
      undo.push(() => rm(folder, { recursive: true, force: true }));
      const air = new Air(places);
      undo.push(() => air.remove());
      air.addRadio('host', 'eth0');
      air.join('host', 'eth0', 'home', HOST_AT_HOME);
      const manager = await FakeNetworkManager.start();
      undo.push(() => manager.vanish());
      const wifi = new WifiInTheAir(air, manager);
      const { paths, finalSha256 } = writeSmallImages(folder);
      const records = new Records(join(folder, 'records.jsonl'));
      undo.push(() => records.close());
      const inside = await RedInside.start(air, join(folder, 'admin.sock'), bus.address);
      undo.push(() => inside.red.stop());
      const bench = new Bench(air, manager, wifi, inside, records, finalSha256, paths);
      bench.undo.push(...undo);
      return bench;
    } catch (error) {
      for (const step of undo.reverse()) await step();
      throw error;
    }
  }

  /** Deploys an example as a user fills it in. @returns what injects into its first inject node, `message` over its form */
  async deploy(settings: Partial<FlowSettings>): Promise<(message?: object) => Promise<void>> {
    const host = { wifi: 'networkmanager', wifiInterface: 'wlan0', ...settings.host };
    const own = { intermediate: 'finalstage', records: this.records.path } as const;
    const { nodes, start } = makeFlow({ ...HOME, ...this.images, ...own, ...settings, host });
    await this.inside.deploy(nodes);
    return async (message) => {
      const props = Object.entries(message ?? {}).map(([p, value]) => ({ p, v: JSON.stringify(value), vt: 'json' }));
      await this.inside.post(`/inject/${start}`, message ? { __user_inject_props__: props } : {});
    };
  }

  /** Switches a device on, with its button held. */
  device(place: string, options: Partial<VirtualSonoffOptions>): DeviceProcess {
    const address = `192.168.77.${FIRST_DEVICE_AT_HOME + this.devices.length}/24`;
    const device = new DeviceProcess(this.air, place, address, { homeNetwork: HOME, ...options });
    this.devices.push(device);
    this.wifi.watch(device);
    return device;
  }

  story(): string {
    return [
      ...this.devices.map(({ place, log }) => `--- ${place}\n${log.join('\n')}`),
      `--- flow\n${this.records.all.map(({ kind, node, msg }) => `${kind} ${node} ${msg.deviceid ?? ''} ${msg.text ?? msg.error?.message ?? ''}`).join('\n')}`,
    ].join('\n');
  }

  async close(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.stop()));
    for (const step of this.undo.reverse()) await step();
  }
}
