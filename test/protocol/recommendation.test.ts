import assert from 'node:assert/strict';
import {
  METHODS,
  REASONS,
  recommend,
  type Confidence,
  type KnownFacts,
  type Method,
  type Reason,
} from '../../lib/protocol/recommendation';

const DIY = { type: 'diy_plug', encrypt: false };
const EWELINK = { type: 'plug', encrypt: true };

// docs/dev/diy-mode.md#1.1, #1.5, #2.9, #2.11, #2.12; docs/dev/stock-firmware.md#6.
const CASES: [method: Method, confidence: Confidence, reason: Reason, facts: KnownFacts][] = [
  ['diy', 'supported', 'diy-now', { announcement: DIY }],
  ['diy', 'supported', 'diy-now', { announcement: DIY, version: '3.7.6' }],
  ['diy', 'supported', 'diy-now', { announcement: { type: 'diylight' }, product: 'D1' }],
  ['diy', 'uncertain', 'diy-now-newer', { announcement: DIY, version: '3.7.7' }],
  ['diy', 'uncertain', 'diy-now-newer', { announcement: DIY, version: '3.8.1' }],
  ['diy', 'uncertain', 'diy-now-unproven', { announcement: { type: 'diy_light' } }],
  ['diy', 'uncertain', 'diy-now-unproven', { announcement: { type: 'something' }, version: '3.6.0' }],
  ['serial', 'unsupported', 'other-chip', { announcement: { type: 'multifun_switch' } }],
  ['serial', 'unsupported', 'other-chip', { announcement: DIY, hasChannels: true }],
  ['serial', 'unsupported', 'other-chip', { announcement: DIY, version: '1.4.0' }],
  ['serial', 'unsupported', 'other-chip', { announcement: DIY, product: 'MINIR3' }],
  ['diy-button', 'uncertain', 'diy-button-maybe', { announcement: EWELINK }],
  ['diy-button', 'supported', 'diy-button', { announcement: EWELINK, product: 'BASICR3' }],
  ['account', 'unsupported', 'account', { announcement: EWELINK, product: 'S26R2' }],
  ['account', 'unsupported', 'account', { announcement: { type: 'th_plug', encrypt: true } }],
  ['serial', 'unsupported', 'other-chip', { announcement: { type: 'switch_radar', encrypt: 'true' } }],
  ['diy-button', 'uncertain', 'diy-button-maybe', { isLocked: true }],
  ['diy-button', 'supported', 'diy-button', { isLocked: true, product: 'MINI', version: '3.6.0' }],
  ['diy-button', 'supported', 'diy-button', { product: 'MINI', version: '3.5.0' }],
  ['diy-button', 'supported', 'diy-button', { product: 'MINIR2', version: '3.7.6' }],
  ['diy-button', 'supported', 'diy-button', { product: 'MINIR2' }],
  ['diy-button', 'uncertain', 'diy-button-newer', { product: 'MINIR2', version: '3.8.0' }],
  ['diy-button', 'uncertain', 'diy-button-maybe', { version: '3.5.0' }],
  ['diy-jumper', 'uncertain', 'diy-update-first', { product: 'MINI', version: '3.0.1' }],
  ['diy-jumper', 'uncertain', 'diy-jumper', { product: 'BASICR3', version: '3.3.0' }],
  ['account', 'unsupported', 'account', { product: 'S31', version: '3.5.0' }],
  ['account', 'unsupported', 'account-only', { product: 'S60TPG' }],
  ['cloud', 'supported', 'cloud', { version: '1.5.5' }],
  ['cloud', 'supported', 'cloud', { model: 'PSC-B01-GL', version: '2.0.2' }],
  ['cloud', 'uncertain', 'cloud-maybe', { version: '1.6.0' }],
  ['cloud', 'uncertain', 'cloud-unreported', { version: '0.9.9' }],
  ['serial', 'unsupported', 'certificate', { version: '2.6.1', product: 'POW R2' }],
  ['serial', 'unsupported', 'other-chip', { product: 'NSPanel', version: '1.4.1' }],
  ['none', 'unsupported', 'locked', { product: 'MINIR4M' }],
  ['none', 'unsupported', 'zigbee', { product: 'ZBMINI' }],
  ['none', 'supported', 'other-firmware', { firmware: 'Tasmota', product: 'Basic', version: '15.0.1' }],
  ['unknown', 'uncertain', 'access-point', { isAccessPoint: true }],
  ['unknown', 'uncertain', 'version-missing', { product: 'Basic' }],
  ['unknown', 'uncertain', 'version-missing', { model: 'PSA-B01-GL' }],
  ['unknown', 'uncertain', 'unknown', {}],
];

describe('protocol/recommendation', () => {
  for (const [method, confidence, reason, facts] of CASES) {
    it(`recommends ${method} (${confidence}, ${reason}) for ${JSON.stringify(facts)}`, () => {
      const found = recommend(facts);
      assert.deepEqual([found.method, found.confidence, found.reason], [method, confidence, reason]);
    });
  }

  it('gives every method and every reason', () => {
    assert.deepEqual([...new Set(CASES.map(([method]) => method))].sort(), Object.keys(METHODS).sort());
    assert.deepEqual([...new Set(CASES.map(([, , reason]) => reason))].sort(), Object.keys(REASONS).sort());
  });

  it('fills what its reasons leave open, and names the source with what was reported', () => {
    for (const [, , , facts] of CASES) {
      const { reason, values, source } = recommend(facts);
      const open = [...REASONS[reason].matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(Object.keys(values), open);
      assert.notEqual(source, '');
    }
    assert.match(recommend({ version: '1.7.0' }).source, /^SonOTA#144.*: firmware from 1\.7 on checks/);
  });

  it('compares no version that is none', () => {
    for (const version of ['3.8.1b', 'newest', '']) {
      assert.equal(recommend({ announcement: DIY, version }).reason, 'diy-now', version);
    }
  });
});
