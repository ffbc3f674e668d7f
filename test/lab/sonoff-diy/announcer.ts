import { once } from 'node:events';
import type { Answer as DnsRecord, TxtAnswer } from 'dns-packet';
import multicastDns from 'multicast-dns';
import { report } from '../sonoff/report';
import { type DiyIdentity } from './identity';

const SERVICE = '_ewelink._tcp.local';
const MDNS_PORT = 5353;
const LAN_PORT = 8081;
const TTL_S = 120;

/** The device's state as the TXT record has it (diy-mode 1.5). */
export interface Shown {
  seq: number;
  state: object;
}

/**
 * mDNS as the hardware has it (diy-mode 1.5, 2.5): each record only for its own question, so the service's gets the PTR
 * alone; all of them unasked when it joins. A restart says no goodbye.
 */
export class Announcer {
  readonly #mdns;
  readonly #ready: Promise<unknown>;

  /** @param address of its interface */
  constructor(
    readonly device: DiyIdentity,
    readonly address: string,
    readonly shown: () => Shown,
    port = MDNS_PORT,
  ) {
    this.#mdns = multicastDns({ interface: address, bind: '0.0.0.0', port });
    this.#ready = once(this.#mdns, 'ready');
    this.#mdns.on('query', ({ id, questions = [] }, from) => {
      for (const question of questions) {
        const record = this.#records().find((one) => fits(one, question));
        if (record === undefined) continue;
        report('asked', { type: question.type, name: question.name });
        // A question from another port is a legacy one: the answer goes there alone.
        if (from.port === port) this.#mdns.respond([record]);
        else this.#mdns.respond({ id: id ?? 0, questions: [question], answers: [record] }, from);
      }
    });
  }

  /** Resolves when the interface has joined the group and the whole set is on its way. */
  async announce(): Promise<void> {
    await this.#ready;
    await new Promise<void>((resolve) => this.#mdns.respond(this.#records(), () => resolve()));
  }

  stop(): void {
    this.#mdns.destroy();
  }

  #records(): DnsRecord[] {
    const host = `eWeLink_${this.device.deviceid}.local`;
    const instance = `eWeLink_${this.device.deviceid}.${SERVICE}`;
    const target = { port: LAN_PORT, target: host, priority: 0, weight: 0 };
    return [
      { name: SERVICE, type: 'PTR', ttl: TTL_S, data: instance },
      { name: instance, type: 'SRV', ttl: TTL_S, data: target },
      this.#text(instance),
      { name: host, type: 'A', ttl: TTL_S, data: this.address },
    ];
  }

  #text(name: string): TxtAnswer {
    const { seq, state } = this.shown();
    const pairs = { txtvers: 1, id: this.device.deviceid, type: 'diy_plug', apivers: 1, seq };
    const data = Object.entries({ ...pairs, data1: JSON.stringify(state) }).map(([key, value]) => `${key}=${value}`);
    return { name, type: 'TXT', ttl: TTL_S, data };
  }
}

function fits(record: DnsRecord, { type, name }: { type: string; name: string }): boolean {
  return record.type === type && record.name.toLowerCase() === name.toLowerCase();
}
