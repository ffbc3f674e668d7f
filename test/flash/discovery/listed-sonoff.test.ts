import assert from 'node:assert/strict';
import {
  fingerprint,
  listOf,
  namedSighting,
  type ListedSonoff,
  type Sighting,
} from '../../../lib/flash/discovery/listed-sonoff';
import { recommend } from '../../../lib/protocol/recommendation';

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

  const LISTED: ListedSonoff = {
    ...{ key: ID, deviceid: ID, name: 'Hall', model: 'MINI', version: '3.6.0', address: '192.168.1.30' },
    ...{ known: ['announcement'], seenAt: 2000, rssi: -52, recommendation: recommend({ product: 'MINI' }) },
  };
  for (const change of [
    { deviceid: undefined },
    { name: 'Lamp' },
    { model: 'MINIR2' },
    { version: '3.7.0' },
    { address: '192.168.1.31' },
    { known: ['announcement', 'named'] },
    { recommendation: recommend({ product: 'MINIR4' }) },
  ] as const) {
    it(`takes another ${Object.keys(change)[0]} for news`, () => {
      assert.notEqual(fingerprint({ ...LISTED, ...change }), fingerprint(LISTED));
    });
  }

  it('puts together what each source states of a device, the seen before the named, and the first of each', () => {
    const version = '3.6.0';
    const named = { name: 'Hall', product: 'BASICR3', model: 'PSA-B01-GL', address: '192.168.1.99', version: '3.5.0' };
    const listed = listOf([
      namedSighting({ deviceid: ID, ...named }),
      { how: 'answer', deviceid: ID, version, address: '192.168.1.30', at: 2000, rssi: -70 },
      { how: 'dispatch', deviceid: ID.toUpperCase(), version: '1.5.5', mac: MAC, at: 3000 },
      { ...ANNOUNCED, address: '192.168.1.31' },
    ]);
    assert.deepEqual(listed, [
      {
        ...{ key: ID, deviceid: ID, name: 'Hall', model: 'BASICR3', version, address: '192.168.1.30' },
        ...{ known: ['answer', 'dispatch', 'announcement', 'named'], seenAt: 3000, rssi: -70 },
        recommendation: recommend({
          product: 'BASICR3',
          model: 'PSA-B01-GL',
          version,
          announcement: { type: 'diy_plug' },
        }),
      },
    ]);
  });

  it('has no more of a device that is merely named than what names it', () => {
    assert.deepEqual(listOf([namedSighting({ deviceid: ID.toUpperCase(), model: 'PSA-B01-GL', version: '1.5.5' })]), [
      {
        ...{ key: ID, deviceid: ID.toUpperCase(), name: undefined, model: 'PSA-B01-GL', version: '1.5.5' },
        ...{ address: undefined, known: ['named'], seenAt: undefined, rssi: undefined },
        recommendation: recommend({ model: 'PSA-B01-GL', version: '1.5.5' }),
      },
    ]);
  });

  for (const [fact, reason] of [
    ['hasChannels', 'other-chip'],
    ['isLocked', 'diy-button-maybe'],
    ['isAccessPoint', 'access-point'],
  ] as const) {
    it(`knows by ${fact} of any of its sightings how to flash a device`, () => {
      const announcement = fact === 'hasChannels' ? { announcement: { type: 'diy_plug' } } : {};
      const sightings: Sighting[] = [
        { how: 'dispatch', deviceid: ID, at: 1, ...announcement },
        { how: 'answer', deviceid: ID, [fact]: true, at: 2 },
        { how: 'session', deviceid: ID, [fact]: false, at: 3 },
      ];
      assert.equal(listOf(sightings)[0]?.recommendation.reason, reason);
    });
  }

  it('knows a device by its id first, then its MAC, then its address, then what it is called and is', () => {
    const key = (sighting: Partial<Sighting>): string | undefined => listOf([{ how: 'named', ...sighting }])[0]?.key;
    const about = { name: 'Hall', product: 'MINI', model: 'PSF-B04-GL' };
    assert.deepEqual(
      [
        { ...about, deviceid: ID.toUpperCase(), mac: MAC, address: '192.168.1.30' },
        { ...about, mac: MAC, address: '192.168.1.30' },
        { ...about, address: '192.168.1.30' },
        about,
        { name: 'Hall', model: 'PSF-B04-GL' },
        { product: 'MINI' },
        { name: 'Hall' },
        {},
      ].map(key),
      [ID, MAC, '192.168.1.30', 'Hall MINI', 'Hall PSF-B04-GL', 'MINI', 'Hall', ''],
    );
  });

  it('matches what has no id with what has one, in whichever order they come, and not two ids at one address', () => {
    const address = '192.168.1.30';
    const answer: Sighting = { how: 'answer', address, at: 1, isLocked: true };
    const named = namedSighting({ deviceid: ID, address });
    for (const sightings of [
      [answer, named],
      [named, answer],
    ]) {
      assert.deepEqual(
        listOf(sightings).map(({ key, known }) => [key, known]),
        [[ID, ['named', 'answer']]],
      );
    }
    const other = namedSighting({ deviceid: '1000c0ffee', address });
    assert.equal(listOf([named, other]).length, 2);
    // The address of the one and the MAC of the other.
    const both: Sighting = { how: 'session', deviceid: ID, address, mac: MAC, at: 2 };
    assert.equal(listOf([both, answer, namedSighting({ mac: MAC })]).length, 1);
    assert.equal(listOf([namedSighting({ mac: MAC }), answer]).length, 2);
  });

  it('counts the devices that are called alike', () => {
    const listed = listOf([{}, { name: 'A' }, {}, { name: 'A' }, { name: 'A' }].map(namedSighting));
    assert.deepEqual(
      listed.map(({ key, name }) => [key, name]),
      [
        ['', undefined],
        ['A', 'A'],
        [' #2', undefined],
        ['A #2', 'A'],
        ['A #3', 'A'],
      ],
    );
  });
});
