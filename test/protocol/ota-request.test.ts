import assert from 'node:assert/strict';
import { parseOtaRequest, signatureMatches, type RequestHead } from '../../lib/protocol/ota-request';
import { randomFrom } from './helpers';

// Device and key made up; the digest worked out with sha256sum, by the rule of docs/dev/stock-firmware.md#4.1.
const KEY = 'f7f45a02-1f5c-4c4e-9a52-0f4b0d0b6f3a';
const SIGN = '48ab85ba49073a1d4d482d6f7403fceda118f10811b15ee441b4b006d7ba898b';

/** A request as a stock device sends it, in the no-Range class. */
const STOCK: RequestHead = {
  method: 'GET',
  url: `/ota/user2.bin?deviceid=100008db11&ts=1270216262&sign=${SIGN}`,
  httpVersion: '1.1',
  headers: { host: 'dl.itead.cn', 'user-agent': 'itead-device' },
};

const withRange = (range: string | string[]): RequestHead => ({ ...STOCK, headers: { ...STOCK.headers, range } });

describe('protocol/ota-request', () => {
  it('reads the request of a no-Range device after a fresh boot', () => {
    assert.deepEqual(parseOtaRequest(STOCK), {
      method: 'GET',
      path: '/ota/user2.bin',
      class: 'no-range',
      deviceid: '100008db11',
      ts: 1270216262,
      sign: SIGN,
      randPosition: 3,
    });
  });

  it('reads the request of a Range device', () => {
    const request = parseOtaRequest(withRange('bytes=0-4095'));
    assert.equal(request.class, 'range');
    assert.deepEqual(request.range, { first: 0, last: 4095 });
    assert.equal(request.malformedRange, undefined);
    assert.deepEqual(parseOtaRequest(withRange('bytes=237568-238671')).range, { first: 237568, last: 238671 });
    assert.deepEqual(parseOtaRequest(withRange('bytes=7-7')).range, { first: 7, last: 7 });
  });

  it('reads the request of FinalStage', () => {
    const head = {
      ...STOCK,
      url: '/ota/image_arduino.bin',
      httpVersion: '1.0',
      headers: { 'user-agent': 'ESP8266HTTPClient' },
    };
    assert.deepEqual(parseOtaRequest(head), { method: 'GET', path: '/ota/image_arduino.bin', class: 'finalstage' });
  });

  it('leaves a Range from FinalStage alone, because it takes only a 200', () => {
    const request = parseOtaRequest({ ...withRange('bytes=0-4095'), httpVersion: '1.0' });
    assert.equal(request.class, 'finalstage');
    assert.equal(request.range, undefined);
    assert.equal(request.malformedRange, undefined);
  });

  for (const range of [
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=0-',
    'bytes=-500',
    'bytes=5-4',
    'bytes=0-1,2-3',
    'bytes=0-0x10',
    'bytes=+1-2',
    'Bytes=0-1',
    'items=0-1',
    'bytes=0-99999999999',
    ['bytes=0-1', 'bytes=2-3'],
  ]) {
    it(`flags the Range ${JSON.stringify(range)}, and does not take it for a no-Range device`, () => {
      const request = parseOtaRequest(withRange(range));
      assert.equal(request.class, 'range');
      assert.equal(request.malformedRange, true);
      assert.equal('range' in request, false);
    });
  }

  it('finds the position of ts, as long as it is near the start of the sequence', () => {
    const at = (ts: string) => parseOtaRequest({ ...STOCK, url: `/x?ts=${ts}` });
    assert.equal(at('196150922').randPosition, 513);
    assert.deepEqual(at('933'), { method: 'GET', path: '/x', class: 'no-range', ts: 933 });
  });

  for (const query of [
    '',
    '?',
    '?&&&',
    '?deviceid',
    '?deviceid=&ts=&sign=',
    '?deviceid=a%2Fb&ts=-1&sign=xyz',
    '?ts=1e5',
    '?%',
    '?ts=12345678901',
    '?ts=%31',
    '?mydeviceid=100008db11&its=1&design=00',
  ]) {
    it(`leaves out what it cannot use of ${JSON.stringify(query)}`, () => {
      const request = parseOtaRequest({ ...STOCK, url: `/x${query}` });
      assert.deepEqual(request, { method: 'GET', path: '/x', class: 'no-range' });
    });
  }

  it('takes the parameters in any order, the first of each', () => {
    const { deviceid, ts, sign } = parseOtaRequest({ ...STOCK, url: `/x?sign=${SIGN}&a&ts=1&deviceid=b&ts=2` });
    assert.deepEqual({ deviceid, ts, sign }, { deviceid: 'b', ts: 1, sign: SIGN });
  });

  it('goes by the path alone', () => {
    const path = (url: string) => parseOtaRequest({ ...STOCK, url }).path;
    assert.equal(path('/a/b.bin?x=/c'), '/a/b.bin');
    assert.equal(path('http://dl.itead.cn/a/b.bin?x=1'), '/a/b.bin');
    assert.equal(path('http://dl.itead.cn'), '/');
    assert.equal(path(''), '/');
    assert.equal(path('/a%2e%2e/b'), '/a%2e%2e/b', 'nothing is decoded, so nothing can be smuggled in');
  });

  it('never throws', () => {
    const random = randomFrom(4096);
    const pool = ['', 'x'.repeat(5000), '%', '%zz', '?', '&', '=', '/', '#', 'ts=', 'http://', '\ud800'];
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const piece = () => String(pool[random(pool.length)]);
      const head = {
        method: piece(),
        url: piece() + piece() + piece(),
        httpVersion: i % 3 ? '1.1' : '1.0',
        headers: i % 2 ? { range: piece() } : {},
      };
      const request = parseOtaRequest(head);
      assert.ok(!request.path.includes('?'));
      seen.add(request.class);
    }
    assert.deepEqual([...seen].sort(), ['finalstage', 'no-range', 'range']);
  });

  describe('signatureMatches', () => {
    const signed = { deviceid: '100008db11', ts: 1270216262, sign: SIGN };

    it('takes a signature made with the key', () => {
      assert.equal(signatureMatches(signed, KEY), true);
      assert.equal(signatureMatches({ ...signed, sign: SIGN.toUpperCase() }, KEY), true);
    });

    it('refuses another key, device, ts or signature', () => {
      assert.equal(signatureMatches(signed, `${KEY}0`), false);
      assert.equal(signatureMatches({ ...signed, deviceid: '100008db12' }, KEY), false);
      assert.equal(signatureMatches({ ...signed, ts: 1085377743 }, KEY), false);
      assert.equal(signatureMatches({ ...signed, sign: '' }, KEY), false);
      assert.equal(signatureMatches({ ...signed, sign: SIGN.replace('4', '5') }, KEY), false);
    });
  });
});
