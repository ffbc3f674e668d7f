import { networkInterfaces } from 'node:os';

/** Whether this machine's Wi-Fi interface has an address with this prefix. */
export function isIn(network: string): boolean {
  return networkInterfaces()['wlan0']?.some(({ address }) => address.startsWith(network)) ?? false;
}
