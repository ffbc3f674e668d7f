import { type FakeAccessPoint, FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { PrivateBus } from '../net/wifi/private-bus';
import { type Air, type Ssid } from './air';
import { type DeviceEvent, type DeviceProcess } from './device-process';
import { type Hand } from './person';

/** How long an access point takes to be seen. */
const NOTICE_MS = 700;
const HOME = '192.168.77.10/24';
const BSSID = '5E:CF:7F:0A:1B:2C';

/** No person joins anything: the host has a NetworkManager, and Node-RED asks it to. */
export class ByItself implements Hand {
  /** Other networks in reach, beside the device's. */
  others: FakeAccessPoint[] = [];
  /** Each network that was joined, in its order. */
  readonly moves: string[] = [];
  private readonly radio = 'wlan0';
  private isInside = false;
  private showing: NodeJS.Timeout | undefined;

  private constructor(
    private readonly air: Air,
    readonly bus: PrivateBus,
    readonly nm: FakeNetworkManager,
  ) {
    air.addRadio('host', this.radio);
    air.addRadio('host', 'eth0');
    air.join('host', 'eth0', 'home', HOME);
    nm.addWifi(this.radio);
    nm.on('joined', (ssid: string, address: string) => this.join(ssid, address));
    nm.on('left', () => this.leave());
  }

  /** Undefined where there is no dbus-daemon. */
  static async start(air: Air): Promise<ByItself | undefined> {
    const bus = await PrivateBus.start();
    return bus && new ByItself(air, bus, await FakeNetworkManager.start());
  }

  watch(device: DeviceProcess): void {
    device.on('event', ({ event, ssid, want, bssid, psk, network }: DeviceEvent) => {
      if (event === 'shows') this.show({ ssid, bssid, psk, network } as FakeAccessPoint);
      else if (event === 'hides') this.hide();
      else if (event === 'ap-up') this.show({ ssid: String(ssid), bssid: BSSID, psk: '12345678' });
      else if (event === 'finalstage-up') this.show({ ssid: 'FinalStage', bssid: BSSID, network: '192.168.4' });
      else if (event === 'network' && want !== 'itead-ap' && want !== 'finalstage') this.hide();
    });
  }

  async settled(): Promise<void> {
    // NetworkManager has joined when it reports that.
  }

  async stop(): Promise<void> {
    await this.nm.vanish();
    await this.bus.stop();
  }

  private show(accessPoint: FakeAccessPoint): void {
    this.showing = setTimeout(() => (this.nm.accessPoints = [...this.others, accessPoint]), NOTICE_MS);
  }

  private hide(): void {
    clearTimeout(this.showing);
    this.nm.accessPoints = [...this.others];
  }

  private join(ssid: string, address: string): void {
    const to: Ssid = ssid === 'FinalStage' ? 'finalstage' : ssid.startsWith('tasmota') ? 'tasmota' : 'itead';
    this.leave();
    this.air.join('host', this.radio, to, `${address}/24`);
    this.isInside = true;
    this.moves.push(ssid);
  }

  private leave(): void {
    if (this.isInside) this.air.leave('host', this.radio);
    this.isInside = false;
  }
}
