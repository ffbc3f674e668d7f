import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { EventEmitter } from 'node:events';
import { DeviceKeys } from '../../lib/flash/devices/device-keys';
import { Devices } from '../../lib/flash/devices/devices';
import { CLAIM_MS } from '../../lib/flash/devices/claims';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import type { DeviceConnection } from '../../lib/server/device-connection';

const ONE = { deviceid: '1000000001', apikey: 'own', model: 'PSF-B04-GL', romVersion: '1.5.5' };
const TWO = { deviceid: '1000000002', apikey: 'own', model: 'ITA-GZ1-GL', romVersion: '2.0.1' };
const PEER = '192.168.1.9';

/** A session as its events show it; it is registered where a device is given. */
class Session extends EventEmitter {
  readonly sessionKey: string;
  ready = false;
  closes = 0;

  constructor(
    public device: typeof ONE | undefined,
    readonly peer = PEER,
  ) {
    super();
    this.sessionKey = `session of ${device?.deviceid ?? 'nobody'} at ${peer}`;
  }

  close(): void {
    this.closes += 1;
  }
}

describe('flash/host/devices', () => {
  const added = (devices: Devices, session: Session): Session => {
    devices.add(session as unknown as DeviceConnection);
    return session;
  };
  const shown = (session: Session | undefined): DeviceConnection | undefined =>
    session as unknown as DeviceConnection | undefined;
  afterEach(timeGoesOn);

  it('has of a session the device with its facts, and no other than its newest session', () => {
    const keys = new DeviceKeys();
    const devices = new Devices(keys);
    const gone: unknown[] = [];
    devices.on('gone', (connection) => gone.push(connection));
    const first = added(devices, new Session(undefined));
    assert.deepEqual([devices.connected(), devices.get(ONE.deviceid)], [[], undefined]);
    first.device = ONE;
    first.emit('registered', ONE);
    const { deviceid } = ONE;
    assert.deepEqual([devices.connected(), devices.get(deviceid)], [[deviceid], shown(first)]);
    const facts = { deviceid, how: 'session', model: 'PSF-B04-GL', version: '1.5.5', address: PEER } as const;
    assert.deepEqual(devices.directory.get(deviceid), facts);
    assert.deepEqual([devices.factoryKey(deviceid), keys.wasIssued(deviceid, first.sessionKey)], ['own', true]);
    first.emit('registered', ONE);
    assert.equal(first.closes, 0, 'it is no other one');
    const second = added(devices, new Session(ONE, '192.168.1.10'));
    assert.deepEqual([devices.get(deviceid), first.closes, second.closes], [shown(second), 1, 0]);
    first.emit('closed');
    assert.deepEqual([devices.get(deviceid), gone], [shown(second), [first]]);
    second.emit('closed');
    assert.deepEqual([devices.connected(), gone], [[], [first, second]]);
    assert.deepEqual(devices.directory.get(deviceid), { ...facts, address: '192.168.1.10' }, 'what it is stays known');
  });

  it('takes no session for the device whose key is not the one that was read', () => {
    const keys = new DeviceKeys();
    const devices = new Devices(keys);
    devices.pin(ONE.deviceid, 'read');
    const other = added(devices, new Session(ONE));
    assert.deepEqual([devices.connected(), devices.directory.get(ONE.deviceid)], [[], undefined]);
    assert.equal(devices.factoryKey(ONE.deviceid), 'read');
    assert.equal(keys.wasIssued(ONE.deviceid, other.sessionKey), true, 'it may be the device in its next words');
  });

  it('closes the session of another key once the own one was read, and no other session', () => {
    const devices = new Devices();
    const [one, two] = [added(devices, new Session(ONE)), added(devices, new Session(TWO))];
    devices.pin(ONE.deviceid, 'own');
    assert.deepEqual([devices.connected().length, one.closes], [2, 0]);
    devices.pin(ONE.deviceid, 'read');
    assert.deepEqual([devices.connected(), one.closes, two.closes], [[TWO.deviceid], 1, 0]);
    assert.deepEqual(
      ['own', 'read'].map((key) => [devices.isPinnedTo(ONE.deviceid, key), devices.isPinnedTo(TWO.deviceid, key)]),
      [
        [false, false],
        [true, false],
      ],
    );
  });

  it('learns the address of its station from what a device reports, and nothing of a peer that has not registered', () => {
    const devices = new Devices();
    const session = added(devices, new Session(undefined));
    session.emit('reported', { staMac: '5C:CF:7F:12:34:56' });
    assert.deepEqual(devices.directory.all(), []);
    session.device = ONE;
    session.emit('registered', ONE);
    session.emit('reported', { staMac: 7, rssi: -50 });
    assert.equal(devices.directory.get(ONE.deviceid)?.mac, undefined);
    devices.directory.saw({ deviceid: ONE.deviceid, how: 'announcement' });
    session.emit('reported', { staMac: '5C:CF:7F:12:34:56' });
    assert.equal(devices.directory.get(ONE.deviceid)?.mac, '5C:CF:7F:12:34:56');
    assert.equal(devices.directory.get(ONE.deviceid)?.how, 'session');
  });

  it('calls a device ready whose present session is, in the order in which they came', () => {
    const devices = new Devices();
    const told: unknown[] = [];
    devices.on('ready', (connection) => told.push(connection));
    const [first, other] = [added(devices, new Session(ONE)), added(devices, new Session(TWO))];
    first.emit('ready');
    assert.deepEqual([told, devices.ready()], [[], []], 'no longer');
    for (const session of [other, first]) {
      session.ready = true;
      session.emit('ready');
    }
    assert.deepEqual(told.splice(0), [other, first]);
    assert.deepEqual(devices.ready(), [first, other]);
    const next = added(devices, new Session(ONE));
    first.emit('ready');
    assert.deepEqual([told, devices.ready()], [[], [other]], 'the session was replaced');
    next.ready = true;
    next.emit('ready');
    assert.deepEqual(told, [next]);
    const nameless = added(devices, new Session(undefined));
    nameless.ready = true;
    nameless.emit('ready');
    assert.deepEqual(told, [next]);
  });

  it('leaves the devices to another host that has them in its work', () => {
    let others: string[] = [];
    const devices = new Devices(undefined, undefined, undefined, (deviceid) => others.includes(deviceid));
    const gone: unknown[] = [];
    devices.on('gone', (connection) => gone.push(connection));
    const [one, two] = [added(devices, new Session(ONE)), added(devices, new Session(TWO))];
    one.ready = two.ready = true;
    others = [ONE.deviceid];
    assert.deepEqual([devices.get(ONE.deviceid), devices.get(TWO.deviceid)], [undefined, shown(two)]);
    assert.deepEqual([devices.connected(), devices.ready()], [[TWO.deviceid], [two]]);
    devices.leave();
    assert.deepEqual([one.closes, two.closes, gone], [0, 1, [one, two]]);
    others = [];
    assert.deepEqual([devices.connected(), devices.ready()], [[], []]);
  });

  it('admits a device by its key, to a dispatch and to a session, and by a key of ours to a dispatch alone', () => {
    const keys = new DeviceKeys();
    const devices = new Devices(keys);
    const refused: unknown[] = [];
    devices.on('refused', (claim) => refused.push(claim));
    const admitted = (apikey: string, peer = PEER): boolean[] =>
      (['dispatch', 'register'] as const).map((to) => devices.admits({ ...ONE, apikey }, peer, to));
    assert.deepEqual(admitted('own'), [true, true]);
    keys.issued(ONE.deviceid, 'session');
    assert.deepEqual([admitted('session'), refused], [[true, false], []]);
    assert.deepEqual(admitted('other', '192.168.1.66'), [false, false]);
    const second = { deviceid: ONE.deviceid, peer: '192.168.1.66', claim: { as: 'second-key', rival: PEER } };
    assert.deepEqual(refused.splice(0), [second, second]);
    assert.deepEqual(devices.rivals(ONE.deviceid), [PEER, '192.168.1.66']);
    devices.pin(ONE.deviceid, 'own');
    assert.deepEqual(admitted('other', '192.168.1.66'), [false, false]);
    const other = { deviceid: ONE.deviceid, peer: '192.168.1.66', claim: { as: 'other-key' } };
    assert.deepEqual(refused, [other, other]);
    assert.deepEqual(admitted('own'), [true, true]);
  });

  it('takes a person’s word that the only one who states an id is the device', () => {
    const devices = new Devices();
    devices.pin(ONE.deviceid, 'read');
    assert.equal(devices.admits(ONE, PEER, 'dispatch'), false);
    devices.acceptOnlyClaimant(ONE.deviceid);
    assert.equal(devices.admits(ONE, PEER, 'dispatch'), true);
  });

  it('takes no other key for the device as long as its session stands, however silent', () => {
    timeStands(['Date'], 1000);
    const devices = new Devices();
    added(devices, new Session(ONE));
    timePasses(CLAIM_MS + 1);
    assert.equal(devices.admits({ ...ONE, apikey: 'other' }, '192.168.1.66', 'register'), false);
    assert.deepEqual(devices.rivals(ONE.deviceid), [PEER, '192.168.1.66']);
  });

  it('gives a peer 64 sessions of devices that nothing is known of, and this machine any number', () => {
    const own = new Set(['192.168.1.2']);
    const devices = new Devices(undefined, undefined, (peer) => own.has(peer));
    const crowded: string[] = [];
    devices.on('crowded', (peer) => crowded.push(peer));
    for (let n = 0; n < 63; n += 1) added(devices, new Session({ ...ONE, deviceid: `20000000${n + 10}` }));
    added(devices, new Session(TWO, '192.168.1.77'));
    const admits = (deviceid: string, peer = PEER): boolean => devices.admits({ ...ONE, deviceid }, peer, 'register');
    assert.equal(admits('3000000001'), true);
    added(devices, new Session({ ...ONE, deviceid: '3000000001' }));
    assert.deepEqual([admits('3000000002'), crowded], [false, [PEER]]);
    assert.equal(devices.admits({ ...ONE, deviceid: '3000000002' }, PEER, 'dispatch'), true, 'that needs no room');
    assert.deepEqual([admits('3000000001'), admits(TWO.deviceid)], [true, false], 'of its own sessions only');
    assert.equal(admits('3000000002', '192.168.1.77'), true);
    assert.equal(admits('3000000003', '192.168.1.2'), true);
    devices.pin('3000000004', 'own');
    assert.equal(admits('3000000004'), true);
    assert.equal(crowded.length, 2);
    own.add(PEER);
    assert.equal(admits('3000000005'), true);
  });

  it('remembers a device that is in work, however many others dial', () => {
    let inWork = [ONE.deviceid];
    const devices = new Devices(undefined, () => inWork);
    devices.dispatched({ ...ONE, ts: 933 }, PEER);
    const { deviceid } = ONE;
    const dialled = { ...ONE, ts: 933, peer: PEER };
    assert.deepEqual([devices.lastDispatch(deviceid), devices.factoryKey(deviceid)], [dialled, 'own']);
    const facts = { deviceid, how: 'dispatch', model: 'PSF-B04-GL', version: '1.5.5', address: PEER };
    assert.deepEqual(devices.directory.get(deviceid), facts);
    const dial = (from: number): void => {
      for (let n = from; n < from + 200; n += 1) devices.dispatched({ ...ONE, deviceid: `20000${n}` }, PEER);
    };
    dial(10_000);
    assert.deepEqual([devices.lastDispatch(deviceid), devices.directory.get(deviceid)], [dialled, facts]);
    inWork = [];
    dial(20_000);
    assert.deepEqual([devices.lastDispatch(deviceid), devices.directory.get(deviceid)], [undefined, undefined]);
  });
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
    early.emit('reported', { staMac: '5C:CF:7F:12:34:56' });
    early.emit('closed');
    assert.deepEqual([devices.connected(), told, devices.directory.get(device.deviceid)?.mac], [[], [], undefined]);
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
