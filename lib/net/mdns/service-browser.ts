import { EventEmitter } from 'node:events';
import type { Answer, RecordType } from 'dns-packet';
import { inSameNetwork } from '../addresses';
import { ADDRESS_POLL_MS } from '../address-watch';
import { MDNS_PORT, MdnsSocket, type MdnsInterface } from './mdns-socket';
import { isSame, ServiceRecords, type Service } from './service';

/** How long to wait for an answer before a question is asked again, and how often it is (RFC 6762, section 5.2). */
const ASK_AGAIN_MS = 1000;
const ASKS = 3;
/** A look asks at 0, 1 and 3 s, and waits for the last answer and the questions that follow from it. */
export const LOOK_MS = 4500;
/** The service is asked for with growing pauses, up to this one. */
const LONGEST_PAUSE_MS = 60_000;
/** Limits of how long an announcement holds, whatever it says of itself, in s. */
const TTL = { least: 10, most: 4500 };
/** More than any home has: the rest of a flood is not remembered. */
const MOST_SERVICES = 256;

interface Events {
  /** A service is complete, or as complete as it gets, or something of it has changed. */
  found: [service: Service];
  /** It said goodbye and does not answer, or its records have expired. */
  gone: [name: string];
  /** The IPv4 address of a host. */
  host: [name: string, address: string];
  /** On one interface nothing can be received. */
  trouble: [reason: string, address: string];
}

export interface BrowserOptions {
  /** Such as `_ewelink._tcp.local`. */
  readonly type: string;
  /** Which instances count, by their names. */
  readonly counts: (name: string) => boolean;
  readonly interfaces: () => readonly MdnsInterface[];
  /** Another than 5353 only for tests. */
  readonly port?: number;
}

interface Tracked {
  readonly records: ServiceRecords;
  /** Asked for and not answered, for each record. */
  asked: number;
  /** As it was reported last. */
  reported: string | undefined;
  asking: NodeJS.Timeout | undefined;
  expiry: NodeJS.Timeout | undefined;
}

/**
 * Browses for the instances of one service on every interface, and asks for each record that an answer leaves out:
 * hardware answers the question for the service with its PTR record alone (docs/dev/diy-mode.md#2.5).
 */
export class ServiceBrowser extends EventEmitter<Events> {
  readonly #sockets = new Map<string, MdnsSocket>();
  readonly #services = new Map<string, Tracked>();
  readonly #look: () => readonly MdnsInterface[];
  /** Hosts whose address is asked for beside the service, each as often as it is wanted. */
  readonly #wanted: string[] = [];
  #asking: NodeJS.Timeout | undefined;
  #following: NodeJS.Timeout | undefined;
  #isOpen = false;

  constructor(private readonly options: BrowserOptions) {
    super();
    this.#look = options.interfaces;
  }

  get services(): Service[] {
    return [...this.#services.values()]
      .filter(({ reported }) => reported !== undefined)
      .map(({ records }) => records.service);
  }

  /** Whether there is such an instance, of which more may still be asked. */
  knows(isMeant: (name: string) => boolean): boolean {
    return [...this.#services.values()].some(({ records }) => isMeant(records.name));
  }

  start(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#following = setInterval(() => this.#followInterfaces(), ADDRESS_POLL_MS);
    this.#followInterfaces();
    this.#askAgain(ASK_AGAIN_MS);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    clearInterval(this.#following);
    clearTimeout(this.#asking);
    for (const name of [...this.#services.keys()]) this.#forget(name);
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    await Promise.all(sockets.map((socket) => socket.close()));
  }

  /**
   * Asks again what is there. What does not answer one of several questions counts as gone.
   *
   * @returns when the last answer may have come, in ms from now
   */
  lookAgain(): number {
    for (const [key, tracked] of this.#services) this.#expire(key, tracked, LOOK_MS);
    clearTimeout(this.#asking);
    this.#ask(this.options.type, 'PTR');
    this.#askAgain(ASK_AGAIN_MS);
    return this.#sockets.size === 0 ? 0 : LOOK_MS;
  }

  /**
   * Asks for the address of a host too, which comes as the event `host`, until it is no longer wanted.
   *
   * @returns ends that
   */
  want(host: string): () => void {
    this.#wanted.push(host);
    this.#ask(host, 'A');
    return () => {
      const index = this.#wanted.indexOf(host);
      if (index >= 0) this.#wanted.splice(index, 1);
    };
  }

  #ask(name: string, type: RecordType): void {
    for (const socket of this.#sockets.values()) socket.ask(name, type);
  }

  /** Sockets for the present addresses. A new one is queried immediately. */
  #followInterfaces(): void {
    const now = this.#look();
    for (const [key, socket] of this.#sockets) {
      if (now.some((one) => keyOf(one) === key)) continue;
      this.#sockets.delete(key);
      void socket.close();
    }
    for (const one of now) {
      if (this.#sockets.has(keyOf(one))) continue;
      const socket = new MdnsSocket(one, this.options.port ?? MDNS_PORT);
      this.#sockets.set(keyOf(one), socket);
      const isHere = (address: string): boolean => inSameNetwork(address, one.address, one.netmask);
      socket.on('answers', (records, from) => this.#hear(records, from, isHere));
      socket.on('trouble', (error) => this.emit('trouble', error.message, one.address));
      socket.ask(this.options.type, 'PTR');
    }
  }

  #askAgain(pauseMs: number): void {
    this.#asking = setTimeout(() => {
      this.#ask(this.options.type, 'PTR');
      for (const host of this.#wanted) this.#ask(host, 'A');
      this.#askAgain(Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
    }, pauseMs);
  }

  #hear(records: readonly Answer[], from: string, isHere: (address: string) => boolean): void {
    for (const record of records) {
      if (record.type === 'A' && isHere(record.data) && ttlOf(record) !== 0)
        this.emit('host', record.name, record.data);
      if (record.type === 'PTR' && isSame(record.name, this.options.type))
        this.#pointedTo(record.data, record.ttl, from);
    }
    // An address counts only where its host is known, which may stand behind it in the same packet.
    const ordered = [...records.filter(({ type }) => type !== 'A'), ...records.filter(({ type }) => type === 'A')];
    for (const tracked of this.#services.values()) {
      const { host } = tracked.records;
      const told = ordered.filter((record) => ttlOf(record) !== 0 && tracked.records.take(record, from, isHere));
      if (told.length > 0) this.#told(tracked, tracked.records.host !== host);
    }
  }

  #pointedTo(name: string, ttl = TTL.most, from: string): void {
    if (!this.options.counts(name)) return;
    const key = name.toLowerCase();
    const known = this.#services.get(key);
    if (ttl === 0) return known && this.#doubt(key, known);
    if (!known && this.#services.size >= MOST_SERVICES) return;
    const tracked = known ?? newlyTracked(name, from);
    this.#services.set(key, tracked);
    const holdsMs = Math.min(Math.max(ttl, TTL.least), TTL.most) * 1000;
    this.#expire(key, tracked, holdsMs);
    if (!tracked.asking) {
      tracked.asked = 0;
      this.#askForMissing(tracked);
    }
  }

  /** The records that an instance has not sent yet, each queried separately, a few times. */
  #askForMissing(tracked: Tracked): void {
    const { name, host } = tracked.records;
    const { missing } = tracked.records;
    clearTimeout(tracked.asking);
    tracked.asking = undefined;
    if (missing.length === 0) return;
    if (tracked.asked >= ASKS) return this.#report(tracked);
    tracked.asked++;
    for (const type of missing) this.#ask(type === 'A' ? host! : name, type);
    tracked.asking = setTimeout(() => this.#askForMissing(tracked), ASK_AGAIN_MS);
  }

  /** Records have come: the missing ones are queried in turn, the address of a new host immediately. */
  #told(tracked: Tracked, isOtherHost: boolean): void {
    const { missing, host } = tracked.records;
    if (missing.length === 0 || tracked.reported !== undefined) this.#report(tracked);
    if (missing.length === 0) return this.#askForMissing(tracked);
    if (!isOtherHost || !missing.includes('A')) return;
    this.#ask(host!, 'A');
    tracked.asked = Math.min(tracked.asked, ASKS - 1);
    tracked.asking ??= setTimeout(() => this.#askForMissing(tracked), ASK_AGAIN_MS);
  }

  #report(tracked: Tracked): void {
    const { service } = tracked.records;
    const reported = fingerprint(service);
    if (reported === tracked.reported) return;
    tracked.reported = reported;
    this.emit('found', service);
  }

  /** A goodbye proves nothing: it is also sent in passing trouble. A service that is still there answers the next query. */
  #doubt(key: string, tracked: Tracked): void {
    this.#expire(key, tracked, ASK_AGAIN_MS * ASKS);
    this.#ask(this.options.type, 'PTR');
  }

  #expire(key: string, tracked: Tracked, afterMs: number): void {
    clearTimeout(tracked.expiry);
    tracked.expiry = setTimeout(() => {
      const { reported } = tracked;
      this.#forget(key);
      if (reported !== undefined) this.emit('gone', tracked.records.name);
    }, afterMs);
  }

  #forget(key: string): void {
    const tracked = this.#services.get(key);
    clearTimeout(tracked?.asking);
    clearTimeout(tracked?.expiry);
    this.#services.delete(key);
  }
}

function newlyTracked(name: string, from: string): Tracked {
  return {
    records: new ServiceRecords(name, from),
    asked: 0,
    reported: undefined,
    asking: undefined,
    expiry: undefined,
  };
}

function keyOf({ address, netmask }: MdnsInterface): string {
  return `${address}/${netmask}`;
}

function ttlOf(record: Answer): number | undefined {
  return 'ttl' in record ? record.ttl : undefined;
}

function fingerprint({ host, port, txt, address }: Service): string {
  return JSON.stringify([host, port, txt?.map((string) => Buffer.from(string).toString('latin1')), address]);
}
