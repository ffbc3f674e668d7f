/** The hosts that a request is redirected to, one after the other, each dialled at the very address that was checked. */

import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { isNearer, scopeOf, type AddressScope } from '../net/address-scope';
import { RequestRefused } from './refusal';
import { wording } from '../wordings/wording';

/** Every address of a host name; an address stands for itself. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

export const resolveHost: Resolve = (hostname) => lookup(hostname, { all: true });

/** A name is resolved once: its server could return another address the next time (DNS rebinding). */
export class Route {
  private host: { name: string; addresses: LookupAddress[]; scope: AddressScope } | undefined;

  constructor(
    private readonly resolve: Resolve = resolveHost,
    private readonly scopeOfAddress: (address: string) => AddressScope = scopeOf,
  ) {}

  /**
   * Continues with the next host.
   *
   * @param name without brackets
   * @returns the only addresses to dial
   * @throws Refusal where it is nearer to this machine than the host before; where the name is not known
   */
  async to(name: string): Promise<LookupAddress[]> {
    if (this.host?.name === name) return this.host.addresses;
    const addresses = await this.resolve(name);
    const scope = this.nearestOf(addresses);
    if (this.host && isNearer(scope, this.host.scope)) {
      throw new RequestRefused(wording(scope === 'loopback' ? 'redirects-to-this-machine' : 'redirects-to-private'));
    }
    this.host = { name, addresses, scope };
    return addresses;
  }

  /** For Node's sockets: continues to the host `name` when it is dialled. Another host's name is a proxy's. */
  lookupOf(name: string): LookupFunction {
    return (hostname, { all }, callback) => {
      const finding = hostname === name ? this.to(name) : resolveHost(hostname);
      finding.then(
        (addresses) => {
          if (all) return callback(null, addresses);
          const [{ address, family }] = addresses as [LookupAddress];
          callback(null, address, family);
        },
        (error: NodeJS.ErrnoException) => callback(error, ''),
      );
    };
  }

  private nearestOf(addresses: LookupAddress[]): AddressScope {
    const scopes = addresses.map(({ address }) => this.scopeOfAddress(address));
    return scopes.reduce((one, other) => (isNearer(other, one) ? other : one));
  }
}
