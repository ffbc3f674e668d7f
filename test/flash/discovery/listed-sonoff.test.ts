import assert from 'node:assert/strict';
import { fingerprint, listOf, namedSighting, type Sighting } from '../../../lib/flash/discovery/listed-sonoff';

const ID = '1000a1b2c3';
const MAC = 'd8:f1:5b:00:11:22';
const ANNOUNCED: Sighting = {
  ...{ how: 'announcement', deviceid: ID, address: '192.168.1.30', at: 2000, rssi: -52 },
  announcement: { type: 'diy_plug', encrypt: false },
};

describe('flash/discovery/listed-sonoff', () => {
  it('lists a device once, however often it is known, and prefers what was seen', () => {
    const [device, ...others] = listOf([
      namedSighting({ deviceid: ID, name: 'Hall', product: 'BASICR3', version: '3.5.0', address: '192.168.1.99' }),
      { how: 'dispatch', deviceid: ID.toUpperCase(), version: '3.6.0', at: 1000 },
      ANNOUNCED,
    ]);
    assert.equal(others.length, 0);
    assert.deepEqual([device?.key, device?.name, device?.model], [ID, 'Hall', 'BASICR3']);
    assert.deepEqual([device?.version, device?.address, device?.rssi], ['3.6.0', '192.168.1.30', -52]);
    assert.deepEqual([device?.known, device?.seenAt], [['dispatch', 'announcement', 'named'], 2000]);
    assert.equal(device?.recommendation.reason, 'diy-now');
  });

  it('knows a device without an id by its MAC or its address', () => {
    const byMac = listOf([
      { how: 'session', deviceid: ID, mac: MAC, at: 1 },
      namedSighting({ mac: MAC, name: 'Hall' }),
    ]);
    assert.deepEqual([byMac.length, byMac[0]?.name], [1, 'Hall']);
    const byAddress = listOf([{ how: 'answer', address: '192.168.1.30', isLocked: true, at: 1 }, ANNOUNCED]);
    assert.deepEqual([byAddress.length, byAddress[0]?.deviceid], [1, ID]);
    const apart = listOf([
      { ...ANNOUNCED, mac: MAC },
      namedSighting({ mac: MAC.replace('d8', 'd9'), address: '192.168.1.30' }),
    ]);
    assert.equal(apart.length, 2, 'another MAC at the same address');
  });

  it('keeps devices apart that are named alike, under keys of their own', () => {
    const listed = listOf([namedSighting({ product: 'MINI' }), namedSighting({ product: 'MINI' })]);
    assert.deepEqual(
      listed.map(({ key }) => key),
      ['MINI', 'MINI #2'],
    );
  });

  it('believes that a device has new firmware only where its stock firmware is not seen', () => {
    const named = namedSighting({ deviceid: ID, firmware: 'Tasmota' });
    assert.equal(listOf([named])[0]?.recommendation.reason, 'other-firmware');
    assert.equal(listOf([named, ANNOUNCED])[0]?.recommendation.reason, 'diy-now');
  });

  it('takes neither signal nor time for news', () => {
    const [one] = listOf([ANNOUNCED]);
    const [same] = listOf([{ ...ANNOUNCED, rssi: -70, at: 3000 }]);
    const [other] = listOf([{ ...ANNOUNCED, version: '3.6.0' }]);
    assert.ok(one && same && other);
    assert.equal(fingerprint(one), fingerprint(same));
    assert.notEqual(fingerprint(one), fingerprint(other));
  });
});
