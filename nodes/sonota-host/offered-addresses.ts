import type { LocalAddress } from '../../lib/net/addresses';
import { canBeHome, type HomeChoice, type HomeReason } from '../../lib/net/home-network';
import type { InterfaceKind } from '../../lib/net/interfaces';

/** An address as the form of a host offers it. */
export interface OfferedAddress {
  readonly name: string;
  readonly address: string;
  /** Why devices get this address, or what speaks against it; undefined where neither holds. */
  readonly hint?: HomeReason | Exclude<InterfaceKind, 'lan'>;
}

/**
 * The addresses that a device could dial at home, first the one that devices get.
 *
 * @param own of this machine
 * @param told what devices get now; this machine may not have it just now
 */
export function offeredAddresses(
  own: readonly LocalAddress[],
  told: string | undefined,
  choice: HomeChoice,
): OfferedAddress[] {
  const offered = own
    .filter(({ address }) => canBeHome(address))
    .map(({ name, address, kind }): OfferedAddress => {
      if (choice.home && address === told) return { name, address, hint: choice.reason };
      return kind === 'lan' ? { name, address } : { name, address, hint: kind };
    });
  const isAway = told !== undefined && !offered.some(({ address }) => address === told);
  if (isAway) offered.unshift({ name: choice.home?.name ?? '?', address: told, hint: 'remembered' });
  return offered.sort((one, other) => Number(other.address === told) - Number(one.address === told));
}
