import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import type { ListedSonoff } from '../../lib/flash/discovery/listed-sonoff';
import type { Method } from '../../lib/protocol/recommendation';
import { countedByMethod, describeSonoff } from '../../nodes/shared/sonoffs';

/** A runtime without catalogues: every text is the English one. */
const RED = { _: (key: string) => key } as unknown as NodeAPI;

const recommendation = {
  ...{ method: 'diy-jumper', confidence: 'supported', reason: 'diy-jumper' },
  ...{ values: { version: '3.3.0' }, source: 'https://example.com/why' },
} as unknown as ListedSonoff['recommendation'];

const NAMED: ListedSonoff = {
  ...{ key: 'named', deviceid: undefined, name: undefined, model: undefined, version: undefined, address: undefined },
  ...{ known: ['named'], seenAt: undefined, rssi: undefined, recommendation },
};

describe('nodes: a Sonoff of the list', () => {
  const told = {
    ...{ method: 'diy-jumper', methodText: 'DIY mode, after an update or by its jumper', confidence: 'supported' },
    reason:
      'Firmware 3.3.0 enters DIY mode by a jumper, to be fitted while the device is disconnected from mains. Updated in the eWeLink app, it needs none.',
    source: 'https://example.com/why',
  };

  it('is put out with all that is known of it, as plain data', () => {
    const seen = { deviceid: '1000a1b2c3', name: 'Lamp', model: 'BASICR3', version: '3.3.0', address: '192.168.1.9' };
    const listed: ListedSonoff = {
      ...{ key: 'key', ...seen, known: ['announcement', 'answer'], seenAt: Date.UTC(2026, 0, 2, 3, 4, 5) },
      ...{ rssi: -61, recommendation },
    };
    assert.deepEqual(describeSonoff(RED, listed), {
      ...seen,
      ...{ known: ['announcement', 'answer'], seenAt: '2026-01-02T03:04:05.000Z', rssi: -61 },
      ...told,
    });
  });

  it('has null for what is not known', () => {
    const nothing = { deviceid: null, name: null, model: null, version: null, address: null, seenAt: null, rssi: null };
    assert.deepEqual(describeSonoff(RED, NAMED), { ...nothing, known: ['named'], ...told });
  });

  it('is described and counted in the language of Node-RED', () => {
    const spoken = { _: (key: string, values: object) => `${key} ${JSON.stringify(values)}` } as unknown as NodeAPI;
    const shared = '@sonota/node-red/sonota-host';
    const { methodText, reason } = describeSonoff(spoken, NAMED);
    const method = `${shared}:methods.diy-jumper {}`;
    assert.deepEqual([methodText, reason], [method, `${shared}:reasons.diy-jumper {"version":"3.3.0"}`]);
    assert.equal(countedByMethod(spoken, [NAMED, NAMED]), `2 × ${method}`);
  });

  it('is counted by its method, the most hopeful first, and no method without one', () => {
    const list = (['cloud', 'none', 'diy', 'cloud'] as Method[]).map((method): ListedSonoff => {
      return { ...NAMED, recommendation: { ...recommendation, method } };
    });
    assert.equal(countedByMethod(RED, list), '1 × DIY mode, now; 2 × emulated cloud; 1 × none');
    assert.equal(countedByMethod(RED, []), '');
  });
});
