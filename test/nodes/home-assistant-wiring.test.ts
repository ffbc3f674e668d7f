import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { definitionsOf } from '../../nodes/sonota-home-assistant/definitions';
import { brokerOfOutlet, covers, readWiring, type Definition } from '../../nodes/sonota-home-assistant/wiring';

const node = (id: string, type: string, more: Partial<Definition> = {}): Definition => ({
  id,
  type,
  name: '',
  z: 'tab',
  wires: [],
  ...more,
});
const TAB = node('tab', 'tab', { z: '' });
const BROKER = node('broker', 'mqtt-broker', { z: '', address: 'localhost:1883' });
const OTHER_BROKER = node('other', 'mqtt-broker', { z: '', address: 'elsewhere:1883' });

describe('nodes: how sonota-home-assistant reads its wiring', () => {
  it('finds the mqtt nodes behind links and junctions, and the address of their broker', () => {
    const { outlets, broker, filters } = readWiring(
      [
        ...[TAB, BROKER],
        node('in', 'mqtt in', { topic: 'sonota/set/#', wires: [['change']] }),
        node('change', 'change', { wires: [['ha']] }),
        node('status', 'mqtt in', { topic: 'sonota/status', wires: [['leaves']] }),
        node('leaves', 'link out', { links: ['arrives'] }),
        node('arrives', 'link in', { links: ['leaves'], wires: [['ha']] }),
        node('ha', 'sonota-home-assistant', { wires: [['junction'], ['queue']] }),
        node('junction', 'junction', { wires: [['far', 'beside']] }),
        node('far', 'link out', { links: ['near'] }),
        node('near', 'link in', { links: ['far'], wires: [['out']] }),
        node('out', 'mqtt out', { broker: 'broker' }),
        node('beside', 'mqtt out', { broker: 'broker' }),
        node('queue', 'mqtt out', { broker: 'other' }),
      ],
      'ha',
    );
    assert.deepEqual([...outlets].sort(), ['beside', 'out']);
    assert.equal(broker, 'localhost:1883');
    assert.deepEqual([...(filters ?? [])].sort(), ['sonota/set/#', 'sonota/status']);
  });

  it('takes no mqtt out that a message reaches changed, or that is one of two brokers, for its own', () => {
    const changed = readWiring(
      [
        ...[TAB, BROKER, node('ha', 'sonota-home-assistant', { wires: [['function']] })],
        node('function', 'function', { wires: [['out']] }),
        node('out', 'mqtt out', { broker: 'broker' }),
      ],
      'ha',
    );
    assert.deepEqual([changed.outlets, changed.broker], [[], '']);
    const twice = readWiring(
      [
        ...[TAB, BROKER, OTHER_BROKER, node('ha', 'sonota-home-assistant', { wires: [['a', 'b']] })],
        ...[node('a', 'mqtt out', { broker: 'broker' }), node('b', 'mqtt out', { broker: 'other' })],
      ],
      'ha',
    );
    assert.equal(twice.broker, '');
    const lost = [
      TAB,
      node('ha', 'sonota-home-assistant', { wires: [['a']] }),
      node('a', 'mqtt out', { broker: 'gone' }),
    ];
    assert.deepEqual([readWiring(lost, 'ha').broker, readWiring(lost, 'ha').outlets], ['', ['a']]);
  });

  it('leaves out what is disabled, and knows what it cannot read', () => {
    const ha = node('ha', 'sonota-home-assistant');
    const filtersOf = (...more: Definition[]): unknown => readWiring([TAB, ha, ...more], 'ha').filters;
    const input = node('in', 'mqtt in', { topic: 'sonota/#', wires: [['ha']] });
    assert.deepEqual(filtersOf(input), ['sonota/#']);
    assert.deepEqual(filtersOf({ ...input, d: true }), []);
    assert.deepEqual(filtersOf({ ...input, z: 'off' }, node('off', 'tab', { disabled: true })), []);
    for (const topic of ['${TOPIC}', 'sonota/${NAME}/#', '', undefined, 7]) {
      assert.equal(filtersOf({ ...input, topic }), undefined, String(topic));
    }
    assert.equal(filtersOf({ ...input, inputs: 1 }), undefined);
    assert.equal(readWiring([TAB], 'in a subflow').filters, undefined);
  });

  it('knows the broker of an mqtt out that is there, by its address and port, and of nothing else', () => {
    const out = node('out', 'mqtt out', { broker: 'broker' });
    const forms = [
      { id: 'broker', type: 'mqtt-broker', broker: 'localhost', port: '1883' },
      { id: 'other', type: 'mqtt-broker', broker: 'localhost', port: 8883 },
      { id: 'named', type: 'mqtt-broker', broker: '${BROKER}', port: '1883' },
      TAB,
      out,
      { ...out, id: 'second', broker: 'other' },
      { ...out, id: 'third', broker: 'named' },
      { ...out, id: 'disabled', d: true },
      { ...out, id: 'without', broker: 'gone' },
      { ...out, id: 'in', type: 'mqtt in' },
    ];
    const eachNode = (tell: (form: object) => void): void => forms.forEach((form) => tell(form));
    const definitions = definitionsOf({ nodes: { eachNode } } as unknown as NodeAPI);
    assert.deepEqual(
      ['out', 'second', 'third', 'disabled', 'without', 'in', 'nowhere'].map((id) => brokerOfOutlet(definitions, id)),
      ['localhost:1883', 'localhost:8883', '${BROKER}:1883', '', '', '', ''],
    );
  });

  it('ends in a flow that goes in circles', () => {
    const ring = [
      node('ha', 'sonota-home-assistant', { wires: [['one']] }),
      node('one', 'junction', { wires: [['two']] }),
      node('two', 'junction', { wires: [['one', 'ha']] }),
    ];
    assert.deepEqual(readWiring([TAB, ...ring], 'ha'), { outlets: [], broker: '', filters: [] });
  });

  for (const [filter, topic, isCovered] of [
    ['sonota/set/#', 'sonota/set/#', true],
    ['sonota/#', 'sonota/set/#', true],
    ['#', 'sonota/status', true],
    ['$share/all/sonota/+', 'sonota/status', true],
    ['sonota/status', 'sonota/status', true],
    ['sonota/set/+', 'sonota/set/#', false],
    ['sonota', 'sonota/status', false],
    ['sonota/status/+', 'sonota/status', false],
    ['homeassistant/device/+/config', 'homeassistant/device/#', false],
  ] as const) {
    it(`${filter} ${isCovered ? 'covers' : 'does not cover'} ${topic}`, () => {
      assert.equal(covers(filter, topic), isCovered);
    });
  }
});
