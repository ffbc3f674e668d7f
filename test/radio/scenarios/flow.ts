import assert from 'node:assert/strict';
import { HOME } from '../air/home';
import { DeviceProcess } from '../device/device-process';
import { RouteWatch } from '../machine/default-route';
import { connections } from '../machine/network-manager';
import { Scene } from '../machine/scene';

const LIMIT_MS = 400_000;
const ONE = '10000a1b2c';

describe('the flow of example 02, one Inject, and nobody at the Wi-Fi', function () {
  this.timeout(LIMIT_MS);
  let scene: Scene;
  let routes: RouteWatch;
  let profiles: string;
  const devices: DeviceProcess[] = [];

  const device = (deviceid: string, speed: number): DeviceProcess => {
    const made = new DeviceProcess('sonoff', { sonoff: { deviceid, speed, homeNetwork: HOME } });
    devices.push(made);
    return made;
  };
  /** The flash ends well, and the device holds every byte of the final image. */
  const flashed = async (one: DeviceProcess, deviceid: string): Promise<void> => {
    const end = await scene.end('finalstage-watch', LIMIT_MS - 10_000);
    assert.equal(end.kind, 'result', `${scene.story()}\n---\n${one.story()}`);
    assert.equal(end.msg.deviceid, deviceid);
    const { fact } = await one.meets('flashed', ({ event }) => event === 'flashed', 10_000);
    assert.equal((fact as { flashSha256: string }).flashSha256, scene.finalSha256);
  };

  before(async () => {
    scene = new Scene();
    await scene.run();
  });

  after(async () => await scene?.close());

  beforeEach(() => {
    scene.records.all.length = 0;
    profiles = connections();
    routes = new RouteWatch();
  });

  afterEach('the networks are what they were, and the way to the internet never moved', async function () {
    if (this.currentTest?.state === 'failed') console.log(scene.story(), devices.map((one) => one.story()).join('\n'));
    await Promise.all(devices.splice(0).map((one) => one.stop()));
    routes.stop();
    assert.equal(connections(), profiles);
    assert.equal(routes.seen.size, 1, [...routes.seen].join(' | '));
    assert.ok(routes.samples > 10);
  });

  it('takes a device from ITEAD-… to its new firmware', async () => {
    const one = device(ONE, 2);
    await scene.inject();
    await flashed(one, ONE);
  });
});
