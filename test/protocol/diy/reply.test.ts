import assert from 'node:assert/strict';
import { parseDiyReply, readDiyInfo } from '../../../lib/protocol/diy/reply';

const INFO = {
  switch: 'off',
  startup: 'stay',
  pulse: 'off',
  pulseWidth: 500,
  ssid: 'home',
  otaUnlock: false,
  fwVersion: '3.5.0',
  deviceid: '1000e4c17c',
  bssid: '50:d2:f5:0:1b:c3',
  signalStrength: -52,
};

describe('protocol/diy/reply', () => {
  it('reads data that is an object, and data that is JSON in a string', () => {
    for (const data of [INFO, JSON.stringify(INFO)]) {
      const reply = parseDiyReply(JSON.stringify({ seq: 2, error: 0, data }));
      assert.deepEqual(reply, { result: 'done', data: INFO });
    }
  });

  it('reads an answer without data', () => {
    for (const body of ['{"seq":3,"error":0}', '{"error":0,"data":""}', '{"error":0,"data":"{}"}']) {
      assert.deepEqual(parseDiyReply(body), { result: 'done', data: {} });
    }
  });

  it('reads the code of a refusal, whatever its data', () => {
    assert.deepEqual(parseDiyReply('{"seq":2,"error":403,"data":5}'), { result: 'refused', error: 403 });
  });

  for (const [what, body] of [
    ['a page', '<html>not found</html>'],
    ['nothing', ''],
    ['an object without error', '{"seq":1}'],
    ['an error that is a text', '{"error":"0"}'],
    ['an error with a fraction', '{"error":0.5}'],
    ['data that is a number', '{"error":0,"data":5}'],
    ['data that is encrypted', '{"error":0,"data":"aGVsbG8="}'],
    ['a list', '[0]'],
    ['more than 4096 characters', `{"error":0}${' '.repeat(4096)}`],
  ] as const) {
    it(`takes ${what} for no answer of DIY mode`, () => {
      const reply = parseDiyReply(body);
      assert.equal(reply.result, 'foreign');
      assert.ok(reply.result === 'foreign' && !reply.reason.text.includes('aGVs'));
    });
  }

  it('drops what would change the objects it is merged into', () => {
    const reply = parseDiyReply('{"error":0,"data":"{\\"__proto__\\":{\\"otaUnlock\\":true}}"}');
    assert.ok(reply.result === 'done');
    assert.equal(readDiyInfo(reply.data).otaUnlock, undefined);
  });

  it('reads the reply to info', () => {
    assert.deepEqual(readDiyInfo(INFO), {
      deviceid: '1000e4c17c',
      fwVersion: '3.5.0',
      otaUnlock: false,
      rssi: -52,
      bssid: '50:d2:f5:0:1b:c3',
      ssid: 'home',
      relay: 'off',
      hasChannels: false,
    });
    assert.equal(readDiyInfo({ switches: [{ switch: 'off', outlet: 0 }] }).hasChannels, true);
  });

  it('leaves out what is not there, or not of its kind', () => {
    const nothing = {
      deviceid: undefined,
      fwVersion: undefined,
      otaUnlock: undefined,
      rssi: undefined,
      bssid: undefined,
      ssid: undefined,
      relay: undefined,
      hasChannels: false,
    };
    assert.deepEqual(readDiyInfo({}), nothing);
    const wrong = {
      deviceid: '../x',
      fwVersion: '',
      otaUnlock: 'true',
      signalStrength: '1',
      bssid: 'x',
      switch: 'dimmed',
      ssid: 'é'.repeat(17),
    };
    assert.deepEqual(readDiyInfo(wrong), nothing);
  });
});
