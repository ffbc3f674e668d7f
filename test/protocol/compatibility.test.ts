import assert from 'node:assert/strict';
import { isCloudMethod, methodOf, type Level, type FlashMethod } from '../../lib/protocol/compatibility';
import { MDNS_ROWS, VERSION_ROWS } from '../../lib/protocol/compatibility-table';
import { METHOD_WORDINGS } from '../../lib/wordings/method';

type Case = [road: FlashMethod, level: Level, model: string, ...versions: string[]];

// docs/dev/stock-firmware.md#2.3, #4.2, #6, as far as the model strings of 3.6 reach.
const CASES: Case[] = [
  ['cloud', 'supported', 'ITA-GZ1-GL', '1.2.0', '1.5.5', '1.5.1'],
  ['cloud-http', 'supported', 'ITA-GZ1-GL', '1.5.0', '1.5'],
  ['cloud-slow', 'uncertain', 'ITA-GZ1-GL', '1.5.2'],
  ['cloud', 'uncertain', 'ITA-GZ1-GL', '1.6.0'],
  ['cloud', 'supported', 'PSA-B01-GL', '1.5.5'],
  ['cloud-slow', 'uncertain', 'PSA-B01-GL', '1.5.2'],
  ['cloud', 'uncertain', 'PSA-B01-GL', '1.6.0', '1.6.1'],
  ['cloud', 'supported', 'PSB-B04-GL', '1.1.0'],
  ['cloud-slow', 'supported', 'PSB-B04-GL', '1.3.0'],
  ['cloud-http', 'supported', 'PSC-B01-GL', '2.0.2'],
  ['cloud', 'supported', 'PSC-B01-GL', '2.0.3', '2.0.4'],
  ['cloud-http', 'supported', 'PSA-BHA-GL', '2.0.1'],
  ['cloud', 'supported', 'PSA-BHA-GL', '2.0.4'],
  ['cloud-slow', 'uncertain', 'PSF-B04-GL', '2.0.0', '2.0'],
  ['cloud', 'supported', 'PSF-B04-GL', '2.0.1'],
  ['cloud', 'supported', 'SOMETHING-NEW', '1.5.5', '2.0.4'],
  ['cloud', 'uncertain', 'SOMETHING-NEW', '1.0.0', '1.1.0', '2.0.3', '1.6.999'],
  ['cloud-slow', 'uncertain', 'SOMETHING-NEW', '1.5.2'],
  ['unknown', 'uncertain', 'ITA-GZ1-GL', '', '1', '1.5.5b', 'v1.5.5', '1.5.5.1', '1,5', '-1.5', '1.5.5 ', '1e5.0'],
  ['unknown', 'uncertain', 'ITA-GZ1-GL', '0.9.9', '9999.0.0'],
  ['serial-only', 'unsupported', 'ITA-GZ1-GL', '1.7.0', '1.8.1', '1.10.0', '1.99', '2.1.0', '2.5.9', '2.6.0', '2.10.0'],
  ['serial-only', 'unsupported', 'PSA-B01-GL', '1.8.1'],
  ['serial-only', 'unsupported', 'PSF-B04-GL', '2.6.0', '2.7.1'],
  ['serial-only', 'unsupported', 'PSA-BHA-GL', '2.6.0'],
  ['serial-only', 'unsupported', 'SOMETHING-NEW', '1.7.0', '2.6.1', '2.8.0'],
  ['diy', 'uncertain', 'ITA-GZ1-GL', '3.0.0', '3.5.0', '4.0', '12.1.0'],
  ['diy', 'uncertain', 'PSF-B04-GL', '3.4.0'],
];

describe('protocol/roads', () => {
  for (const [method, level, model, ...versions] of CASES) {
    for (const romVersion of versions) {
      it(`${model} ${JSON.stringify(romVersion)} goes ${method}, ${level}`, () => {
        const verdict = methodOf({ model, romVersion });
        assert.deepEqual({ road: verdict.method, level: verdict.level }, { road: method, level });
      });
    }
  }

  it('tries the cloud on its own roads and where nothing is known, and on no other', () => {
    const tried = CASES.filter(([method]) => isCloudMethod({ method: method })).map(([method]) => method);
    assert.deepEqual([...new Set(tried)].sort(), ['cloud', 'cloud-http', 'cloud-slow', 'unknown']);
  });

  it('knows a road from the version alone', () => {
    assert.equal(methodOf({ romVersion: '1.5.5' }).method, 'cloud');
  });

  it('says of nothing that nothing is known', () => {
    assert.equal(methodOf({}).method, 'unknown');
    assert.equal(methodOf({ deviceid: '1000a1b2c3' }).method, 'unknown');
  });

  it('does not take the name of the access point for an answer, since every version shows it', () => {
    assert.equal(methodOf({ apName: 'ITEAD-1000a1b2c3', deviceid: '1000a1b2c3' }).method, 'unknown');
    assert.equal(
      methodOf({ apName: 'ITEAD-1000a1b2c3', model: 'PSC-B01-GL', romVersion: '2.0.2' }).method,
      'cloud-http',
    );
    assert.match(methodOf({ apName: 'HomeOfSomebody' }).reason.text, /not that of a stock Sonoff/);
  });

  it('sends a device that waits in FinalStage on', () => {
    assert.deepEqual(methodOf({ apName: 'FinalStage' }).method, 'cloud');
    assert.match(methodOf({ apName: 'FinalStage' }).reason.text, /FinalStage/);
  });

  for (const [type, road, level] of [
    ['diy_plug', 'diy', 'supported'],
    ['diylight', 'diy', 'supported'],
    ['diy_light', 'diy', 'uncertain'],
    ['multifun_switch', 'serial-only', 'unsupported'],
    ['fan_light', 'diy', 'uncertain'],
    [undefined, 'diy', 'uncertain'],
  ] as const) {
    it(`takes an announced ${type} for ${road}, ${level}`, () => {
      for (const encrypt of [undefined, false, 'false']) {
        const verdict = methodOf({ mdns: { type, encrypt }, romVersion: '1.5.5' });
        assert.deepEqual({ road: verdict.method, level: verdict.level }, { road, level });
      }
    });
  }

  it('asks for DIY mode where a device announces eWeLink mode', () => {
    for (const encrypt of [true, 'true']) {
      const verdict = methodOf({ mdns: { type: 'plug', encrypt } });
      assert.deepEqual({ road: verdict.method, level: verdict.level }, { road: 'diy', level: 'uncertain' });
      assert.match(verdict.reason.text, /switched/);
    }
  });

  it('gives each finding a reason that continues a sentence, and a source', () => {
    for (const { reason, source } of [...VERSION_ROWS, ...MDNS_ROWS]) {
      assert.match(METHOD_WORDINGS[reason], /^[a-zA-Z].{10,}[^.]$/);
      assert.match(source, /#\d|README|notes|SonoffLAN/);
    }
  });

  it('reaches every row of the table', () => {
    for (const row of VERSION_ROWS) {
      const version = row.from.split('.').length === 1 ? `${row.from}.0` : row.from;
      const verdict = methodOf({ ...(row.models ? { model: row.models[0] } : {}), romVersion: version });
      assert.equal(verdict.reason.code, row.reason, `${row.from} of ${String(row.models)} is hidden by an earlier row`);
    }
  });

  it('points a device with 3.x to DIY mode', () => {
    assert.match(methodOf({ romVersion: '3.5.0' }).reason.text, /DIY mode/);
  });
});
