/**
 * The networks that a device makes itself, each a /24 with the device as `.1` (docs/dev/stock-firmware.md#1.1, #5). The
 * only place where their numbers stand.
 */

/** One of them. */
export interface DeviceNetwork {
  /** The device's own address. */
  readonly device: string;
  /** This machine's, as the device's first guest. */
  readonly guest: string;
  /** The guest's with the length of the prefix. */
  readonly cidr: string;
  readonly network: string;
  /** The prefix of every address in it. */
  readonly prefix: string;
}

export const DEVICE_NETMASK = '255.255.255.0';

/** The access point of stock firmware that waits to be set up. */
export const ACCESS_POINT = deviceNetwork('10.10.7');

/** FinalStage asks no other address than this guest's for its images. */
export const FINALSTAGE_NETWORK = deviceNetwork('192.168.4');

/** The network of an ESP8266 in any firmware with the Arduino core, as long as it knows no Wi-Fi. */
export const NEW_FIRMWARE_NETWORK = deviceNetwork('192.168.4');

/** Each network once. */
export const DEVICE_NETWORKS: readonly DeviceNetwork[] = [ACCESS_POINT, FINALSTAGE_NETWORK];

export function isInNetwork(address: string, { prefix }: DeviceNetwork): boolean {
  return address.startsWith(prefix);
}

function deviceNetwork(base: string): DeviceNetwork {
  const guest = `${base}.2`;
  return { device: `${base}.1`, guest, cidr: `${guest}/24`, network: `${base}.0`, prefix: `${base}.` };
}
