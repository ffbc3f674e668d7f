import dgram from 'node:dgram';
import { type HomePlace, recordsOf } from './announcement';
import type { DiyContext } from './context';
import { decodeQuery, type DnsRecord, encodeAnswer, type Question } from './dns-packet';
import type { MdnsPlace } from './options';

/**
 * The device's mDNS (docs/dev/diy-mode.md#1.5, #2.5): a question for the service gets the PTR record alone, and each other
 * record comes to its own question; all of them together only unasked, when it joins and when its state changes.
 */
export class MdnsResponder {
  private constructor(
    private readonly device: DiyContext,
    private readonly home: HomePlace,
    private readonly place: Required<MdnsPlace>,
    private readonly socket: dgram.Socket,
  ) {
    socket.on('message', (packet, { address, port }) => this.onMessage(packet, address, port));
  }

  /** Resolves to undefined, with a line in the log, where this machine has no multicast. */
  static async open(device: DiyContext, home: HomePlace): Promise<MdnsResponder | undefined> {
    const { mdns: place, behaviours } = device;
    if (!place || behaviours.mdns === 'silent') return undefined;
    const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('error', (error) => device.log(`mDNS: ${error.message}`));
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        // Bound to the group, it receives nothing else; Windows knows no such binding.
        const address = process.platform === 'win32' ? '0.0.0.0' : place.group;
        socket.bind({ port: place.port, address, exclusive: true }, resolve);
      });
      socket.setMulticastTTL(255);
      socket.setMulticastLoopback(true);
      socket.setMulticastInterface(home.address);
      socket.addMembership(place.group, home.address);
    } catch (error) {
      device.log(`mDNS: not possible here (${(error as NodeJS.ErrnoException).code ?? ''})`);
      await closed(socket);
      return undefined;
    }
    return new MdnsResponder(device, home, place, socket);
  }

  /** Sends all records to the group. */
  announce(): void {
    const { ptr, srv, txt, a } = recordsOf(this.device, this.home);
    const { announcesWithout } = this.device.behaviours;
    const records = [
      ptr,
      ...(announcesWithout === 'port' ? [] : [srv]),
      txt,
      ...(announcesWithout === 'address' ? [] : [a]),
    ];
    this.send(encodeAnswer(records), this.place.group, this.place.port);
  }

  async close(): Promise<void> {
    if (this.device.behaviours.saysGoodbye) {
      const gone = Object.values(recordsOf(this.device, this.home)).map((record) => ({ ...record, ttl: 0 }));
      await new Promise<void>((resolve) => {
        this.socket.send(encodeAnswer(gone), this.place.port, this.place.group, () => resolve());
      });
    }
    await closed(this.socket);
  }

  private onMessage(packet: Buffer, address: string, port: number): void {
    // Multicast of other interfaces arrives too: a device on loopback is not there for them.
    if (this.home.address.startsWith('127.') && !address.startsWith('127.')) return;
    const query = decodeQuery(packet);
    const isLegacy = port !== this.place.port;
    for (const question of query?.questions ?? []) {
      const records = this.answersTo(question);
      if (records.length === 0) continue;
      if (isLegacy) this.send(encodeAnswer(records, { id: query?.id ?? 0, question }), address, port);
      else this.send(encodeAnswer(records), this.place.group, this.place.port);
    }
  }

  private answersTo({ name, type }: Question): DnsRecord[] {
    const { ptr, srv, txt, a } = recordsOf(this.device, this.home);
    const record = [ptr, srv, txt, a].find((one) => one.type === type && isSameName(one.name, name));
    if (!record) return [];
    return record === ptr && this.device.behaviours.mdns === 'all-at-once' ? [ptr, srv, txt, a] : [record];
  }

  private send(packet: Buffer, address: string, port: number): void {
    this.socket.send(packet, port, address, (error) => error && this.device.log(`mDNS: ${error.message}`));
  }
}

/** Names are compared without case (RFC 6762 #16). */
function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

async function closed(socket: dgram.Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}
