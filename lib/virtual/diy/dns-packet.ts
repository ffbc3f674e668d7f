/** The few record types that this device knows (RFC 1035, RFC 2782). */
export const TYPE = { A: 1, PTR: 12, TXT: 16, SRV: 33 } as const;
const IN = 1;
/** The top bit of a class: in a question it asks for unicast, in a record it replaces what is cached (RFC 6762 #18.12). */
const TOP_BIT = 0x8000;
const RESPONSE_AUTHORITATIVE = 0x8400;
const HEADER_BYTES = 12;
const MOST_POINTERS = 16;

export interface Question {
  readonly name: string;
  readonly type: number;
}

export interface Query {
  readonly id: number;
  readonly questions: readonly Question[];
}

export interface DnsRecord {
  readonly name: string;
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  readonly data: Buffer;
  /** It is the only one of its name and type. */
  readonly isUnique: boolean;
}

/** The questions of a packet; undefined where it is no query or cannot be read. */
export function decodeQuery(packet: Buffer): Query | undefined {
  if (packet.length < HEADER_BYTES || packet.readUInt16BE(2) & 0xf800) return undefined;
  const questions: Question[] = [];
  let offset = HEADER_BYTES;
  for (let count = packet.readUInt16BE(4); count > 0; count--) {
    const name = decodeName(packet, offset);
    if (!name || name.end + 4 > packet.length) return undefined;
    questions.push({ name: name.text, type: packet.readUInt16BE(name.end) });
    offset = name.end + 4;
  }
  return { id: packet.readUInt16BE(0), questions };
}

/** An answer to the group, or with `asked` to a client that asked from another port than that of mDNS (RFC 6762 #6.7). */
export function encodeAnswer(records: readonly DnsRecord[], asked?: { id: number; question: Question }): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(asked?.id ?? 0, 0);
  header.writeUInt16BE(RESPONSE_AUTHORITATIVE, 2);
  header.writeUInt16BE(asked ? 1 : 0, 4);
  header.writeUInt16BE(records.length, 6);
  const question = asked ? [encodeName(asked.question.name), words(asked.question.type, IN)] : [];
  return Buffer.concat([header, ...question, ...records.map((record) => encodeRecord(record, asked !== undefined))]);
}

/** A name as it stands in a record: each label with its length, no compression. */
export function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label));
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
}

/** The data of a SRV record: priority and weight 0. */
export function srvData(port: number, target: string): Buffer {
  return Buffer.concat([words(0, 0, port), encodeName(target)]);
}

/** The data of a TXT record: each string with its length. */
export function txtData(entries: readonly string[]): Buffer {
  const strings = entries.map((entry) => Buffer.from(entry));
  return Buffer.concat(strings.flatMap((text) => [Buffer.of(text.length), text]));
}

function encodeRecord({ name, type, ttl, data, isUnique }: DnsRecord, isLegacy: boolean): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  // A legacy client knows neither the bit nor long lives.
  fixed.writeUInt16BE(isUnique && !isLegacy ? IN | TOP_BIT : IN, 2);
  fixed.writeUInt32BE(isLegacy ? Math.min(ttl, 10) : ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodeName(name), fixed, data]);
}

/** The name at an offset, and where the bytes behind it start. */
function decodeName(packet: Buffer, offset: number): { text: string; end: number } | undefined {
  const labels: string[] = [];
  let end: number | undefined;
  let at = offset;
  for (let pointers = 0; at < packet.length;) {
    const length = packet[at]!;
    if (length === 0) return { text: labels.join('.'), end: end ?? at + 1 };
    if (length >= 0xc0) {
      if (at + 1 >= packet.length || ++pointers > MOST_POINTERS) return undefined;
      end ??= at + 2;
      at = packet.readUInt16BE(at) & 0x3fff;
      continue;
    }
    labels.push(packet.toString('utf8', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return undefined;
}

function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => buffer.writeUInt16BE(value, index * 2));
  return buffer;
}
