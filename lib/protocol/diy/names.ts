/** How a stock Sonoff with firmware 3.x is called on the network (docs/dev/diy-mode.md#1.5). */

/** The service that it announces, in eWeLink mode too. */
export const EWELINK_SERVICE = '_ewelink._tcp.local';

/** Where its HTTP server listens unless its SRV record names another port. */
export const DIY_PORT = 8081;

/** `eWeLink_` and `eWelink_` are both seen; other products of the maker (`ihost-…`, `zbbridgeu-…`) use the same service. */
const NAME = /^ewelink_([\da-z]{10})(?![\da-z])/i;

/** The id in the name of a service instance or of a host, in lower case; undefined where it names no Sonoff. */
export function deviceidOfName(name: string): string | undefined {
  return NAME.exec(name)?.[1]?.toLowerCase();
}

/** The host name of a device, which resolves by mDNS alone. */
export function hostNameOf(deviceid: string): string {
  return `eWeLink_${deviceid}.local`;
}

/** Whether two names of DNS are the same: their case does not count (RFC 6762, section 16). */
export function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
