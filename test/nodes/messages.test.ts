import assert from 'node:assert/strict';
import type { FlashError } from '../../lib/errors';
import { MessageValues } from '../../nodes/shared/messages';

function adoptEvent(message: Record<string, unknown>): void {
  new MessageValues(message).adoptEvent();
}

/** As the node "Events: all" puts it out. */
function fired(event: unknown, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    topic: 'sonota_flash',
    event_type: 'sonota_flash',
    payload: { event_type: 'sonota_flash', event, origin: 'LOCAL', time_fired: '2026-01-02T03:04:05Z', context: {} },
    ...more,
  };
}

describe("nodes: what Home Assistant's event says", () => {
  it('is taken as if the message said it', () => {
    const message = fired({ deviceid: '1000a1b2c3', firmware: 'Tasmota', cancel: true, queue: 'pause' });
    adoptEvent(message);
    const { deviceid, firmware, cancel, queue } = message;
    assert.deepEqual(
      { deviceid, firmware, cancel, queue },
      {
        ...{ deviceid: '1000a1b2c3', firmware: 'Tasmota' },
        ...{ cancel: true, queue: 'pause' },
      },
    );
  });

  it('asks for a number of devices, or for all', () => {
    const message = fired({ count: '3', all: 'no' });
    adoptEvent(message);
    assert.deepEqual([message['count'], 'all' in message], [3, false]);
    const all = fired({ all: true });
    adoptEvent(all);
    assert.equal(all['all'], true);
  });

  it('does not win over the message', () => {
    const message = fired({ deviceid: '1000a1b2c3' }, { deviceid: '1000ffffff' });
    adoptEvent(message);
    assert.equal(message['deviceid'], '1000ffffff');
  });

  it('is read as every value is', () => {
    const message = fired({ deviceid: 'ITEAD-1000A1B2C3 ', firmware: 7, cancel: 'yes', ssid: 'x', host: 'y' });
    adoptEvent(message);
    assert.deepEqual(Object.keys(message).sort(), ['cancel', 'deviceid', 'event_type', 'firmware', 'payload', 'topic']);
    assert.deepEqual([message['deviceid'], message['firmware'], message['cancel']], ['1000a1b2c3', '7', true]);
    const another = fired({ cancel: 'off' });
    adoptEvent(another);
    assert.ok(!('cancel' in another));
  });

  it('names no files, and starts nothing where it cannot be read', () => {
    for (const event of [{ firmware: { final: '/etc/passwd' } }, { deviceid: {} }, { cancel: 'perhaps' }]) {
      const message = fired({ ...event, password: 'top secret' });
      assert.throws(() => adoptEvent(message), { code: 'value-invalid' });
      assert.deepEqual(Object.keys(message).sort(), ['event_type', 'payload', 'topic']);
      assert.ok(!JSON.stringify(message).includes('top secret'));
    }
  });

  it('is named in the error where it cannot be read', () => {
    assert.throws(
      () => adoptEvent(fired({ deviceid: {} })),
      (error: FlashError) => error.values['name'] === 'event.deviceid',
    );
  });

  it('keeps no password, and uses none', () => {
    const message = fired({ deviceid: '1000a1b2c3', password: 'top secret' });
    adoptEvent(message);
    assert.ok(!JSON.stringify(message).includes('top secret'));
    assert.equal(message['password'], undefined);
  });

  it('is passed over where it is another event, or none', () => {
    for (const payload of [
      undefined,
      null,
      'x',
      7,
      [],
      { event: { deviceid: 'a' } },
      { event_type: 'state_changed', event: {} },
    ]) {
      const message = { payload };
      adoptEvent(message);
      assert.deepEqual(message, { payload });
    }
    for (const event of [null, 'x', undefined]) assert.doesNotThrow(() => adoptEvent(fired(event)));
  });
});
