import { localIPv4, type LocalAddress } from '../../net/addresses';
import { inContainer } from '../../net/container';

/** What the checks ask of the machine they run on. */
export interface Machine {
  /** Every IPv4 address but the loopback's. */
  readonly addresses: readonly LocalAddress[];
  /** Whether this process runs in a container. */
  readonly contained: boolean;
  readonly now: Date;
}

export function thisMachine(): Machine {
  return { addresses: localIPv4(), contained: inContainer(), now: new Date() };
}
