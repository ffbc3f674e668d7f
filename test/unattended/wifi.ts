import type { FakeAccessPoint, FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import type { Air } from '../lab/air';
import type { DeviceNetwork, DeviceProcess } from './device-process';

const WLAN = 'wlan0';
const ACTIVATED = 100;
const DISCONNECTED = 30;
const SSID_NOT_FOUND = 53;

/**
 * What a NetworkManager does with the host's radio: the access points that it shows are those that devices have open in
 * the air, and what it activates is really joined.
 */
export class WifiInTheAir {
  readonly #networks = new Map<FakeAccessPoint, DeviceNetwork>();
  readonly #device;
  #joined: DeviceNetwork | undefined;

  constructor(
    readonly air: Air,
    readonly manager: FakeNetworkManager,
  ) {
    air.addRadio('host', WLAN);
    this.#device = manager.addWifi(WLAN);
    manager.on('state', (state: number, name: string) => name === WLAN && this.#follow(state));
  }

  /** Sees the networks of this device from now on. */
  watch(device: DeviceProcess): void {
    device.on('opened', (network) => {
      const { ssid, bssid, password, address } = network;
      const psk = password === undefined ? {} : { psk: password };
      const shown: FakeAccessPoint = { ssid, bssid, network: address.slice(0, address.lastIndexOf('.')), ...psk };
      this.#networks.set(shown, network);
      this.#show();
    });
    device.on('closed', ({ bridge }) => {
      for (const [shown, network] of this.#networks) if (network.bridge === bridge) this.#networks.delete(shown);
      this.#show();
      if (this.#joined?.bridge === bridge) this.manager.loseNetwork(this.#device, SSID_NOT_FOUND);
    });
  }

  #show(): void {
    this.manager.accessPoints = [...this.#networks.keys()];
  }

  /** The network that the active profile names, by its access point where it does. */
  #meant(): DeviceNetwork | undefined {
    const { ssid, bssid } = this.#device.active?.profile.settings['802-11-wireless'] ?? {};
    const text = (ssid?.value as Buffer | undefined)?.toString();
    const hex = (bssid?.value as Buffer | undefined)?.toString('hex').toUpperCase();
    return [...this.#networks.values()].find(
      (network) => network.ssid === text && (hex === undefined || network.bssid.replaceAll(':', '') === hex),
    );
  }

  #follow(state: number): void {
    if (state === ACTIVATED) {
      const network = this.#meant();
      if (!network) return;
      this.#joined = network;
      this.air.join('host', WLAN, network.bridge, `${this.#device.address}/24`);
    } else if (this.#joined && (state <= DISCONNECTED || state > ACTIVATED)) {
      this.#joined = undefined;
      this.air.leave('host', WLAN);
    }
  }
}
