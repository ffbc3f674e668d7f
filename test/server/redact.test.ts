import assert from 'node:assert/strict';
import { redactKeys } from '../../lib/server/redact';

const KEY = '11111111-2222-4333-8444-555555555555';

describe('redactKeys', () => {
  it('takes the keys out and leaves the rest as it was', () => {
    assert.equal(
      redactKeys(`{"userAgent":"device","apikey":"${KEY}","deviceid":"100008db17","action":"date"}`),
      '{"userAgent":"device","apikey":"…","deviceid":"100008db17","action":"date"}',
    );
  });

  for (const text of [
    `{"apikey" : "${KEY}"}`,
    `{"APIKEY":"${KEY}"}`,
    `{"apikey":"${KEY.slice(0, 20)}`,
    `{"apikey":"11111111\\"-2222"}`,
    `apikey=${KEY}&x=1`,
    `{"api\\u006bey":"${KEY.toUpperCase()}"}`,
  ]) {
    it(`leaves no key in ${text}`, () => assert.doesNotMatch(redactKeys(text), /1111|2222/));
  }

  it('knows a key by its form, in small letters and in capitals', () => {
    const key = '11111111-ABCD-4abc-8444-55555555EEEE';
    assert.equal(redactKeys(`{"other":"${key.toLowerCase()} ${key.toUpperCase()}"}`), '{"other":"… …"}');
  });
});
