import { isIPv4 } from 'node:net';
import type { Answer } from 'dns-packet';

/** One instance of a service, as far as it is known. */
export interface Service {
  /** Of the instance, as its owner spells it. */
  readonly name: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** The strings of its TXT record. */
  readonly txt: readonly Uint8Array[] | undefined;
  /** The IPv4 address of its host; if no record has it, the one that the records came from. */
  readonly address: string;
}

/** The missing records of a service; `host` stands for its address. */
export type Missing = 'SRV' | 'TXT' | 'A';

/** Collects the records of one service. Case does not count in names (RFC 6762, section 16). */
export class ServiceRecords {
  #host: string | undefined;
  #port: number | undefined;
  #txt: readonly Uint8Array[] | undefined;
  #address: string | undefined;

  /** @param from the address that sent it */
  constructor(
    readonly name: string,
    private from: string,
  ) {}

  get host(): string | undefined {
    return this.#host;
  }

  get missing(): readonly Missing[] {
    const missing: Missing[] = [];
    if (this.#host === undefined) missing.push('SRV');
    else if (this.#address === undefined) missing.push('A');
    if (this.#txt === undefined) missing.push('TXT');
    return missing;
  }

  get service(): Service {
    const [host, port, txt] = [this.#host, this.#port, this.#txt];
    return { name: this.name, host, port, txt, address: this.#address ?? this.from };
  }

  /**
   * Takes what a record says of this service.
   *
   * @param from the address that the record came from
   * @param isHere whether an address is in the network that the record came from
   * @returns whether it was about this service
   */
  take(record: Answer, from: string, isHere: (address: string) => boolean): boolean {
    if (record.type === 'SRV' && isSame(record.name, this.name)) {
      const { target, port = 0 } = record.data;
      if (this.#host === undefined || !isSame(this.#host, target)) this.#address = undefined;
      this.#host = target;
      this.#port = port > 0 && port <= 65_535 ? port : this.#port;
    } else if (record.type === 'TXT' && isSame(record.name, this.name)) {
      this.#txt = stringsOf(record.data);
    } else if (record.type === 'A' && this.#host !== undefined && isSame(record.name, this.#host)) {
      if (!isIPv4(record.data) || !isHere(record.data)) return false;
      this.#address = record.data;
    } else {
      return false;
    }
    this.from = from;
    return true;
  }
}

/** Whether two names of DNS are the same. */
export function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function stringsOf(data: unknown): readonly Uint8Array[] {
  const strings: unknown[] = Array.isArray(data) ? data : [data];
  return strings.filter((string) => string instanceof Uint8Array);
}
