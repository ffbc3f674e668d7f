import assert from 'node:assert/strict';
import { once } from 'node:events';
import { behavioursOf, FAULTS } from '../../lib/virtual/device/behaviours';
import { VirtualSonoff, type VirtualState } from '../../lib/virtual/virtual-sonoff';
import { closeAll, FINAL, logs, onCloud, postAp, RawClient, rawCloud, rawImages, reaches, sonoff, USER2 } from './lab';
import { sha256 } from './images';

describe('virtual Sonoff: its life', () => {
  afterEach(closeAll);

  it('knows its faults by name, each with a sentence', () => {
    for (const { name, about, behaviours } of FAULTS) {
      assert.equal(behavioursOf(name), behaviours);
      assert.match(about, /^[A-Z].*\.$/);
    }
    assert.equal(new Set(FAULTS.map(({ name }) => name)).size, FAULTS.length);
    assert.deepEqual(behavioursOf(''), {});
    assert.deepEqual(behavioursOf('refuse-411'), { refusesWith: 411 });
    assert.throws(() => behavioursOf('nonsense'), RangeError);
    assert.throws(() => new VirtualSonoff({ apAddress: '127.0.0.1', apPort: 0, fault: 'nonsense' }), RangeError);
  });

  it('has an identity of its own, the same for the same device id', () => {
    const first = new VirtualSonoff({ apAddress: '127.0.0.1', apPort: 0 });
    const second = new VirtualSonoff({ apAddress: '127.0.0.1', apPort: 0 });
    assert.match(first.deviceid, /^1000[0-9a-f]{6}$/);
    assert.notEqual(first.deviceid, second.deviceid);
  });

  it('keeps its settings over a power-cycle', async () => {
    const cloud = await rawCloud();
    const device = sonoff();
    const { apPort } = await device.start();
    const client = await RawClient.connect(apPort);
    client.socket.write(postAp({ ssid: 's', password: 'p', serverName: '127.0.0.1', port: cloud.port }));
    await once(cloud, 'ready');
    device.powerCycle();
    await once(cloud, 'ready');
    assert.equal(cloud.dispatches.length, 2);
    await assert.rejects(RawClient.connect(apPort), { code: 'ECONNREFUSED' });
  });

  it('opens its access point again after a power-cycle where it has no settings', async () => {
    const device = sonoff();
    const { apPort } = await device.start();
    const before = await RawClient.connect(apPort);
    device.powerCycle();
    await before.closed;
    await reaches(device, 'access-point');
    while (device.log.filter((line) => line === 'access point is open').length < 2) await once(device, 'log');
    const client = await RawClient.connect(apPort);
    client.socket.write('GET /device HTTP/1.1\r\n\r\n');
    await client.answer();
  });

  const states: VirtualState[] = [
    'joining',
    'dispatching',
    'registering',
    'ready',
    'upgrading',
    'rebooting',
    'blinking',
  ];
  for (const state of [...states, 'finalstage', 'fetching', 'erased'] as VirtualState[]) {
    it(`stops in the state ${state}`, async () => {
      const cloud = await rawCloud();
      const images = await rawImages();
      const device = sonoff({
        provisioned: { serverName: '127.0.0.1', port: cloud.port },
        behaviours: { blockPauseMs: 10 },
        // FinalStage is to be met in its waiting, not in passing.
        ...(state === 'finalstage' ? { fault: 'finalstage-blocked' } : {}),
      });
      cloud.on('ready', () => cloud.upgrade(images.url('/user2'), USER2));
      const reached = reaches(device, state);
      await device.start();
      await reached;
      await device.stop();
      const { result, flashSha256, log } = await device.ended;
      assert.equal(result, 'stopped');
      assert.equal(flashSha256, sha256(device.flash));
      assert.equal(log.at(-1), 'state: ended');
      assert.equal(device.state, 'ended');
    });
  }

  it('stops before it was switched on, and twice', async () => {
    const device = sonoff();
    await device.stop();
    await device.stop();
    assert.equal((await device.ended).result, 'stopped');
  });

  it('starts once', async () => {
    const device = sonoff();
    await device.start();
    await assert.rejects(device.start(), /starts once/);
  });

  it('ends automatically some time after a failure that is not cured', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud, { fault: 'refuse-409', lingerMs: 20 });
    await reaches(device, 'ready');
    cloud.upgrade('http://127.0.0.1:1/user2', USER2);
    assert.equal((await device.ended).result, 'refused-409');
  });

  it('does not end where the failure was cured', async () => {
    const cloud = await rawCloud();
    const images = await rawImages();
    const device = await onCloud(cloud, { fault: 'refuse-410', lingerMs: 2000 });
    await reaches(device, 'ready');
    cloud.upgrade(images.url('/user2'), USER2);
    await once(cloud, 'acknowledged');
    cloud.upgrade(images.url('/user2'), USER2, { version: '9.9.9' });
    const { result, flashSha256 } = await device.ended;
    assert.equal(result, 'flashed');
    assert.equal(flashSha256, sha256(FINAL));
  });

  it('never dispatches with a wrong Wi-Fi password', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud, { fault: 'wrong-wifi-password', lingerMs: 20 });
    assert.equal((await device.ended).result, 'not-joined');
    assert.equal(cloud.dispatches.length, 0);
  });

  it('changes a behaviour while it runs', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud);
    await reaches(device, 'ready');
    device.behave({ refusesWith: 410 });
    cloud.upgrade('http://127.0.0.1:1/user2', USER2);
    await logs(device, /acknowledges with 410/);
  });

  it('writes no key to its log, from one end to the other', async () => {
    const cloud = await rawCloud();
    const images = await rawImages();
    const apikey = 'factory0-0000-0000-0000-00000factory';
    const device = await onCloud(cloud, { apikey, fault: 'garbage' });
    await reaches(device, 'ready');
    cloud.upgrade(images.url('/user2'), USER2);
    const text = (await device.ended).log.join('\n');
    assert.ok(!text.includes(apikey) && !text.includes('11111111-2222'), text);
  });
});
