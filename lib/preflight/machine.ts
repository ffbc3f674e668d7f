import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { localIPv4, type LocalAddress } from '../net/addresses';
import { inContainer } from '../net/container';
import { wifiInterfaces } from '../net/wifi/choose';

/** Where Linux shows them. */
const INTERFACES = '/sys/class/net';

/** The part of the machine that the checks read. */
export interface Machine {
  /** Every IPv4 address but the loopback's. */
  readonly addresses: readonly LocalAddress[];
  /** Whether this process runs in a container. */
  readonly contained: boolean;
  readonly now: Date;
  /** Whether it has a Wi-Fi interface; undefined where that cannot be found out. */
  readonly hasWifi?: boolean | undefined;
}

export async function thisMachine(signal: AbortSignal): Promise<Machine> {
  return { addresses: localIPv4(), contained: inContainer(), now: new Date(), hasWifi: await hasWifi(signal) };
}

/** By what the kernel shows of its interfaces, or what NetworkManager or the Supervisor knows. */
async function hasWifi(signal: AbortSignal): Promise<boolean | undefined> {
  if (!existsSync(INTERFACES)) return undefined;
  if (readdirSync(INTERFACES).some((name) => existsSync(join(INTERFACES, name, 'wireless')))) return true;
  return (await wifiInterfaces(signal)).length > 0;
}
