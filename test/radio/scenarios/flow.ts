import assert from 'node:assert/strict';
import type { TasmotaSetUp } from '../../../lib/tasmota/set-up';
import { AccessPoint } from '../air/access-point';
import { HOME, HOME_NET } from '../air/home';
import { DeviceProcess, type DeviceEvent } from '../device/device-process';
import { SET_UP } from '../../lab/flow';
import { RouteWatch } from '../machine/default-route';
import { eventually } from '../machine/eventually';
import { isIn } from '../machine/joined';
import { connections, nmcli } from '../machine/network-manager';
import { Scene } from '../machine/scene';

const LIMIT_MS = 400_000;
/** One that has just been flashed is not asked for again: so each scenario has devices of its own. */
const [ONE, TWO, THREE, FOUR] = ['10000a1b2c', '10000a1b2d', '10000a1b2e', '10000a1b2f'] as const;
/** The access point of a device that is not flashed here. */
const FOREIGN = '5E:CF:7F:99:99:99';
const NAME = 'Lamp';

describe('the flow of example 22, one Inject, and no person at the Wi-Fi', function () {
  this.timeout(LIMIT_MS);
  let scene: Scene;
  let routes: RouteWatch;
  let profiles: string;
  const devices: DeviceProcess[] = [];

  const device = (place: 'sonoff' | 'other', deviceid: string): DeviceProcess => {
    const made = new DeviceProcess(place, { sonoff: { deviceid, speed: 2, homeNetwork: HOME } });
    devices.push(made);
    return made;
  };
  /** Every byte of the final image is in the device, and its page is to be seen from the home network. */
  const isAtHome = async (one: DeviceProcess, deviceid: string): Promise<void> => {
    const { kind, msg } = await scene.end('tasmota-setup', LIMIT_MS - 10_000);
    assert.equal(kind, 'result');
    assert.equal(msg.deviceid, deviceid);
    const { fact } = await one.meets('flashed', ({ event }) => event === 'flashed', 1000);
    assert.equal((fact as { flashSha256: string }).flashSha256, scene.finalSha256);
    const { url, name } = msg.payload as TasmotaSetUp;
    assert.equal(name, NAME);
    assert.ok(url.startsWith(`http://${HOME_NET}`), url);
    const page = await fetch(url);
    assert.match(await page.text(), new RegExp(`<h2>${NAME}</h2>`));
  };

  before(async () => {
    scene = new Scene({
      example: SET_UP,
      forms: { 'sonota-tasmota-setup': { deviceName: NAME } },
    });
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

  it('takes a device from ITEAD-… to the page of its Tasmota at home', async () => {
    const one = device('sonoff', ONE);
    await scene.inject();
    await isAtHome(one, ONE);
  });

  it('asks which of two it is, takes the one that is named, and leaves the FinalStage of another alone', async () => {
    const [two, three] = [device('sonoff', TWO), device('other', THREE)];
    await Promise.all([two, three].map((one) => one.meets('its access point', isOpen, 60_000)));
    await eventually(() => namesInReach().filter((name) => name.startsWith('ITEAD-')).length === 2);
    await scene.inject();
    const { kind, msg } = await scene.end('provision', 90_000);
    assert.equal(kind, 'error', scene.story());
    assert.equal(msg.error?.code, 'device-unknown');
    assert.match(msg.error?.message ?? '', new RegExp(`${TWO}.*${THREE}`));

    scene.records.all.length = 0;
    await scene.inject({ deviceid: TWO });
    await scene.end('provision', 90_000);
    await three.stop();
    const foreign = await AccessPoint.open('other', 'wlan4', {
      ssid: 'FinalStage',
      channel: 11,
      bssid: FOREIGN,
      address: '192.168.4.1',
      leases: ['192.168.4.2', '192.168.4.9'],
    });
    try {
      await isAtHome(two, TWO);
      assert.ok(namesInReach().includes('FinalStage'), 'it was there for all that time');
      assert.ok(!foreign.log.some((line) => line.includes('AP-STA-CONNECTED')), foreign.log.join('\n'));
    } finally {
      await foreign.vanish();
    }
  });

  it('continues after a SIGKILL in each of the three networks', async () => {
    const four = device('sonoff', FOUR);
    await scene.inject();
    for (const [state, network] of NETWORKS) {
      await four.reaches(state, 120_000);
      // The last of them is left again as soon as the device has the Wi-Fi.
      await eventually(() => isIn(network), { everyMs: 20 });
      await scene.kill();
      await eventually(() => !isIn(network));
      assert.equal(connections(), profiles, `after ${state}`);
      await scene.run();
    }
    await isAtHome(four, FOUR);
  });
});

/** The states in which the device has a network of its own, and its numbers. */
const NETWORKS = [
  ['access-point', '10.10.7.'],
  ['finalstage', '192.168.4.'],
  ['new-access-point', '192.168.4.'],
] as const;

function isOpen({ event, fact }: DeviceEvent): boolean {
  return event === 'log' && fact === 'access point is open';
}

function namesInReach(): string[] {
  return nmcli('-f', 'SSID', 'device', 'wifi', 'list', '--rescan', 'yes').split('\n');
}
