import assert from 'node:assert/strict';
import { readNamedDevices, type NamedDevice } from '../../../lib/flash/discovery/named-devices';
import { wording } from '../../../lib/wordings/wording';

const ID = '1000a1b2c3';
const OTHER = '1000c0ffee';

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
    for (const given of ['no JSON', '', 7, true, null, undefined]) {
      assert.deepEqual(readNamedDevices(given), { reason: wording('value-no-devices') });
    }
    assert.deepEqual(readNamedDevices(Array(1001).fill({ deviceid: ID })), {
      reason: wording('value-many-entries', { limit: 1000 }),
    });
    assert.equal(read(Array(1000).fill({ deviceid: ID })).length, 1000);
    assert.deepEqual(read([]), []);
    assert.deepEqual(read({}), []);
    assert.deepEqual(read([7, 'text', null, [[]]]), []);
  });

  it('reads JSON of four million characters, and no more', () => {
    const json = JSON.stringify([{ deviceid: ID }]);
    assert.equal(read(json.padEnd(4_000_000)).length, 1);
    assert.deepEqual(readNamedDevices(json.padEnd(4_000_001)), { reason: wording('value-no-devices') });
  });

  it('looks for entries as deep as exports have them, and no deeper', () => {
    for (const wrap of [(one: unknown) => [one], (data: unknown) => ({ data }), (home: unknown) => ({ home })]) {
      const nestedIn = (depth: number): unknown => (depth === 0 ? { deviceid: ID } : wrap(nestedIn(depth - 1)));
      assert.deepEqual(
        [5, 6, 50].map((depth) => read(nestedIn(depth)).length),
        [1, 0, 0],
      );
    }
  });

  for (const wrapper of ['result', 'data', 'devices', 'thingList', 'devicelist', 'itemData']) {
    it(`takes for the list what is in ${wrapper}, and nothing beside it`, () => {
      const devices = read({ [wrapper]: [{ deviceid: ID }], more: [{ deviceid: OTHER }] });
      assert.deepEqual(devices.map(known), [{ deviceid: ID }]);
    });
  }

  it('takes the outermost of several lists, and no word for one', () => {
    const lists = { devices: [{ deviceid: OTHER }], data: [{ deviceid: ID }] };
    assert.deepEqual(read({ ...lists, result: 'success' }).map(known), [{ deviceid: ID }]);
    assert.deepEqual(read({ ...lists, result: null }).map(known), [{ deviceid: ID }]);
    assert.deepEqual(read({ ...lists, result: [] }), []);
  });

  for (const mark of [
    'deviceid',
    'manufacturer',
    'brandName',
    'model',
    'productModel',
    'sw_version',
    'fwVersion',
    'identifiers',
  ]) {
    it(`takes an object with ${mark} for a device, not for a list of some`, () => {
      const entry = { [mark]: 'something', serial_number: ID, devices: [{ deviceid: OTHER }] };
      assert.equal(read(entry)[0]?.deviceid, ID);
      const { [mark]: _mark, ...list } = entry;
      assert.equal(read(list)[0]?.deviceid, OTHER);
    });
  }

  it('takes a device that is listed by an id for that one, unless it states its own', () => {
    assert.deepEqual(read({ [ID]: { name: 'Hall' }, [OTHER]: { deviceid: ID }, other: { name: 'Lamp' } }).map(known), [
      { deviceid: ID, name: 'Hall' },
      { deviceid: ID },
    ]);
    assert.deepEqual(read({ [ID]: 'Hall' }), []);
  });

  /** Where programs have it, the first of them first, and what stands there in its n-th place. */
  const FIELDS: [field: keyof NamedDevice, paths: string[], value: (n: number) => string][] = [
    ['name', ['name_by_user', 'name', 'deviceName'], (n) => `Lamp ${n}`],
    ['product', ['model', 'productModel', 'product_model', 'extra.model', 'model_id'], (n) => `Lamp ${n}`],
    ['model', ['model_id', 'extra.model', 'model'], (n) => `PSA-B0${n}-GL`],
    [
      'version',
      ['sw_version', 'swVersion', 'fwVersion', 'params.fwVersion', 'romVersion', 'version', 'firmware'],
      (n) => `3.6.${n}`,
    ],
    ['deviceid', ['deviceid', 'device_id', 'serial_number', 'id'], (n) => `100000000${n}`],
    ['address', ['address', 'ip', 'ip_address', 'host', 'configuration_url'], (n) => `192.168.1.${n}`],
    ['mac', ['mac', 'mac_address', 'staMac', 'params.staMac', 'extra.mac'], (n) => `d8:f1:5b:00:11:0${n}`],
  ];
  for (const [field, paths, value] of FIELDS) {
    it(`knows the ${field} by ${paths.join(', ')}, and in this order`, () => {
      const found = paths.map((_, from) => {
        const entry: Record<string, unknown> = { manufacturer: 'Sonoff' };
        for (const [n, path] of paths.entries()) {
          const [outer = '', inner] = path.split('.');
          if (n < from) continue;
          entry[outer] = inner === undefined ? value(n) : { ...(entry[outer] as object), [inner]: value(n) };
        }
        return read(entry)[0]?.[field];
      });
      assert.deepEqual(
        found,
        paths.map((_, n) => value(n)),
      );
    });
  }

  for (const brand of ['SONOFF', 'Sonoff', 'ITEAD', 'eWeLink', 'e-WeLink', 'CoolKit Technology']) {
    it(`takes what is of ${brand} for a Sonoff, and nothing of another brand`, () => {
      for (const name of ['manufacturer', 'brandName', 'brand']) {
        assert.equal(read({ identifiers: [], [name]: brand }).length, 1, name);
        assert.equal(read({ identifiers: [], [name]: 'Philips', name: brand }).length, 0, name);
      }
      assert.equal(read({ manufacturer: 'Philips', brandName: brand }).length, 0, 'the first one counts');
    });
  }

  it('takes a model of theirs for a Sonoff where no brand says otherwise, and one with its name in any case', () => {
    assert.deepEqual(
      [
        { model: 'BASICR3' },
        { model: 'BASICR3', manufacturer: 'Philips' },
        { model: 'no such' },
        { model: 'my sonoff', manufacturer: 'Tasmota' },
      ].map((entry) => read(entry).length),
      [1, 0, 0, 1],
    );
  });

  it('takes for an id what is one, at the end and behind an underscore', () => {
    const ids = [
      ['sonoff', ID],
      ['ewelink', ID],
      ['sonota', `device_${ID}`],
      ['mqtt', `sonota_${ID.toUpperCase()}`],
    ].map((identifier) => read({ identifiers: [identifier] })[0]?.deviceid);
    assert.deepEqual(ids, Array(4).fill(ID));
    assert.equal(read({ identifiers: [`sonota_${ID}`] })[0]?.deviceid, ID, 'without a domain');
    assert.equal(read({ deviceid: OTHER, identifiers: [['sonoff', ID]] })[0]?.deviceid, OTHER, 'where it states one');
    for (const text of [`x${ID}`, `${ID}0`, `${ID}_x`, '2000a1b2c3', '1000a1b2c', '1000a1b2cg']) {
      assert.deepEqual(read({ identifiers: [['sonoff', text]] }), [], text);
    }
    assert.deepEqual(read({ identifiers: [ID] }), [], 'whose it is is not said');
  });

  it('reads a version wherever it stands in a text, and no part of a longer number', () => {
    for (const [text, version] of [
      ['v1.5.5', '1.5.5'],
      ['ITEAD 3.6', '3.6'],
      ['3.6.0 (stable)', '3.6.0'],
      ['120.140.160', '120.140.160'],
      ['1.2.3.4', undefined],
      ['1000.1', undefined],
      ['1.1000', undefined],
      ['3', undefined],
    ] as const) {
      assert.equal(read({ deviceid: ID, version: text })[0]?.version, version, text);
    }
  });

  for (const firmware of ['Tasmota', 'ESPHome', 'ESPurna', 'ESPEasy', 'WLED', 'OpenBeken']) {
    it(`knows ${firmware} by the brand, the model or the version, in any case`, () => {
      const text = `My ${firmware.toLowerCase()} 1.0`;
      for (const name of ['manufacturer', 'model', 'sw_version']) {
        assert.equal(read({ deviceid: ID, [name]: text })[0]?.firmware, firmware, name);
      }
      assert.equal(read({ deviceid: ID, name: text })[0]?.firmware, undefined, 'a name is no firmware');
    });
  }

  it('takes an address out of a URL, and none that is a name', () => {
    for (const [given, address] of [
      [{ host: 'http://192.168.1.30:8081/x' }, '192.168.1.30'],
      [{ host: 'sonoff.local', configuration_url: 'https://192.168.1.31/' }, '192.168.1.31'],
      [{ host: 'http://sonoff.local/' }, undefined],
      [{ ip: '192.168.1.300' }, undefined],
    ] as const) {
      assert.equal(read({ deviceid: ID, ...given })[0]?.address, address);
    }
  });

  it('takes the MAC of its connections before another, with colons and in lower case, and nothing that is none', () => {
    const connections = [7, 'mac', ['bluetooth', 'D8:F1:5B:00:11:33'], ['mac', 7], ['mac', 'D8-F1-5B-00-11-22']];
    for (const [given, mac] of [
      [{ connections, mac: 'd8:f1:5b:00:11:44' }, 'd8:f1:5b:00:11:22'],
      [{ connections: 'none', mac: 'D8-F1-5B-00-11-44' }, 'd8:f1:5b:00:11:44'],
      [{ mac: 'd8f15b001144', mac_address: 'd8:f1:5b:00:11:55' }, 'd8:f1:5b:00:11:55'],
      [{ mac: 'd8:f1:5b:00:11:44:55' }, undefined],
      [{ mac: 'xd8:f1:5b:00:11:44' }, undefined],
    ] as const) {
      assert.equal(read({ deviceid: ID, ...given })[0]?.mac, mac);
    }
  });

  it('takes an empty text for none, and several characters that are none for one space', () => {
    const [device] = read({ deviceid: ID, name_by_user: ' \n', name: '\ta\r\n\u0000b ', deviceName: 'no' });
    assert.equal(device?.name, 'a b');
    assert.equal(read({ deviceid: ID, name: 'c'.repeat(65) })[0]?.name, 'c'.repeat(64));
  });

  it('takes for a model of the stock firmware three parts in capitals, and all else for a product', () => {
    for (const [text, isModel] of [
      ['ITA-GZ1-GL', true],
      ['PSF-B04-GL', true],
      ['psf-b04-gl', false],
      ['PSF-B04-GLX', false],
      ['XPSF-B04-GL', false],
      ['PS-B04-GL', false],
    ] as const) {
      const [device] = read({ deviceid: ID, model: text });
      assert.deepEqual([device?.model, device?.product], isModel ? [text, undefined] : [undefined, text]);
    }
  });
});
