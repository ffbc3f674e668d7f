/** A network that the device makes itself: its set-up access point, FinalStage, or the one of its new firmware. */
export interface OwnNetwork {
  ssid: string;
  /** WPA2; an open network has none. */
  password?: string;
  /** Its own address there; on a real device with a /24 and a DHCP server. */
  address: string;
  bssid: string;
  /** Another machine joins first, and gets the first address of its DHCP server. */
  stolen?: boolean;
}

/**
 * The device's radio, so that a lab can bring real networks up and down: namespaces, or 802.11 in a virtual machine. The
 * device waits for each call. By default all networks are there together, on loopback.
 */
export interface VirtualRadio {
  openAccessPoint(network: OwnNetwork): Promise<void> | void;
  closeAccessPoint(network: OwnNetwork): Promise<void> | void;
  /**
   * Joins the home network: the address that it has there, or undefined where it does not get in, as with a wrong
   * password. May reject with the signal's reason as soon as that is aborted.
   */
  joinHome(network: HomeNetwork, signal: AbortSignal): Promise<string | undefined> | string | undefined;
  leaveHome(): Promise<void> | void;
}

export interface HomeNetwork {
  ssid: string;
  password: string;
}

/** All networks are there: the device has its address at home wherever it dials from. */
export function loopbackRadio(address = '127.0.0.1'): VirtualRadio {
  return {
    openAccessPoint: () => undefined,
    closeAccessPoint: () => undefined,
    joinHome: () => address,
    leaveHome: () => undefined,
  };
}

/** The MAC of a device's access point: that of its station with the bit of locally given addresses. */
export function accessPointMac(stationMac: string): string {
  const first = Number.parseInt(stationMac.slice(0, 2), 16) | 0x02;
  return first.toString(16).toUpperCase().padStart(2, '0') + stationMac.slice(2);
}
