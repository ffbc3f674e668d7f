import { setMaxListeners } from 'node:events';
import { scopeOf } from '../../net/address-scope';
import type { Network } from '../../net/networks';
import { probeTcp } from '../../net/probe';
import { DIY_PORT } from '../../protocol/diy/names';
import { readDiyInfo, type DiyInfo } from '../../protocol/diy/reply';
import type { RequestOptions } from '../device-request';
import { DiyClient } from './diy-client';

/** At the same time; a device is asked for one connection only. */
const AT_ONCE = 32;
/** A device at home accepts within far less, unless its Wi-Fi is bad. */
const CONNECT_MS = 1500;

export interface Swept {
  readonly address: string;
  /** The device's description; undefined for a stock Sonoff that takes no DIY commands, as in eWeLink mode. */
  readonly info: DiyInfo | undefined;
}

export interface SweepOptions extends RequestOptions {
  readonly port?: number;
}

/**
 * Asks every address around this machine's whether a stock Sonoff is there. Only for when a person asks: to the others
 * in the network it looks like a port scan, which it is.
 *
 * @param network of this machine, at home; of one larger than a /24 only the /24 around the address
 * @param limitMs in `options`, for one device's answer
 * @throws FlashError `cancelled`
 * @throws TypeError where the network is not a private one
 */
export async function* sweep(network: Network, options: SweepOptions): AsyncGenerator<Swept> {
  if (scopeOf(network.address) === 'public') throw new TypeError(`${network.address} is no address of a home network`);
  const { port = DIY_PORT } = options;
  // Each question listens to it.
  const signal = AbortSignal.any([options.signal]);
  setMaxListeners(0, signal);
  const left = neighbours(network);
  for (let group = left.splice(0, AT_ONCE); group.length > 0; group = left.splice(0, AT_ONCE)) {
    const answers = await Promise.all(group.map((address) => ask(address, port, { ...options, signal })));
    yield* answers.filter((answer) => answer !== undefined);
  }
}

/** The addresses of hosts in the network, without one's own. */
export function neighbours({ address, netmask }: Network): string[] {
  const own = address.split('.').map(Number);
  const mask = Number(netmask.split('.')[3] ?? 0);
  const last = own[3] ?? 0;
  const first = last & mask;
  const end = first | (~mask & 0xff);
  const hosts = Array.from({ length: Math.max(end - first - 1, 0) }, (_, index) => first + 1 + index);
  return hosts.filter((host) => host !== last).map((host) => [...own.slice(0, 3), host].join('.'));
}

async function ask(address: string, port: number, options: RequestOptions): Promise<Swept | undefined> {
  const { signal } = options;
  if ((await probeTcp(address, port, { signal, limitMs: CONNECT_MS })) !== 'accepted') return undefined;
  const client = new DiyClient(address, { port });
  const outcome = await client.send({ name: 'info' }, options);
  if (outcome.result === 'done') return { address, info: readDiyInfo(outcome.data) };
  return 'isStock' in outcome && outcome.isStock ? { address, info: undefined } : undefined;
}
