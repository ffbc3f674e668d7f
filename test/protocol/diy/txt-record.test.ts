import assert from 'node:assert/strict';
import { parseEwelinkRecord as parse } from '../../../lib/protocol/diy/txt-record';

/** As the network delivers them. */
const parseEwelinkRecord = (strings: readonly (string | Uint8Array)[]) => parse(strings.map((one) => Buffer.from(one)));

const V14 = [
  'txtvers=1',
  'id=10009b8ed6',
  'type=diy_plug',
  'apivers=1',
  'seq=1',
  'data1={"switch":"off","startup":"off","pulse":"off","pulseWidth":500,"rssi":-29}',
];

describe('protocol/diy/txt-record', () => {
  it('reads what a MINI with 3.3.0 announces', () => {
    assert.deepEqual(parseEwelinkRecord(V14), {
      deviceid: '10009b8ed6',
      type: 'diy_plug',
      apivers: 1,
      seq: 1,
      encrypt: false,
      state: { rssi: -29, hasChannels: false },
    });
  });

  it('reads bytes and texts, keys in any case, and a key that says false', () => {
    const record = parseEwelinkRecord([Buffer.from('ID=1000900d70'), 'Encrypt=false', 'iv=NTcz', 'SEQ=7']);
    assert.deepEqual([record.deviceid, record.encrypt, record.seq], ['1000900d70', false, 7]);
  });

  it('joins the pieces of the state in their order, even where a character is cut', () => {
    const whole = Buffer.from(`{"name":"${'é'.repeat(200)}","rssi":-61}`);
    const pieces = [0, 1].map((index) =>
      Buffer.concat([Buffer.from(`data${index + 1}=`), whole.subarray(index * 250, (index + 1) * 250)]),
    );
    assert.equal(pieces.length, 2);
    assert.deepEqual(parseEwelinkRecord(pieces.reverse()).state, { rssi: -61, hasChannels: false });
  });

  it('sees eWeLink mode, whose data it does not read', () => {
    const record = parseEwelinkRecord(['type=plug', 'encrypt=True', 'data1={"rssi":-40}']);
    assert.deepEqual([record.type, record.encrypt, record.state], ['plug', true, undefined]);
  });

  it('sees the channels of newer hardware', () => {
    const record = parseEwelinkRecord(['type=diy_plug', 'data1={"switches":[{"switch":"off","outlet":0}]}']);
    assert.deepEqual(record.state, { rssi: undefined, hasChannels: true });
  });

  it('takes a key the first time it is there', () => {
    assert.equal(parseEwelinkRecord(['id=1000900d70', 'ID=1000900d71']).deviceid, '1000900d70');
  });

  for (const [what, strings] of [
    ['nothing', []],
    ['strings that say nothing', ['', '=x', 'id', 'encrypt']],
    ['an id that is a path', ['id=../1', 'type=<b>', 'apivers=one', 'seq=-1', 'data1=[]']],
    ['a state that is no JSON', ['data1={"rssi":']],
    ['a state without its second piece', ['data1={"rssi":', 'data3=-29}']],
    ['a state of more than 4096 characters', [`data1={"rssi":-29,"x":"${'x'.repeat(4096)}"}`]],
  ] as const) {
    it(`knows nothing from ${what}`, () => {
      assert.deepEqual(parseEwelinkRecord(strings), {
        deviceid: undefined,
        type: undefined,
        apivers: undefined,
        seq: undefined,
        encrypt: false,
        state: undefined,
      });
    });
  }

  for (const rssi of [0, 40, -121, '-40', null]) {
    it(`takes ${JSON.stringify(rssi)} for no signal strength`, () => {
      assert.equal(parseEwelinkRecord([`data1=${JSON.stringify({ rssi })}`]).state?.rssi, undefined);
    });
  }
});
