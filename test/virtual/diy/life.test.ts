import assert from 'node:assert/strict';
import { once } from 'node:events';
import { HEALTHY_DIY } from '../../../lib/virtual/diy/behaviours';
import { DIY_FAULTS, diyBehavioursOf } from '../../../lib/virtual/diy/faults';
import { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';
import type { VirtualState } from '../../../lib/virtual/virtual-sonoff';
import { pageOf } from '../booted';
import { sha256 } from '../images';
import { closeAll, postAp, RawClient, reaches } from '../lab';
import { appImage } from './image';
import { serving } from './image-server';
import { command, diySonoff, flash, ID, IMAGE, inDiyMode, openConnection, request } from './lab';

const TASMOTA = appImage(65_536, 'Theo Arends');
const WIFI = { ssid: 'home', password: 'secret-password' };
const NEW_FIRMWARE = { apAddress: '127.0.0.1', apPort: 0, homePort: 0 };

describe('virtual DIY device: its life', () => {
  afterEach(closeAll);

  it('goes from its access point to a Tasmota at home', async () => {
    const images = await serving(TASMOTA);
    const device = diySonoff({ startsIn: 'access-point', homeNetwork: WIFI, newFirmware: NEW_FIRMWARE });
    const { apPort } = await device.start();
    const client = await RawClient.connect(apPort);
    const lan = once(device, 'lan');
    client.socket.write(postAp(WIFI).replace('POST /ap ', 'POST /ap_diy '));
    const [{ port }] = (await lan) as [{ port: number }];
    assert.equal((await command(port, 'ota_unlock')).error, 0);
    const ap = pageOf(device, 'ap');
    assert.equal((await flash(port, images)).error, 0);
    const [{ flashSha256 }] = (await once(device, 'flashed')) as [{ flashSha256: string }];
    assert.equal(flashSha256, sha256(TASMOTA));
    const page = await ap;
    assert.match(await (await fetch(page)).text(), /by Theo Arends/);
    const home = pageOf(device, 'home');
    const backlog = `Backlog SSID1 ${WIFI.ssid}; Password1 ${WIFI.password}`;
    await fetch(`${page}/cm?cmnd=${encodeURIComponent(backlog)}`, { headers: { Referer: `${page}/` } });
    assert.equal((await fetch(await home)).status, 200);
    await device.stop();
    assert.equal((await device.ended).result, 'flashed');
  });

  it('knows its faults by name, each with a sentence', () => {
    for (const { name, about, behaviours } of DIY_FAULTS) {
      assert.equal(diyBehavioursOf(name), behaviours);
      assert.match(about, /^[A-Z].*\.$/);
      for (const key of Object.keys(behaviours)) assert.ok(key in HEALTHY_DIY, key);
    }
    assert.equal(new Set(DIY_FAULTS.map(({ name }) => name)).size, DIY_FAULTS.length);
    assert.deepEqual(diyBehavioursOf('signal-500'), { errors: { signal_strength: 500 } });
    for (const unknown of ['nonsense', 'info-1', 'toString-400']) {
      assert.throws(() => diyBehavioursOf(unknown), RangeError);
    }
    assert.throws(() => new VirtualDiySonoff({ apAddress: '127.0.0.1', apPort: 0, fault: 'nonsense' }), RangeError);
  });

  it('answers any command with any error', async () => {
    const { port } = await inDiyMode({ fault: 'info-404' });
    assert.equal((await command(port, 'info')).error, 404);
    assert.equal((await command(port, 'signal_strength')).error, 0);
  });

  it('ends some time after a failure that is left as it is, and not after one that is repaired', async () => {
    const images = await serving(IMAGE);
    const { device, port } = await inDiyMode({ otaUnlock: true, fault: 'result-404', lingerMs: 20 });
    await flash(port, images);
    assert.equal((await device.ended).result, 'flash-404');
    const cured = await inDiyMode({ otaUnlock: true, fault: 'flash-471', lingerMs: 600_000 });
    await flash(cured.port, images);
    await reaches(cured.device, 'refused');
    await flash(cured.port, images);
    assert.equal((await cured.device.ended).result, 'flashed');
  });

  for (const state of ['joining', 'diy-mode', 'upgrading', 'rebooting'] as VirtualState[]) {
    it(`stops in the state ${state}`, async () => {
      const images = await serving(IMAGE);
      const device = diySonoff({ otaUnlock: true, behaviours: { blockPauseMs: 10 } });
      const reached = reaches(device, state);
      device.once('lan', ({ port }: { port: number }) => void flash(port, images).catch(() => undefined));
      void device.start();
      await reached;
      await device.stop();
      assert.equal((await device.ended).result, 'stopped');
    });
  }

  it('restarts in the middle of a hanging request, and closes it', async () => {
    const { device, port } = await inDiyMode({ fault: 'unlock-hangs', timings: { unlockHangs: 600_000 } });
    const { socket, received } = await openConnection(port);
    socket.write(request('ota_unlock', { deviceid: ID, data: {} }));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    const lan = once(device, 'lan');
    device.powerCycle();
    await Promise.all([lan, closed]);
    assert.equal(received(), '');
  });
});
