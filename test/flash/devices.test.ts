import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { EventEmitter } from 'node:events';
import { DeviceKeys } from '../../lib/flash/devices/device-keys';
import { Devices } from '../../lib/flash/devices/devices';
import type { DeviceConnection } from '../../lib/server/device-connection';

describe('flash/host/devices', () => {
  it('remembers since when a peer dials, not of this machine itself, which all devices of a rehearsal are', () => {
    const devices = new Devices();
    devices.dialled('192.168.1.9');
    const since = devices.peerSince('192.168.1.9');
    assert.ok(since);
    devices.dialled('192.168.1.9');
    assert.equal(devices.peerSince('192.168.1.9'), since, 'since the first time');
    devices.dialled('127.0.0.1');
    assert.equal(devices.peerSince('127.0.0.1'), undefined);
    const troubles: unknown[] = [];
    devices.on('trouble', (trouble) => troubles.push(trouble));
    const error = new FlashError('certificate-rejected', { peer: '127.0.0.1' });
    devices.hadTrouble('127.0.0.1', error);
    assert.ok(devices.peerSince('127.0.0.1'), 'without success, though');
    assert.deepEqual(troubles, [{ peer: '127.0.0.1', error }]);
  });

  it('receives nothing from a device after the host has left it, until that dials again', () => {
    const devices = new Devices();
    const device = { deviceid: '1000000001', apikey: 'a', model: 'PSF-B04-GL', romVersion: '1.5.5' };
    const connect = (): DeviceConnection =>
      Object.assign(new EventEmitter(), {
        ...{ peer: '192.168.1.9', sessionKey: 'session', device, ready: true, close: () => undefined },
      }) as unknown as DeviceConnection;
    const told: string[] = [];
    devices.on('ready', () => told.push('ready')).on('gone', () => told.push('gone'));
    const early = connect();
    devices.add(early);
    early.emit('ready');
    assert.deepEqual([devices.connected(), told.splice(0)], [[device.deviceid], ['ready']]);
    devices.leave();
    assert.deepEqual([devices.connected(), told.splice(0)], [[], ['gone']]);
    early.emit('registered', device);
    early.emit('ready');
    early.emit('closed');
    assert.deepEqual([devices.connected(), told], [[], []]);
    devices.add(connect());
    assert.deepEqual(devices.connected(), [device.deviceid]);
  });

  it('keeps nothing of a dispatch that may not be the device', () => {
    const devices = new Devices();
    devices.pin('1000000001', 'own');
    const told: unknown[] = [];
    devices.on('dispatched', ({ apikey }) => told.push(apikey));
    const dispatch = (apikey: string): void =>
      devices.dispatched(
        { deviceid: '1000000001', apikey, model: 'PSF-B04-GL', romVersion: '1.5.5', ts: 1 },
        '192.168.1.9',
      );
    dispatch('other');
    assert.deepEqual(
      [told, devices.lastDispatch('1000000001'), devices.directory.get('1000000001')],
      [[], undefined, undefined],
    );
    dispatch('own');
    assert.deepEqual([told, devices.lastDispatch('1000000001')?.peer], [['own'], '192.168.1.9']);
  });

  it('takes no key that it gave a device for the one that signs its downloads', () => {
    const keys = new DeviceKeys();
    const devices = new Devices(keys);
    const dispatch = (apikey: string): void =>
      devices.dispatched(
        { deviceid: '1000000001', apikey, model: 'PSF-B04-GL', romVersion: '1.5.5', ts: 1 },
        '192.168.1.9',
      );
    keys.issued('1000000001', 'session');
    dispatch('session');
    assert.equal(devices.lastDispatch('1000000001')?.apikey, 'session');
    assert.equal(devices.factoryKey('1000000001'), undefined);
    dispatch('own');
    dispatch('session');
    assert.equal(devices.factoryKey('1000000001'), 'own');
  });

  it('remembers a thousand of them, however many dial', () => {
    const devices = new Devices();
    for (let peer = 0; peer < 1000; peer += 1) devices.dialled(`10.0.${peer >> 8}.${peer & 255}`);
    assert.ok(devices.peerSince('10.0.0.0'));
    devices.dialled('192.168.1.9');
    assert.equal(devices.peerSince('10.0.0.0'), undefined);
    assert.ok(devices.peerSince('10.0.0.1') && devices.peerSince('192.168.1.9'));
  });
});
