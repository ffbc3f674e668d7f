import assert from 'node:assert/strict';
import { once } from 'node:events';
import { SESSIONS_OF_PEER } from '../../lib/flash/devices/devices';
import { RECENT_AT_MOST } from '../../lib/flash/devices/recent-devices';
import type { Seen } from '../../lib/flash/observation';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { closeAll, RawClient } from '../server/serving';
import { FACTORY_KEY, WebSocketDevice } from '../server/websocket-device';
import { closeBenches, openBench, type Bench } from './bench';
import { registerAs } from './stranger';

const DEVICE = '1000a1b2c3';
const STRANGER = '127.0.0.66';
const SURPLUS = 20;

const madeUp = (count: number): string => `20${String(count).padStart(8, '0')}`;

/** A peer in the place of a device; it stays. */
async function connected(bench: Bench, localAddress = STRANGER): Promise<WebSocketDevice> {
  const { device } = await WebSocketDevice.open(await RawClient.to(bench.host.ports.legacy, { localAddress }));
  return device;
}

describe('flash: devices that do not exist', () => {
  afterEach(closeAll);
  afterEach(closeBenches);

  it(`leave ${RECENT_AT_MOST} jobs where each that comes starts one, and those of real devices`, async () => {
    const bench = await openBench();
    const { devices, jobs } = bench.host;
    const setUp = jobs.jobFor('provision', '1000000001');
    setUp.enter('provision');
    setUp.leave('provision');
    const failed = jobs.jobFor('cloud', '1000000002');
    failed.enter('cloud');
    failed.fail('device-timeout');
    // As a node that answers every device.
    const outcomes = new Map<string, Promise<unknown>>();
    devices.on('ready', ({ device }: DeviceConnection) => {
      if (device) outcomes.set(device.deviceid, bench.begin('cloud', { deviceid: device.deviceid }).outcome);
    });
    const real = await bench.device({ deviceid: DEVICE });
    const ready = once(devices, 'ready');
    await real.start();
    await ready;
    await outcomes.get(DEVICE);
    for (let count = 0; count < RECENT_AT_MOST + SURPLUS; count += 1) {
      const stranger = await connected(bench);
      await stranger.becomeReady(madeUp(count));
      await outcomes.get(madeUp(count));
      const gone = once(devices, 'gone');
      stranger.wire.socket.destroy();
      await gone;
    }
    const isKept = (deviceid: string): boolean => jobs.latest(deviceid) !== undefined;
    assert.deepEqual([isKept(madeUp(0)), isKept(madeUp(RECENT_AT_MOST + SURPLUS - 1))], [false, true]);
    // One came since, so as many as may stay, and the newest.
    assert.equal(jobs.all().filter(({ deviceid }) => deviceid?.startsWith('20')).length, RECENT_AT_MOST + 1);
    assert.deepEqual([setUp.isOpen, isKept('1000000002'), jobs.openJob(DEVICE) !== undefined], [true, true, true]);
  });

  it(`get ${SESSIONS_OF_PEER} sessions of one peer, which displace none and keep no other device out`, async () => {
    const bench = await openBench();
    const { host } = bench;
    const { devices } = host;
    bench.around.isOwnAddress = () => false;
    const logged: string[] = [];
    host.log = (_level, text) => void logged.push(text);
    const own = await connected(bench);
    await own.register(DEVICE);
    const wait = bench.begin('cloud', { deviceid: DEVICE });
    for (let count = 1; count < SESSIONS_OF_PEER; count += 1) await (await connected(bench)).register(madeUp(count));
    assert.equal(devices.connected().length, SESSIONS_OF_PEER);
    const { legacy: port } = host.ports;
    const surplus = { deviceid: madeUp(999), apikey: FACTORY_KEY, localAddress: STRANGER };
    for (let times = 0; times < 2; times += 1) assert.notEqual((await registerAs(port, surplus))['error'], 0);
    assert.equal(devices.get(madeUp(999)), undefined);
    assert.equal(devices.connected().length, SESSIONS_OF_PEER);
    const job = await wait.job();
    const refused = job.evidence.all.filter(
      (one): one is Seen<'connection-refused'> => one.kind === 'connection-refused',
    );
    assert.deepEqual(
      refused.map(({ peer, limit }) => [peer, limit]),
      [[STRANGER, 'sessions']],
    );
    assert.equal(logged.filter((text) => text.includes(STRANGER)).length, 1);
    assert.equal((await registerAs(port, { ...surplus, localAddress: '127.0.0.2' }))['error'], 0, 'of another peer');
    assert.equal((await registerAs(port, { ...surplus, deviceid: madeUp(1) }))['error'], 0, 'that has one already');
    devices.pin(madeUp(998), FACTORY_KEY);
    assert.equal((await registerAs(port, { ...surplus, deviceid: madeUp(998) }))['error'], 0, 'whose key is known');
  });
});
