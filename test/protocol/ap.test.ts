import assert from 'node:assert/strict';
import {
  AP_ADDRESS,
  AP_PASSWORD,
  AP_URL,
  checkCredentials,
  parseDeviceInfo,
  parseProvisioningReply,
  provisioningBody,
} from '../../lib/protocol/ap';
import { flashErrorOf } from './helpers';

const KEY = '4b7a3f2e-9c1d-4e5f-8a6b-0c1d2e3f4a5b';

describe('protocol/ap', () => {
  it('knows the access point', () => {
    assert.deepEqual([AP_ADDRESS, AP_PASSWORD, AP_URL], ['10.10.7.1', '12345678', 'http://10.10.7.1']);
  });

  describe('parseDeviceInfo', () => {
    it('reads what the device states, whatever the order of its fields', () => {
      const expected = { deviceid: '100008db11', apikey: KEY };
      assert.deepEqual(parseDeviceInfo(`{"deviceid":"100008db11","apikey":"${KEY}","accept":"post"}`), expected);
      assert.deepEqual(parseDeviceInfo(`{"accept":"post","apikey":"${KEY}","deviceid":"100008db11"}`), expected);
    });

    it('reads a chip id, which firmware 3.x states', () => {
      const info = (chipid: string): unknown =>
        parseDeviceInfo(`{"deviceid":"100008db11","apikey":"${KEY}","accept":"post","chipid":${chipid}}`).statesChipId;
      assert.deepEqual([info('"00A1B2C3"'), info('null')], [true, undefined]);
    });

    const refused: Record<string, string> = {
      'an empty body': '',
      'a router page': '<html>Sign in</html>',
      'an array': '[]',
      null: 'null',
      'no deviceid': `{"apikey":"${KEY}"}`,
      'no apikey': '{"deviceid":"100008db11"}',
      'an apikey that is a number': '{"deviceid":"100008db11","apikey":5}',
      'a deviceid that is a path': `{"deviceid":"../x","apikey":"${KEY}"}`,
      'a deviceid of 33 characters': `{"deviceid":"${'1'.repeat(33)}","apikey":"${KEY}"}`,
      'a body of 4097 characters': `{"deviceid":"100008db11","apikey":"${KEY}"}`.padEnd(4097),
    };
    for (const [what, body] of Object.entries(refused)) {
      it(`refuses ${what}`, () => {
        const error = flashErrorOf('ap-refused', () => parseDeviceInfo(body, 'http://127.0.0.1:10080'));
        assert.match(error.message, /http:\/\/127\.0\.0\.1:10080/);
        assert.ok(!error.message.includes(KEY), 'the apikey is a secret');
      });
    }

    it('takes a body of 4096 characters', () => {
      assert.equal(parseDeviceInfo(`{"deviceid":"a","apikey":"${KEY}"}`.padEnd(4096)).deviceid, 'a');
    });
  });

  describe('checkCredentials', () => {
    it('takes the longest that fit, without a warning', () => {
      assert.deepEqual(checkCredentials('n'.repeat(31), 'p'.repeat(63)), []);
      assert.deepEqual(checkCredentials('n', 'p'.repeat(8)), []);
    });

    it('counts bytes, not characters', () => {
      const [warning] = checkCredentials(`${'é'.repeat(15)}n`, 'p'.repeat(63));
      assert.match(warning!.text, /Wi-Fi name/);
      assert.match(
        flashErrorOf('wifi-credentials-unusable', () => checkCredentials('é'.repeat(16), 'password')).message,
        /Wi-Fi name.*31 bytes/,
      );
      const error = flashErrorOf('wifi-credentials-unusable', () => checkCredentials('home', 'ü'.repeat(32)));
      assert.match(error.message, /Wi-Fi password.*63 bytes/);
      assert.ok(!error.message.includes('ü'), 'the password is a secret');
    });

    it('refuses what is one byte too long', () => {
      flashErrorOf('wifi-credentials-unusable', () => checkCredentials('n'.repeat(32), 'password'));
      flashErrorOf('wifi-credentials-unusable', () => checkCredentials('home', 'p'.repeat(64)));
    });

    it('names the one that is missing', () => {
      assert.match(
        flashErrorOf('wifi-credentials-missing', () => checkCredentials('', 'password')).message,
        /^The name/,
      );
      assert.match(
        flashErrorOf('wifi-credentials-missing', () => checkCredentials(undefined, 'p')).message,
        /^The name/,
      );
      assert.match(
        flashErrorOf('wifi-credentials-missing', () => checkCredentials('home', undefined)).message,
        /^The password/,
      );
    });

    it('takes an empty password for an open Wi-Fi, with a warning', () => {
      const warnings = checkCredentials('home', '');
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!.text, /open Wi-Fi/);
    });

    it('warns of a password that WPA does not allow', () => {
      assert.match(checkCredentials('home', 'p')[0]!.text, /8 characters/);
      assert.match(checkCredentials('home', '1234567')[0]!.text, /8 characters/);
      assert.deepEqual(checkCredentials('home', '12345678'), []);
    });

    for (const character of ['"', '\\', '\n', '\u0000', '\u007f', 'é', '💡']) {
      it(`warns of ${JSON.stringify(character)} in either`, () => {
        assert.match(
          checkCredentials(`ho${character}me`, 'password')[0]?.text ?? '',
          /^The Wi-Fi name has a character/,
        );
        assert.match(
          checkCredentials('home', `pass${character}word`)[0]?.text ?? '',
          /^The Wi-Fi password has a character/,
        );
      });
    }

    it('warns of nothing else in ASCII', () => {
      assert.deepEqual(checkCredentials("!#$%&'()*+,-./:;<=>?@[]^_`{|} ~", '!#$% {|}~'), []);
    });

    it('refuses a space at an end', () => {
      for (const [ssid, password] of [
        ['home ', 'secret-1'],
        [' home', 'secret-1'],
        ['home', 'secret-1 '],
        ['home', '\tsecret-1'],
      ] as const) {
        assert.throws(() => checkCredentials(ssid, password), { code: 'wifi-credentials-unusable' });
      }
    });
  });

  describe('provisioningBody', () => {
    const home = { ssid: 'home', password: 'secret-1', serverName: '192.168.1.20', port: 8443 };

    it('is exactly what SonOTA posted', () => {
      assert.equal(
        provisioningBody(home),
        '{"version":4,"ssid":"home","password":"secret-1","serverName":"192.168.1.20","port":8443}',
      );
    });

    it('leaves characters outside ASCII as they are, because the device undoes no escapes', () => {
      assert.match(provisioningBody({ ...home, ssid: 'Küche' }), /"ssid":"Küche"/);
    });

    it('refuses credentials that the device cannot store', () => {
      flashErrorOf('wifi-credentials-unusable', () => provisioningBody({ ...home, ssid: 'n'.repeat(32) }));
      flashErrorOf('wifi-credentials-missing', () => provisioningBody({ ...home, ssid: '' }));
    });

    it('refuses a server that the device cannot dial', () => {
      assert.match(provisioningBody({ ...home, serverName: 'n'.repeat(50) }), /n{50}/);
      const refuse = (change: object) =>
        flashErrorOf('address-invalid', () => provisioningBody({ ...home, ...change }));
      assert.match(refuse({ serverName: 'n'.repeat(51) }).message, /50 characters/);
      assert.match(refuse({ serverName: '' }).message, /not known/);
      refuse({ serverName: '::1' });
      refuse({ serverName: 'a b' });
      for (const port of [0, -1, 65536, 80.5, NaN]) assert.match(refuse({ port }).message, /not a port/);
    });
  });

  describe('parseProvisioningReply', () => {
    it('takes error 0', () => {
      assert.doesNotThrow(() => parseProvisioningReply('{"error":0}'));
    });

    it('reports the code of the device and what it means', () => {
      const error = flashErrorOf('ap-refused', () => parseProvisioningReply('{"error":401}', 'http://10.10.7.1'));
      assert.match(error.message, /error 401, the Wi-Fi password is wrong/);
      assert.match(flashErrorOf('ap-refused', () => parseProvisioningReply('{"error":7}')).message, /error 7\./);
    });

    for (const body of ['', 'OK', '0', '{}', '{"error":"0"}', '{"error":null}']) {
      it(`refuses ${JSON.stringify(body)}`, () => {
        flashErrorOf('ap-refused', () => parseProvisioningReply(body));
      });
    }
  });
});
