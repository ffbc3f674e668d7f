import assert from 'node:assert/strict';
import fc from 'fast-check';
import { answerForName } from '../../lib/protocol/name-answer';

const KNOWN = { name: 'apid.coolkit.cn', address: '192.168.1.5' };
const NAME = '\x04apid\x07coolkit\x02cn\0';

/** A query by hand: id 0x1234, recursion desired. */
function query({ name = NAME, type = 1, dnsClass = 1, flags = 0x0100, questions = 1, more = '' } = {}): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0x1234);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(questions, 4);
  const ends = Buffer.alloc(4);
  ends.writeUInt16BE(type);
  ends.writeUInt16BE(dnsClass, 2);
  const question = Buffer.concat([Buffer.from(name, 'latin1'), ends]);
  return Buffer.concat([header, question, Buffer.from(more, 'latin1')]);
}

function answerTo(options: Parameters<typeof query>[0]): { flags: string; counts: string; result: string } | undefined {
  const answer = answerForName(query(options), KNOWN);
  if (!answer) return undefined;
  const hex = answer.reply.toString('hex');
  assert.equal(hex.slice(0, 4), '1234');
  return { flags: hex.slice(4, 8), counts: hex.slice(8, 16), result: answer.result };
}

describe('protocol/name-answer', () => {
  it('answers the address of its one name, byte by byte', () => {
    const reply = answerForName(query(), KNOWN)?.reply.toString('hex');
    const name = Buffer.from(NAME, 'latin1').toString('hex');
    assert.equal(reply, `123481800001000100000000${name}00010001${name}000100010000001e0004c0a80105`);
  });

  it('answers in the spelling of the question', () => {
    const spelled = '\x04aPiD\x07COOLkit\x02cN\0';
    const answer = answerForName(query({ name: spelled }), KNOWN);
    assert.equal(answer?.result, 'address');
    assert.equal(answer.reply.toString('latin1').split(spelled).length, 3);
  });

  it('has no other record of its name, and reports that', () => {
    for (const type of [28, 15, 16, 65, 255]) {
      assert.deepEqual(answerTo({ type }), { flags: '8180', counts: '00010000', result: 'empty' }, String(type));
    }
  });

  for (const [what, name] of [
    ['another name', '\x03www\x07example\x03com\0'],
    ['a name below its own', '\x03www\x04apid\x07coolkit\x02cn\0'],
    ['the name above its own', '\x07coolkit\x02cn\0'],
    ['the root', '\0'],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.deepEqual(answerTo({ name }), { flags: '8105', counts: '00010000', result: 'refused' });
    });
  }

  it('refuses another class, and implements no other operation', () => {
    assert.equal(answerTo({ dnsClass: 3 })?.flags, '8105');
    assert.deepEqual(answerTo({ flags: 0x2100 }), { flags: '8104', counts: '00010000', result: 'refused' });
  });

  it('asks for no recursion on behalf of a client that did not', () => {
    assert.equal(answerTo({ flags: 0 })?.flags, '8080');
  });

  for (const [what, options] of [
    ['a response', { flags: 0x8180 }],
    ['two questions', { questions: 2, more: `${NAME}\0\x01\0\x01` }],
    ['no question', { questions: 0 }],
    ['a name whose end is missing', { name: '\x04apid\x07cool' }],
    ['a name that points at itself', { name: '\xc0\x0c' }],
    ['a name in one label', { name: '\x0fapid.coolkit.cn\0' }],
    ['a label that is no text', { name: '\x02\xff\xfe\0' }],
    ['a question for an answer by unicast', { dnsClass: 0x8001 }],
  ] as const) {
    it(`gives no answer to ${what}`, () => {
      assert.equal(answerTo(options), undefined);
    });
  }

  it('takes whatever comes, and answers at most once for each byte and a little more', () => {
    const packets = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.tuple(fc.nat(40), fc.nat(255)).map(([at, byte]) => {
        const packet = query();
        packet[at % packet.length] = byte;
        return packet;
      }),
    );
    fc.assert(
      fc.property(packets, (bytes) => {
        const packet = Buffer.from(bytes);
        const answer = answerForName(packet, KNOWN);
        if (!answer) return;
        assert.ok(answer.reply.length <= packet.length + 31, 'an answer is no amplifier');
        assert.deepEqual(answer.reply.subarray(0, 2), packet.subarray(0, 2));
        assert.equal((answer.reply[2] ?? 0) >> 7, 1);
      }),
    );
  });
});
