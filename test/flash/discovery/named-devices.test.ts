import assert from 'node:assert/strict';
import { readNamedDevices, type NamedDevice } from '../../../lib/flash/discovery/named-devices';

const ID = '1000a1b2c3';

function read(given: unknown): readonly NamedDevice[] {
  const answer = readNamedDevices(given);
  assert.ok('devices' in answer, 'reason' in answer ? answer.reason.text : '');
  return answer.devices;
}

/** Without what is not known. */
function known(device: NamedDevice | undefined): object {
  return JSON.parse(JSON.stringify(device)) as object;
}

const REGISTRY = [
  {
    id: '4f2b8c0d1e2f3a4b5c6d7e8f90a1b2c3',
    manufacturer: 'Sonoff',
    model: 'BASICR3',
    sw_version: '3.6.0',
    name: 'Sonoff',
    name_by_user: 'Hall',
    identifiers: [['sonoff', ID]],
    connections: [['mac', 'D8:F1:5B:00:11:22']],
    configuration_url: 'http://192.168.1.30/',
  },
  { manufacturer: 'Philips', model: 'Hue white', sw_version: '1.93.3', identifiers: [['hue', '00:17']] },
];

describe('flash/discovery/named-devices', () => {
  it('reads Home Assistant’s device registry, and leaves out what is no Sonoff', () => {
    const devices = read(REGISTRY);
    assert.deepEqual(devices.map(known), [
      {
        deviceid: ID,
        name: 'Hall',
        product: 'BASICR3',
        version: '3.6.0',
        address: '192.168.1.30',
        mac: 'd8:f1:5b:00:11:22',
      },
    ]);
  });

  const inEweLink = { deviceid: ID, name: 'Lamp', brandName: 'SONOFF', productModel: 'MINI' };
  for (const [what, given] of [
    ['a list as JSON', JSON.stringify(REGISTRY)],
    ['the file of the registry', { version: 1, key: 'core.device_registry', data: { devices: REGISTRY } }],
    ['the answer of its WebSocket', { id: 7, type: 'result', success: true, result: REGISTRY }],
    ['one device', REGISTRY[0]],
    ['devices by their ids', { [ID]: { name: 'Hall', model: 'BASICR3', params: { fwVersion: '3.6.0' } } }],
    [
      'the list of the eWeLink API',
      { error: 0, data: { thingList: [{ itemType: 1, itemData: { ...inEweLink, params: { fwVersion: '3.6.0' } } }] } },
    ],
    ['its older list', { devicelist: [{ ...inEweLink, params: { fwVersion: '3.6.0' } }] }],
  ] as const) {
    it(`reads ${what}`, () => {
      const [device, ...others] = read(given);
      assert.deepEqual([device?.deviceid, device?.version, others.length], [ID, '3.6.0', 0]);
    });
  }

  it('distinguishes a model of the stock firmware from the name of a product', () => {
    const [own] = read([{ manufacturer: 'ITEAD', model: 'Sonoff Basic', model_id: 'ITA-GZ1-GL', sw_version: '1.5.5' }]);
    assert.deepEqual([own?.model, own?.product, own?.version], ['ITA-GZ1-GL', 'Sonoff Basic', '1.5.5']);
    const [stated] = read([{ deviceid: ID, model: 'PSA-B01-GL', romVersion: 'ITEAD 1.5.5' }]);
    assert.deepEqual([stated?.model, stated?.product, stated?.version], ['PSA-B01-GL', undefined, '1.5.5']);
  });

  it('knows what runs other firmware already', () => {
    const [tasmota, esphome] = read([
      { manufacturer: 'Tasmota', model: 'Sonoff Basic', sw_version: '15.0.1(release-tasmota)' },
      { manufacturer: 'Sonoff', model: 'Mini', sw_version: 'ESPHome 2025.12.1' },
    ]);
    assert.deepEqual([tasmota?.firmware, esphome?.firmware], ['Tasmota', 'ESPHome']);
  });

  it('takes the id from wherever it stands', () => {
    for (const entry of [
      { deviceid: ID.toUpperCase() },
      { model: 'x', serial_number: ID },
      { identifiers: [['mqtt', `sonota_${ID}`]] },
      { identifiers: [['sonoff', ID]] },
    ]) {
      assert.equal(read([entry])[0]?.deviceid, ID, JSON.stringify(entry));
    }
    assert.deepEqual(read([{ identifiers: [['other', ID]] }]), [], 'an id of another kind');
    assert.deepEqual(read([{ model: 'x', id: 'the lamp' }]), []);
  });

  it('reads texts as one short line, and what is none not at all', () => {
    const [device] = read([
      { deviceid: ID, name: `a\nb${'c'.repeat(100)}`, model: { no: 1 }, sw_version: ['3.6.0'], mac: 'x' },
    ]);
    assert.deepEqual(known(device), { deviceid: ID, name: `a b${'c'.repeat(61)}` });
    assert.equal(read([{ deviceid: ID, sw_version: 3.6 }])[0]?.version, '3.6');
    assert.equal(read([{ deviceid: ID, sw_version: '1.2.3.4' }])[0]?.version, undefined);
  });

  it('cuts a long name between characters', () => {
    const [device] = read([{ deviceid: ID, name: `${'c'.repeat(63)}🏠🏠` }]);
    assert.equal(device?.name, `${'c'.repeat(63)}🏠`);
  });

  it('reads past identifiers that are no texts', () => {
    const odd = { toString: 1 };
    const identifiers = [[odd, 'x'], [odd, odd], odd, ['sonoff', odd], ['sonoff', ID]];
    assert.deepEqual(read([{ identifiers }]).map(known), [{ deviceid: ID }]);
  });

  it('says why it can read nothing', () => {
    for (const given of ['no JSON', '', 7, true, null, undefined]) assert.ok('reason' in readNamedDevices(given));
    assert.ok('reason' in readNamedDevices(Array(1001).fill({ deviceid: ID })));
    assert.deepEqual(read([]), []);
    assert.deepEqual(read({}), []);
    assert.deepEqual(read([7, 'text', null, [[]]]), []);
    let nested: unknown = REGISTRY;
    for (let depth = 0; depth < 50; depth++) nested = [nested];
    assert.deepEqual(read(nested), [], 'deeper than any export');
  });
});
