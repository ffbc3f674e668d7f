import assert from 'node:assert/strict';
import { deviceidOfName, hostNameOf, isSameName } from '../../../lib/protocol/diy/names';

describe('protocol/diy/names', () => {
  for (const [name, deviceid] of [
    ['eWeLink_1000e4c17c._ewelink._tcp.local', '1000e4c17c'],
    ['eWelink_1000E4C17C._ewelink._tcp.local.', '1000e4c17c'],
    ['ewelink_1000e4c17c.local', '1000e4c17c'],
    ['eWeLink_1000e4c17c (2)._ewelink._tcp.local', '1000e4c17c'],
    ['ihost-1001e4c17c._ewelink._tcp.local', undefined],
    ['zbbridgeu-1001e4c17c._ewelink._tcp.local', undefined],
    ['eWeLink_1000e4c17c0.local', undefined],
    ['eWeLink_1000e4c17._ewelink._tcp.local', undefined],
    ['my eWeLink_1000e4c17c.local', undefined],
    ['', undefined],
  ] as const) {
    it(`finds ${deviceid ?? 'no id'} in "${name}"`, () => assert.equal(deviceidOfName(name), deviceid));
  }

  it('names the host of a device as the device does', () => {
    assert.equal(hostNameOf('1000e4c17c'), 'eWeLink_1000e4c17c.local');
    assert.equal(deviceidOfName(hostNameOf('1000e4c17c')), '1000e4c17c');
  });

  it('compares names without their case', () => {
    assert.ok(isSameName('eWeLink_1000E4C17C.local', 'ewelink_1000e4c17c.LOCAL'));
    assert.ok(!isSameName('eWeLink_1000e4c17c.local', 'eWeLink_1000e4c17d.local'));
  });
});
