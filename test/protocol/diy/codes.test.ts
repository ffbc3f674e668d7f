import assert from 'node:assert/strict';
import { AP_DIY_PATH, diyProvisioningBody, isDiyPage } from '../../../lib/protocol/diy/access-point';
import { errorCodeOf } from '../../../lib/protocol/diy/error-codes';
import { parseResult, RESULT_PATH, resultCodeOf } from '../../../lib/protocol/diy/result-report';
import { flashErrorOf } from '../helpers';

describe('protocol/diy/error-codes', () => {
  for (const [command, error, code] of [
    ['info', 400, 'diy-refused'],
    ['info', 401, 'diy-encrypted'],
    ['ota_flash', 401, 'diy-encrypted'],
    ['info', 404, 'diy-other-device'],
    ['ota_flash', 404, 'diy-other-device'],
    ['switch', 422, 'diy-refused'],
    ['ota_unlock', 500, 'diy-unlock-refused'],
    ['ota_unlock', 503, 'diy-unlock-offline'],
    ['info', 500, 'diy-refused'],
    ['ota_flash', 403, 'diy-locked'],
    ['info', 403, 'diy-refused'],
    ['ota_flash', 408, 'diy-download-timeout'],
    ['ota_flash', 413, 'diy-image-refused'],
    ['ota_flash', 424, 'diy-download-impossible'],
    ['ota_flash', 471, 'diy-digest-differs'],
    ['ota_flash', 999, 'diy-refused'],
  ] as const) {
    it(`takes ${error} from ${command} for ${code}`, () => assert.equal(errorCodeOf(command, error), code));
  }
});

describe('protocol/diy/result-report', () => {
  it('reads what the device posts', () => {
    assert.equal(RESULT_PATH, '/api/device/otaFlash');
    assert.equal(parseResult('{"error":0}'), 0);
    assert.equal(parseResult('{"error":409,"x":1}'), 409);
  });

  for (const body of ['', 'error=0', '{}', '{"error":"0"}', '{"error":-1}', '{"error":1000}', '{"error":1.5}']) {
    it(`reads nothing in ${JSON.stringify(body)}`, () => assert.equal(parseResult(body), undefined));
  }

  it('reads no more than it must', () => assert.equal(parseResult(`{"error":0}${' '.repeat(1024)}`), undefined));

  it('knows what the codes mean', () => {
    assert.deepEqual([404, 406, 409, 410, 500].map(resultCodeOf), [
      'download-failed',
      'diy-message-refused',
      'diy-digest-differs',
      'diy-device-fault',
      'diy-device-fault',
    ]);
  });
});

describe('protocol/diy/access-point', () => {
  it('writes the body of /ap_diy', () => {
    assert.equal(AP_DIY_PATH, '/ap_diy');
    assert.equal(
      diyProvisioningBody({ ssid: 'home', password: 'secret1234' }),
      '{"ssid":"home","password":"secret1234"}',
    );
  });

  it('writes nothing that the device could not store', () => {
    flashErrorOf('wifi-credentials-unusable', () => diyProvisioningBody({ ssid: 'x'.repeat(32), password: '' }));
  });

  const page = (status: number, body: string) => isDiyPage({ status, headers: {}, body });

  it('distinguishes the page of DIY mode from what is none', () => {
    assert.ok(page(200, '<!DOCTYPE html><html><head><title>DIY WEB</title>'));
    assert.ok(page(200, '<body>'));
    assert.ok(!page(404, '<html>not found</html>'));
    assert.ok(!page(200, ''));
    assert.ok(!page(200, '{"error":404}'));
  });
});
