import { EventEmitter } from 'node:events';
import { FlashError } from '../../errors';
import { inSameNetwork, localIPv4, type LocalAddress } from '../addresses';
import { probeTcp, type ProbeResult } from '../probe';
import type { AccessPoint, JoinedNetwork, WifiDriver, WifiEvents, WifiLimits, WifiNetwork } from './wifi';
import { pause, within } from './within';
import { wording } from '../../wordings/wording';

/** As long as a person may need to hold a button and find a network. */
export const JOIN_LIMIT_MS = 10 * 60_000;
export const LOOK_PAUSE_MS = 500;
export const PROBE_LIMIT_MS = 1500;
const NETMASK = '255.255.255.0';

export interface ManualOptions {
  readonly addresses?: () => readonly LocalAddress[];
  readonly probe?: (
    host: string,
    port: number,
    options: { signal: AbortSignal; limitMs: number },
  ) => Promise<ProbeResult>;
}

/**
 * A person joins and leaves; the driver only notices that: by this machine's addresses, and by whether
 * a host answers there. The caller has instructed the person.
 */
export class ManualDriver extends EventEmitter<WifiEvents> implements WifiDriver {
  readonly name = 'manual';
  readonly interfaceName = '';
  private present: JoinedNetwork | undefined;
  private readonly addresses: () => readonly LocalAddress[];
  private readonly probe: NonNullable<ManualOptions['probe']>;

  constructor({ addresses = localIPv4, probe = probeTcp }: ManualOptions = {}) {
    super();
    this.addresses = addresses;
    this.probe = probe;
  }

  get joined(): JoinedNetwork | undefined {
    return this.present;
  }

  async scan(): Promise<readonly AccessPoint[]> {
    throw new FlashError('wifi-unavailable', { reason: wording('by-hand-here') });
  }

  /** Resolves when this machine is there: a host answers at the network's `peer`. */
  join(network: WifiNetwork, { signal, limitMs = JOIN_LIMIT_MS }: WifiLimits): Promise<JoinedNetwork> {
    const { ssid, peer } = network;
    if (peer === undefined) return this.scan() as Promise<never>;
    const what = wording('task-join-by-hand', { ssid });
    const late = (): FlashError => new FlashError('wifi-timeout', { what, seconds: Math.round(limitMs / 1000) });
    return within({ signal, limitMs }, late, async (both) => {
      for (;;) {
        const own = this.addresses().find(({ address }) => inSameNetwork(address, peer, NETMASK));
        const answer = await this.probe(peer, 80, { signal: both, limitMs: PROBE_LIMIT_MS });
        if (answer !== 'silent') {
          const { address = 'unknown', name: interfaceName = '' } = own ?? {};
          return (this.present = { ssid, bssid: undefined, address, interfaceName });
        }
        await pause(LOOK_PAUSE_MS, both);
      }
    });
  }

  async leave(): Promise<void> {
    this.present = undefined;
  }

  async clean(): Promise<readonly string[]> {
    return [];
  }

  close(): void {
    this.present = undefined;
  }
}
