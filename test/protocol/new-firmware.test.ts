import assert from 'node:assert/strict';
import { macOfTasmota, recogniseNewFirmware, type WebPage } from '../../lib/protocol/new-firmware';

const page = (body: string, headers: WebPage['headers'] = {}, status = 200): WebPage => ({ status, headers, body });

describe('protocol/new-firmware', () => {
  it('knows Tasmota by its header, or by the foot of its pages', () => {
    const title = 'Tasmota - Main Menu';
    assert.deepEqual(recogniseNewFirmware(page(`<title>${title}</title>`, { server: 'Tasmota/14.1.0 (ESP8266EX)' })), {
      kind: 'tasmota',
      version: '14.1.0',
      title,
    });
    for (const [foot, version] of [
      ["<a href='https://bit.ly/tasmota'>Tasmota 9.5.0.8 by Theo Arends</a>", '9.5.0.8'],
      ['Sonoff-Tasmota 6.7.1 by Theo Arends', '6.7.1'],
      ['Tasmota 8.2.0(lite) von Theo Arends', '8.2.0'],
    ] as const) {
      assert.deepEqual(recogniseNewFirmware(page(foot)), { kind: 'tasmota', version });
    }
  });

  it('knows ESPHome by the one element of its page, or by its name in its access point', () => {
    assert.equal(recogniseNewFirmware(page('<body><esp-app></esp-app></body>')).kind, 'esphome');
    assert.equal(recogniseNewFirmware(page('<p>Powered by ESPHome</p>')).kind, 'esphome');
  });

  it('knows ESPurna by its page, or by the name under which it asks for its password', () => {
    assert.equal(recogniseNewFirmware(page('<title>ESPurna 1.14.1</title>')).kind, 'espurna');
    const asks = page('', { 'www-authenticate': 'Basic realm="ESPURNA-AB12CD"' }, 401);
    assert.deepEqual(recogniseNewFirmware(asks), { kind: 'espurna' });
  });

  it('calls any other page other, and reads its title', () => {
    assert.deepEqual(recogniseNewFirmware(page('<html><TITLE> My router </TITLE>')), {
      kind: 'other',
      title: 'My router',
    });
    assert.deepEqual(recogniseNewFirmware(page('', {}, 500)), { kind: 'other' });
    assert.deepEqual(recogniseNewFirmware(page('I read about Tasmota once, by Theo Arends')), { kind: 'other' });
  });

  it("reads a Tasmota's MAC address out of its network settings", () => {
    assert.equal(macOfTasmota('{"StatusNET":{"Hostname":"x","Mac":"5c:cf:7f:12:34:56"}}'), '5C:CF:7F:12:34:56');
    for (const body of ['', '{}', '{"StatusNET":null}', '{"StatusNET":{"Mac":7}}', '{"StatusNET":{"Mac":"?"}}', '[]']) {
      assert.equal(macOfTasmota(body), undefined);
    }
  });
});
