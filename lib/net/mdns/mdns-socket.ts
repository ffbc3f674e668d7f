import { EventEmitter } from 'node:events';
import type { RemoteInfo } from 'node:dgram';
import type { Answer, RecordType } from 'dns-packet';
import multicastDns from 'multicast-dns';
import { inSameNetwork } from '../addresses';

/** RFC 6762: every answer comes from this port; a question from another one would be answered there alone. */
export const MDNS_PORT = 5353;

export interface MdnsInterface {
  /** The IPv4 address of this machine on it. */
  readonly address: string;
  /** Dotted. */
  readonly netmask: string;
}

interface Events {
  /** The records of one packet, and the IPv4 address that sent it. */
  answers: [records: readonly Answer[], from: string];
  /** It receives and sends nothing any more: the port is another program's alone, or the interface has no multicast. */
  trouble: [error: Error];
}

/** Multicast DNS on one interface of this machine. */
export class MdnsSocket extends EventEmitter<Events> {
  readonly #mdns: multicastDns.MulticastDNS;
  #isClosed = false;

  /** @param port another than 5353 only for tests */
  constructor(
    private readonly at: MdnsInterface,
    private readonly port = MDNS_PORT,
  ) {
    super();
    // Bound to the address alone, Linux would hand it no multicast (docs/dev/diy-mode.md#2.5).
    this.#mdns = multicastDns({ interface: at.address, bind: '0.0.0.0', port });
    this.#mdns.on('response', ({ answers = [], additionals = [] }, from) =>
      this.#hear([...answers, ...additionals], from),
    );
    this.#mdns.on('error', (error) => this.emit('trouble', error));
    // A packet that is none, or an address that has just gone.
    this.#mdns.on('warning', () => undefined);
  }

  /** Asks for one record: hardware answers no packet with two questions (docs/dev/diy-mode.md#2.5). Never throws. */
  ask(name: string, type: RecordType): void {
    if (this.#isClosed) return;
    this.#mdns.query({ questions: [{ name, type }] }, (error) => {
      if (error && !this.#isClosed) this.emit('trouble', error);
    });
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.removeAllListeners();
    return new Promise((resolve) => this.#mdns.destroy(resolve));
  }

  /** Packets that were not sent on this link are ignored (RFC 6762, section 11), and those that no mDNS responder sent. */
  #hear(records: readonly Answer[], { address, port }: RemoteInfo): void {
    if (this.#isClosed || port !== this.port || !inSameNetwork(address, this.at.address, this.at.netmask)) return;
    this.emit('answers', records, address);
  }
}
