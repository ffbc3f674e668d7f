import assert from 'node:assert/strict';
import { DeviceDirectory, type ListedDevice } from '../../lib/flash/devices/device-directory';
import { closeBenches, HOME, openBench } from './bench';

describe('flash/host/device-directory', () => {
  afterEach(closeBenches);

  it('adds up what every source states of a device, and reports each sighting', () => {
    let now = 1000;
    const directory = new DeviceDirectory(undefined, () => now);
    const seen: ListedDevice[] = [];
    directory.on('seen', (device) => seen.push(device));
    directory.saw({ deviceid: 'a', how: 'announcement', version: '3.7.6', address: '192.0.2.7' });
    now = 2000;
    directory.saw({ deviceid: 'a', how: 'answer', model: 'MINI', address: undefined });
    const device = { deviceid: 'a', how: 'answer', model: 'MINI', version: '3.7.6', address: '192.0.2.7' } as const;
    assert.deepEqual(directory.get('a'), device);
    assert.deepEqual(directory.all(), [{ ...device, seenAt: 2000 }]);
    assert.deepEqual(seen, [
      { deviceid: 'a', how: 'announcement', version: '3.7.6', address: '192.0.2.7', seenAt: 1000 },
      { ...device, seenAt: 2000 },
    ]);
  });

  it('forgets a device that nothing holds when it was not seen for a day', () => {
    let now = 0;
    const directory = new DeviceDirectory(
      () => new Set(['held']),
      () => now,
    );
    for (const deviceid of ['held', 'gone']) directory.saw({ deviceid, how: 'dispatch' });
    now = 24 * 60 * 60_000 + 1;
    assert.deepEqual(
      directory.all().map(({ deviceid }) => deviceid),
      ['held'],
    );
  });

  it('has what a device states to the emulated cloud, and a job takes it from there', async () => {
    const bench = await openBench();
    const device = await bench.device({ homeNetwork: HOME });
    const { deviceid } = device;
    await device.start();
    const { job } = await bench.begin('cloud', { deviceid }).outcome;
    const { how, model, version, address, mac } = bench.host.directory.get(deviceid) ?? {};
    assert.deepEqual([how, model, version, address, mac], ['session', job.model, job.romVersion, '127.0.0.1', job.mac]);
    const facts = bench.host.jobs.latest(deviceid)?.evidence.all.findLast(({ kind }) => kind === 'device-facts');
    const { at, ...stated } = facts ?? { at: 0 };
    assert.ok(at > 0);
    assert.deepEqual(stated, { kind: 'device-facts', model, romVersion: version, ip: address, mac });
  });
});
