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
    assert.deepEqual(read('sonota/set/restore', 'PRESS'), { kind: 'restore' });
  });

  it('reads a text, bytes or a number, as mqtt in may give it, without the space around it', () => {
    assert.deepEqual(read('sonota/set/firmware', 15), { kind: 'firmware', name: '15' });
    assert.deepEqual(read('sonota/set/firmware', ' Tasmota '), { kind: 'firmware', name: 'Tasmota' });
    assert.deepEqual(read('sonota/set/arm', Buffer.from('ON\n')), { kind: 'arm', isOn: true });
    for (const payload of ['', ' ', undefined, null, true, ['Tasmota'], { name: 'Tasmota' }]) {
      assert.deepEqual(read('sonota/set/firmware', payload), { kind: 'ignored', reason: 'payload' });
    }
  });

  it('starts one new device unless a device, a number or all are asked for', () => {
    const start = (payload: unknown) => read('sonota/set/start', payload);
    assert.deepEqual(start('{}'), { kind: 'start', count: 1 });
    assert.deepEqual(start({ count: 3 }), { kind: 'start', count: 3 });
    assert.deepEqual(start({ count: 200 }), { kind: 'start', count: 200 });
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
    const heard = { kind: 'heard', says: 'online' };
    for (const isRetained of [false, true]) {
      assert.deepEqual(read('sonota/status', 'online', isRetained), heard);
      assert.deepEqual(read('sonota/status', 'online 0a1b2c3d', isRetained), { ...heard, instance: '0a1b2c3d' });
      assert.deepEqual(read('sonota/status', 'offline', isRetained), { kind: 'heard', says: 'offline' });
      assert.deepEqual(read('sonota/status', '', isRetained), { kind: 'heard', says: 'offline' }, 'it was removed');
      assert.deepEqual(read('homeassistant/status', 'online', isRetained), { kind: 'home-assistant-online' });
    }
    for (const word of ['Online', 'online 0a1b', 'online 0a1b2c3d4', 'not online 0a1b2c3d']) {
      assert.deepEqual(read('sonota/status', word), { kind: 'ignored', reason: 'payload' }, word);
    }
    assert.deepEqual(read('homeassistant/status', 'offline'), { kind: 'ignored', reason: 'payload' });
    const knock = 'homeassistant/device/sonota_flasher/knock';
    assert.deepEqual(read(knock, '0a1b2c3d'), { kind: 'configs-heard', instance: '0a1b2c3d' });
  });

  it('takes every config of a device of ours, or of another instance, with whose it is', () => {
    const topic = 'homeassistant/device/sonota_1000ffffff/config';
    const said = { kind: 'config', topic, isCleared: false };
    const config = { availability: [{ topic: 'sonota/status', payload_available: 'online 0a1b2c3d' }] };
    for (const payload of [config, JSON.stringify(config), Buffer.from(JSON.stringify(config))]) {
      assert.deepEqual(read(topic, payload, true), { ...said, owner: '0a1b2c3d' });
    }
    for (const availability of [undefined, [], [{}], [{ payload_available: 'online' }], {}]) {
      assert.deepEqual(read(topic, { availability }), said, 'from before instances had ids');
    }
    assert.deepEqual(read(topic, 'no JSON'), said);
    for (const payload of ['', Buffer.alloc(0), undefined]) {
      assert.deepEqual(read(topic, payload), { ...said, isCleared: true });
    }
    for (const other of ['homeassistant/device/zigbee_1/config', 'homeassistant/device/sonota_1/state']) {
      assert.deepEqual(read(other, config), { kind: 'ignored', reason: 'topic' });
    }
  });
});
