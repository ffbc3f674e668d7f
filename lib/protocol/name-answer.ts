/** Answers questions of DNS (RFC 1035) about a single name; knows no other one, and forwards nothing. */

import { decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED, type DecodedPacket, type Question } from 'dns-packet';

/** The port of DNS. */
export const DNS_PORT = 53;

/** Seconds. Short: the name is to lead elsewhere again once this server has closed. */
export const NAME_TTL = 30;

/** The one name, and the IPv4 address that it leads to. */
export interface KnownName {
  readonly name: string;
  readonly address: string;
}

export interface NameAnswer {
  /** The packet to send back. */
  readonly reply: Buffer;
  /** The queried name, as it was spelled. */
  readonly name: string;
  /**
   * - `address`: the address of the known name
   * - `empty`: the name is known, but has no such record
   * - `refused`: another name, or something else than a question for a name
   */
  readonly result: 'address' | 'empty' | 'refused';
}

/** RFC 1035, section 4.1.1. */
const RCODE = { none: 0, notImplemented: 4, refused: 5 } as const;
const OPCODE_QUERY = 0;
const HEADER_BYTES = 12;

/**
 * The answer to one packet. Undefined for what deserves none: a response, what is not DNS, and anything but exactly one
 * question, which is answered letter by letter as it was asked (RFC 9619).
 *
 * Every other name is refused: a client with two servers then asks the other one, as RFC 1035 has it. To pass it on would
 * make this machine a resolver for everyone who can reach it, and a device in DIY mode needs no other name: its image
 * comes from an IPv4 address (docs/dev/diy-mode.md#1.8, #1.9).
 */
export function answerForName(packet: Buffer, known: KnownName): NameAnswer | undefined {
  const query = decoded(packet);
  const [question, ...others] = query?.questions ?? [];
  if (query?.type !== 'query' || !question || others.length > 0) return undefined;
  const opcode = ((packet[2] ?? 0) >> 3) & 0xf;
  if (opcode !== OPCODE_QUERY) return replyTo(packet, query, question, { rcode: RCODE.notImplemented });
  const isKnown = question.class === 'IN' && question.name.toLowerCase() === known.name;
  if (!isKnown) return replyTo(packet, query, question, { rcode: RCODE.refused });
  return replyTo(packet, query, question, question.type === 'A' ? { address: known.address } : {});
}

function replyTo(
  packet: Buffer,
  { id, flags = 0 }: DecodedPacket,
  question: Question,
  { rcode = RCODE.none, address }: { rcode?: number; address?: string },
): NameAnswer | undefined {
  const { name } = question;
  const available = rcode === RCODE.none ? RECURSION_AVAILABLE : 0;
  const reply = encode({
    type: 'response',
    id: id ?? 0,
    flags: (flags & RECURSION_DESIRED) | available | rcode,
    questions: [question],
    answers: address === undefined ? [] : [{ type: 'A', class: 'IN', name, ttl: NAME_TTL, data: address }],
  });
  if (!echoes(reply, packet, question)) return undefined;
  return { reply, name, result: rcode !== RCODE.none ? 'refused' : address === undefined ? 'empty' : 'address' };
}

/** Whether the question stands in the reply as it was asked: a client compares it, and not all names survive decoding. */
function echoes(reply: Buffer, packet: Buffer, question: Question): boolean {
  const end = encode({ type: 'query', questions: [question] }).length;
  return reply.subarray(HEADER_BYTES, end).equals(packet.subarray(HEADER_BYTES, end));
}

function decoded(packet: Buffer): DecodedPacket | undefined {
  try {
    return decode(packet);
  } catch {
    return undefined;
  }
}
