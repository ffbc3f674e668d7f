import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { dispatchReply, parseDispatch } from '../../lib/protocol/dispatch';
import { flashErrorOf, mutate, randomFrom } from './helpers';

const KEY = '4b7a3f2e-9c1d-4e5f-8a6b-0c1d2e3f4a5b';

// docs/dev/stock-firmware.md#2.1, a real device with 1.5.5; the key in the notes is left out, so this one is made up.
const REAL = `{"accept":"ws;2","version":2,"ts":933,"deviceid":"100008db11","apikey":"${KEY}","model":"ITA-GZ1-GL","romVersion":"1.5.5"}`;
const FIELDS = JSON.parse(REAL) as Record<string, unknown>;
const DEVICE = { deviceid: '100008db11', apikey: KEY, model: 'ITA-GZ1-GL', romVersion: '1.5.5' };
const PARSED = { ...DEVICE, ts: 933 };

describe('protocol/dispatch', () => {
  it('reads what a real device sends', () => {
    assert.deepEqual(parseDispatch(REAL, '192.168.1.77'), PARSED);
  });

  it('does not mind the order of fields, nor more of them', () => {
    const reversed = Object.fromEntries(Object.entries({ ...FIELDS, chipid: '00A1' }).reverse());
    assert.deepEqual(parseDispatch(JSON.stringify(reversed), 'x'), PARSED);
  });

  it('does without a ts', () => {
    assert.deepEqual(parseDispatch(JSON.stringify({ ...FIELDS, ts: undefined })), DEVICE);
    assert.deepEqual(parseDispatch(JSON.stringify({ ...FIELDS, ts: '933' })), DEVICE);
  });

  it('takes the longest fields that fit', () => {
    const longest = {
      deviceid: 'a'.repeat(32),
      apikey: 'k'.repeat(64),
      model: 'm'.repeat(64),
      romVersion: '1'.repeat(64),
    };
    assert.deepEqual(parseDispatch(JSON.stringify(longest)), longest);
  });

  const malformed: Record<string, [body: string, reason: RegExp]> = {
    'an empty body': ['', /not JSON/],
    text: ['hello', /not JSON/],
    'JSON that is cut off': [REAL.slice(0, -1), /not JSON/],
    'an array': [`[${REAL}]`, /not a JSON object/],
    'a number': ['5', /not a JSON object/],
    'a body of 4097 characters': [REAL.padEnd(4097), /4096/],
    'no deviceid': [JSON.stringify({ ...FIELDS, deviceid: undefined }), /deviceid/],
    'a deviceid that is a number': [JSON.stringify({ ...FIELDS, deviceid: 1000 }), /deviceid/],
    'an empty deviceid': [JSON.stringify({ ...FIELDS, deviceid: '' }), /deviceid/],
    'a deviceid of 33 characters': [JSON.stringify({ ...FIELDS, deviceid: 'a'.repeat(33) }), /deviceid/],
    'a deviceid with a slash': [JSON.stringify({ ...FIELDS, deviceid: 'a/b' }), /deviceid/],
    'a deviceid with a line end': [JSON.stringify({ ...FIELDS, deviceid: 'a\n' }), /deviceid/],
    'no apikey': [JSON.stringify({ ...FIELDS, apikey: undefined }), /apikey/],
    'an apikey of 65 characters': [JSON.stringify({ ...FIELDS, apikey: 'k'.repeat(65) }), /apikey/],
    'an apikey that is an object': [JSON.stringify({ ...FIELDS, apikey: {} }), /apikey/],
    'no model': [JSON.stringify({ ...FIELDS, model: undefined }), /model/],
    'a model of 65 characters': [JSON.stringify({ ...FIELDS, model: 'm'.repeat(65) }), /model/],
    'a model outside ASCII': [JSON.stringify({ ...FIELDS, model: 'Küche' }), /model/],
    'no romVersion': [JSON.stringify({ ...FIELDS, romVersion: undefined }), /romVersion/],
    'a romVersion that is a number': [JSON.stringify({ ...FIELDS, romVersion: 1.5 }), /romVersion/],
  };
  for (const [what, [body, reason]] of Object.entries(malformed)) {
    it(`refuses ${what}`, () => {
      const error = flashErrorOf('message-malformed', () => parseDispatch(body, '192.168.1.77'));
      assert.equal(error.values['peer'], '192.168.1.77');
      assert.match(error.values.reason?.text ?? '', reason);
      assert.ok(!JSON.stringify([error.message, error.values]).includes(KEY), 'the apikey is a secret');
    });
  }

  it('throws nothing but a FlashError, whatever arrives', () => {
    const random = randomFrom(2017);
    let refused = 0;
    let taken = 0;
    for (let i = 0; i < 3000; i++) {
      const body = mutate(FIELDS, random);
      try {
        const { deviceid } = parseDispatch(body, 'x');
        assert.match(deviceid, /^[\w-]{1,32}$/);
        taken++;
      } catch (error) {
        assert.ok(error instanceof FlashError, `${body} made it throw ${String(error)}`);
        assert.equal(error.code, 'message-malformed');
        refused++;
      }
    }
    assert.ok(refused > 500 && taken > 500, `refused ${refused}, taken ${taken}`);
  });

  it('answers with where to go', () => {
    assert.equal(dispatchReply('192.168.1.20', 8443), '{"error":0,"reason":"ok","IP":"192.168.1.20","port":8443}');
  });

  it('answers with nothing that the device could not dial', () => {
    assert.match(dispatchReply('n'.repeat(50), 1), /n{50}/);
    flashErrorOf('address-invalid', () => dispatchReply('n'.repeat(51), 8443));
    flashErrorOf('address-invalid', () => dispatchReply('', 8443));
    flashErrorOf('address-invalid', () => dispatchReply('192.168.1.20', 0));
  });
});
