import assert from 'node:assert/strict';
import { once } from 'node:events';
import { RecentDevices } from '../../lib/flash/devices/recent-devices';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { closeBenches, openBench } from './bench';
import { ask } from './stranger';

const DAY_MS = 24 * 60 * 60_000;
const madeUp = (count: number): string => `20${String(count).padStart(8, '0')}`;

describe('flash/recent devices', () => {
  afterEach(closeBenches);

  it('keeps the 200 that were seen last, and those that are held', () => {
    const devices = new RecentDevices<number>(() => new Set(['held', madeUp(0)]));
    devices.saw('held', -1);
    for (let count = 0; count < 300; count += 1) {
      devices.saw(madeUp(count), count);
      devices.saw(madeUp(1), 1);
    }
    assert.equal(devices.all().length, 202);
    assert.deepEqual(
      ['held', madeUp(0), madeUp(1), madeUp(100)].map((one) => devices.get(one)),
      [-1, 0, 1, undefined],
    );
    assert.equal(devices.get(madeUp(101)), 101);
  });

  it('counts a device that is seen again as the newest', () => {
    const devices = new RecentDevices<number>(() => new Set());
    for (let count = 0; count < 200; count += 1) devices.saw(madeUp(count), count);
    devices.saw(madeUp(0), 0);
    devices.saw(madeUp(200), 200);
    assert.deepEqual([devices.get(madeUp(0)), devices.get(madeUp(1)), devices.all().length], [0, undefined, 200]);
    assert.deepEqual(
      devices
        .all()
        .slice(-2)
        .map(({ value }) => value),
      [0, 200],
    );
  });

  it('asks who is held only where one of them may have to go', () => {
    const held = new Set(Array.from({ length: 250 }, (_, count) => madeUp(count)));
    let asked = 0;
    const devices = new RecentDevices<number>(() => ((asked += 1), held));
    for (let times = 0; times < 4; times += 1) held.forEach((deviceid) => devices.saw(deviceid, times));
    assert.equal(asked, 1, 'when there were more than 200');
    for (let count = 250; count < 450; count += 1) devices.saw(madeUp(count), count);
    assert.deepEqual([devices.all().length, asked], [450, 2], 'and when as many could have come again');
    devices.saw(madeUp(450), 450);
    assert.deepEqual([devices.all().length, asked, devices.get(madeUp(250))], [450, 3, undefined]);
    held.clear();
    devices.saw(madeUp(451), 451);
    assert.equal(devices.all().length, 200, 'those that are held no longer count as well');
  });

  it('forgets what was not seen for 24 h, unless it is held', () => {
    let now = 0;
    const held = new Set(['held']);
    const devices = new RecentDevices<string>(
      () => held,
      () => now,
    );
    for (const deviceid of ['held', 'gone', 'back']) devices.saw(deviceid, deviceid);
    now = DAY_MS;
    devices.saw('back', 'back');
    devices.learn('gone', 'what a job knows is no sign of life');
    assert.equal(devices.forgetOld(), false);
    now += 1;
    assert.equal(devices.forgetOld(), true);
    assert.deepEqual(
      ['held', 'gone', 'back'].map((one) => devices.get(one)),
      ['held', undefined, 'back'],
    );
    devices.learn('new', 'what becomes known of it first');
    assert.equal(devices.all().find(({ value }) => value.startsWith('what becomes'))?.seenAt, now);
    now += DAY_MS - 1;
    devices.saw('late', 'late');
    now += 1;
    assert.equal(devices.forgetOld(), true, 'one that is a ms too old');
    assert.deepEqual([devices.get('back'), devices.get('new')], [undefined, 'what becomes known of it first']);
    held.clear();
    assert.equal(devices.forgetOld(), true);
    assert.equal(devices.get('held'), undefined);
  });

  it('forgets as soon as another one is seen, and keeps when a device was seen beside what becomes known of it', () => {
    let now = 0;
    const devices = new RecentDevices<string>(
      () => new Set(),
      () => now,
    );
    devices.saw('old', 'as it was seen');
    now = 1;
    devices.saw('late', 'as it was seen');
    devices.learn('old', 'by its job');
    assert.deepEqual(devices.all(), [
      { value: 'by its job', seenAt: 0 },
      { value: 'as it was seen', seenAt: 1 },
    ]);
    now = DAY_MS;
    devices.saw('other', 'as it was seen');
    assert.ok(devices.get('old'));
    now = DAY_MS + 1;
    devices.saw('other', 'as it was seen');
    assert.deepEqual([devices.get('old'), devices.get('late')], [undefined, 'as it was seen']);
  });

  it('loses nothing of a device with a session or a job to 300 dispatches in other names', async () => {
    const bench = await openBench();
    const { host } = bench;
    const ready = once(host.devices, 'ready') as Promise<[DeviceConnection]>;
    const device = await bench.device();
    await device.start();
    await ready;
    const inWork = madeUp(1000);
    const dispatch = (deviceid: string): Promise<string> => {
      const apikey = '11111111-2222-4333-8444-777777777777';
      const body = JSON.stringify({ deviceid, apikey, model: 'ITA-GZ1-GL', romVersion: '1.5.5', ts: 1 });
      const head = `POST /dispatch/device HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}`;
      return ask(host.ports.legacy, `${head}\r\n\r\n${body}`);
    };
    host.jobs.jobFor('cloud', inWork);
    await dispatch(inWork);
    for (let count = 0; count < 300; count += 1) await dispatch(madeUp(count));
    for (const known of [device.deviceid, inWork, madeUp(299)]) assert.ok(host.devices.lastDispatch(known), known);
    assert.equal(host.devices.lastDispatch(madeUp(0)), undefined);
  });
});
