import assert from 'node:assert/strict';
import { readCommand, Topics } from '../../lib/home-assistant';
import { ID } from './snapshots';

const topics = new Topics({ prefix: 'homeassistant', base: 'sonota' });
const read = (topic: unknown, payload: unknown, retain?: boolean) =>
  readCommand(topics, { topic, payload, retain }, [ID]);

describe('home assistant: what is asked of us', () => {
  it('reads the buttons, the choice of firmware and the install', () => {
    assert.deepEqual(read('sonota/set/start', 'PRESS'), { kind: 'start', count: 1 });
    assert.deepEqual(read('sonota/set/pause', Buffer.from('PRESS')), { kind: 'pause' });
    assert.deepEqual(read('sonota/set/retry', 'PRESS'), { kind: 'retry' });
    assert.deepEqual(read('sonota/set/firmware', 'Tasmota'), { kind: 'firmware', name: 'Tasmota' });
    assert.deepEqual(read(`sonota/set/install/${ID}`, 'INSTALL'), { kind: 'install', deviceid: ID });
    assert.deepEqual(read(`sonota/set/remove/${ID}`, 'PRESS'), { kind: 'remove', deviceid: ID });
    assert.deepEqual(read(`sonota/set/cancel/${ID}`, 'PRESS'), { kind: 'cancel', deviceid: ID });
    assert.deepEqual(read('sonota/set/cancel', 'PRESS'), { kind: 'cancel' });
  });

  it('starts one new device unless a device, a number or all are asked for', () => {
    const start = (payload: unknown) => read('sonota/set/start', payload);
    assert.deepEqual(start('{}'), { kind: 'start', count: 1 });
    assert.deepEqual(start({ count: 3 }), { kind: 'start', count: 3 });
    assert.deepEqual(start(`{"deviceid":"${ID}"}`), { kind: 'start-device', deviceid: ID });
    assert.deepEqual(start(Buffer.from('{"all":true}')), { kind: 'start-all' });
    for (const payload of [
      ...['', 'all', '[]', 'null', '{', '{"all":"true"}', '{"count":0}', '{"count":1.5}', '{"count":201}'],
      ...['{"deviceid":7}', '{"deviceid":"a/b"}', '{"everything":true}', `{"deviceid":"${ID}","all":true}`],
      ...['{"count":2,"all":true}', `{"deviceid":"${ID}","count":2}`],
    ]) {
      assert.deepEqual(start(payload), { kind: 'ignored', reason: 'payload' }, payload);
    }
  });

  it('reads the switches that arm one device and all', () => {
    assert.deepEqual(read(`sonota/set/arm/${ID}`, 'ON'), { kind: 'arm', deviceid: ID, isOn: true });
    assert.deepEqual(read(`sonota/set/arm/${ID}`, 'OFF'), { kind: 'arm', deviceid: ID, isOn: false });
    assert.deepEqual(read('sonota/set/arm', 'ON'), { kind: 'arm', isOn: true });
    assert.deepEqual(read('sonota/set/arm', 'on'), { kind: 'ignored', reason: 'payload' });
    assert.deepEqual(read('sonota/set/arm/1000ffffff', 'ON'), { kind: 'ignored', reason: 'topic' });
  });

  it('ignores every command that the broker had kept', () => {
    for (const [topic, payload] of [
      ['start', 'PRESS'],
      ['pause', 'PRESS'],
      ['retry', 'PRESS'],
      ['firmware', 'Tasmota'],
      [`install/${ID}`, 'INSTALL'],
      [`remove/${ID}`, 'PRESS'],
      ['cancel', 'PRESS'],
      [`cancel/${ID}`, 'PRESS'],
      ['arm', 'ON'],
      [`arm/${ID}`, 'ON'],
    ]) {
      assert.deepEqual(read(`sonota/set/${topic}`, payload, true), { kind: 'ignored', reason: 'retained' });
    }
  });

  it('takes nothing but what was announced', () => {
    assert.deepEqual(read('sonota/set/start', 'press'), { kind: 'ignored', reason: 'payload' });
    assert.deepEqual(read(`sonota/set/install/${ID}`, 'PRESS'), { kind: 'ignored', reason: 'payload' });
    assert.deepEqual(read('sonota/set/install/1000ffffff', 'INSTALL'), { kind: 'ignored', reason: 'topic' });
    assert.deepEqual(read('sonota/set/', 'PRESS'), { kind: 'ignored', reason: 'topic' });
    assert.deepEqual(read('zigbee2mqtt/set/start', 'PRESS'), { kind: 'ignored', reason: 'topic' });
    assert.deepEqual(read(undefined, { a: 1 }), { kind: 'ignored', reason: 'topic' });
    assert.deepEqual(read('sonota/set/start', 7), { kind: 'ignored', reason: 'payload' });
  });

  it('takes what was seen of the Wi-Fi around for that, and no other list', () => {
    const around = [
      { ssid: `ITEAD-${ID}`, kind: 'stock', deviceid: ID },
      { ssid: 'home', kind: 'other' },
    ];
    assert.deepEqual(read('', around), { kind: 'in-reach', devices: [ID] });
    assert.deepEqual(read('', []), { kind: 'in-reach', devices: [] });
    assert.deepEqual(read('', [ID]), { kind: 'ignored', reason: 'topic' });
    assert.deepEqual(read('sonota/set/start', ['PRESS']), { kind: 'ignored', reason: 'payload' });
  });

  it('takes its own messages and those of Home Assistant, retained or not', () => {
    assert.deepEqual(read('sonota/status', 'online', true), { kind: 'heard', says: 'online' });
    assert.deepEqual(read('sonota/status', 'offline'), { kind: 'heard', says: 'offline' });
    assert.deepEqual(read('homeassistant/status', 'online'), { kind: 'home-assistant-online' });
    assert.deepEqual(read('homeassistant/status', 'offline'), { kind: 'ignored', reason: 'payload' });
  });
});
