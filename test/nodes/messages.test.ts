import assert from 'node:assert/strict';
import { adoptEvent } from '../../nodes/shared/messages';

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

  it('does not win over the message', () => {
    const message = fired({ deviceid: '1000a1b2c3' }, { deviceid: '1000ffffff' });
    adoptEvent(message);
    assert.equal(message['deviceid'], '1000ffffff');
  });

  it('names no files, and nothing that its forms do not know', () => {
    const message = fired({ firmware: { final: '/etc/passwd' }, deviceid: {}, cancel: 'true', ssid: 'x', host: 'y' });
    adoptEvent(message);
    assert.deepEqual(Object.keys(message).sort(), ['event_type', 'payload', 'topic']);
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
