import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FlashError } from '../../lib/errors';
import { THIS_MACHINE } from '../../lib/flash/host/environment';
import { FlashHost } from '../../lib/flash/host/host';
import { Radio } from '../../lib/flash/radio/radio';
import { setUpTasmota, type TasmotaSetUp } from '../../lib/tasmota/set-up';
import type { SetUpOptions, TasmotaDevice } from '../../lib/tasmota/set-up-options';
import type { OwnNetwork } from '../../lib/virtual/device/radio';
import type { VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { type FakeAccessPoint, FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { usePrivateBus } from '../net/wifi/private-bus';
import { booted, TASMOTA } from '../virtual/booted';
import { closeAll, opened } from '../virtual/lab';
import { freePort } from '../shared/ports';
import { ON_LOOPBACK } from '../flash/bench';
import { assertCode } from '../flash/refusals';

const HOME = { ssid: 'home', password: 'top secret' };
const NOTHING = { mqtt: undefined, topic: undefined, name: undefined, template: undefined, webPassword: undefined };
const NUMBERS = '192.168.4';
const FINALSTAGE = { ssid: 'FinalStage', bssid: '5E:CF:7F:FF:FF:FF', network: NUMBERS };
const never = new AbortController().signal;

/** A machine whose NetworkManager shows the access points that devices have open. */
class Machine extends EventEmitter<{ opened: [FakeAccessPoint] }> {
  // All of it is on loopback; what NetworkManager says is where this machine is.
  readonly host = new FlashHost({ ...ON_LOOPBACK, address: '' }, undefined, undefined, {
    ...THIS_MACHINE,
    hasWifi: () => true,
    ownAddresses: () => [this.address, this.byHand].flatMap((address) => (address ? [{ name: 'wlan0', address }] : [])),
  });
  /** Every network that it was in, in order. */
  readonly joined: string[] = [];
  /** Its address where a person has joined a network. */
  byHand: string | undefined;
  private address: string | undefined;

  constructor(readonly nm: FakeNetworkManager) {
    super();
    const radio = new Radio(undefined, () => ({ sees: () => true }));
    radio.use({ driver: 'networkmanager', interfaceName: 'wlan0', allowUplink: 'wlan0' });
    Object.assign(this.host, { radio });
    nm.on('joined', (ssid: string, address: string) => {
      this.joined.push(ssid);
      this.address = address;
    });
    nm.on('left', () => (this.address = undefined));
  }

  /** What a device's radio does here. */
  readonly deviceRadio = {
    openAccessPoint: ({ ssid, bssid }: OwnNetwork): void => {
      const shown = { ssid, bssid, network: NUMBERS };
      this.nm.accessPoints.push(shown);
      this.emit('opened', shown);
    },
    closeAccessPoint: ({ ssid }: OwnNetwork): void => {
      this.nm.accessPoints = this.nm.accessPoints.filter((one) => one.ssid !== ssid);
      if (this.joined.at(-1) === ssid && this.address !== undefined) this.nm.loseNetwork(this.nm.devices[0]!);
    },
  };
}

describe('tasmota: setting up a Tasmota whose access point is joined automatically', () => {
  let machine: Machine;

  usePrivateBus();

  beforeEach(async () => {
    const nm = await FakeNetworkManager.start();
    opened({ close: () => nm.vanish() });
    nm.accessPoints = [{ ssid: 'home', bssid: '00:11:22:33:44:55', psk: 'secret word', network: '192.168.1' }];
    nm.connect(nm.addWifi('wlan0'), nm.addProfile('home', 'home', { autoconnect: false }));
    machine = new Machine(nm);
    opened({ close: () => machine.host.close() });
  });

  afterEach(async () => {
    try {
      // A device may be found at home before the radio has left its access point.
      await (await machine.host.radio.acquire('flow', never)).release();
      assert.deepEqual(machine.nm.names(), { profiles: ['home'], active: ['home'] }, 'all is as it was before');
    } finally {
      await closeAll();
    }
  });

  /** A Tasmota in its access point, fifty times as fast as a real one, and its set-up. */
  async function begin(more: Partial<VirtualSonoffOptions> = {}, options: Partial<SetUpOptions> = {}) {
    const [apPort, homePort] = [await freePort(), await freePort()];
    const isOpen = once(machine, 'opened') as Promise<[FakeAccessPoint]>;
    const device = await booted(TASMOTA, {
      speed: 50,
      homeNetwork: HOME,
      radio: machine.deviceRadio,
      newFirmware: { apAddress: '127.0.0.1', apPort, homePort },
      ...more,
    });
    // FinalStage's own is the first.
    await isOpen;
    const [{ ssid, bssid }] = (await once(machine, 'opened')) as [FakeAccessPoint];
    const said: string[] = [];
    const homeUrl = `http://127.0.0.1:${homePort}`;
    const run = (known: Partial<TasmotaDevice> = {}, signal = never): Promise<TasmotaSetUp> =>
      setUpTasmota(
        machine.host,
        {
          device: { mac: bssid.replace(/^5E/, '5C'), model: 'PSC-B01-GL', ip: undefined, ...known },
          settings: { ...NOTHING, ...HOME },
          apUrl: `http://127.0.0.1:${apPort}`,
          homeUrl,
          // No test comes to it.
          timeoutSeconds: 600,
          lookPauseMs: 50,
          backAfterMs: 500,
          report: (name) => void said.push(name),
          ...options,
        },
        signal,
      );
    return { device, ssid, bssid, homeUrl, run, said };
  }

  it('joins it, gives it the Wi-Fi, and has left it when it is found at home', async () => {
    const { ssid, homeUrl, run } = await begin();
    machine.nm.accessPoints.push({ ssid: 'tasmota-FFFFFF-8191', bssid: FINALSTAGE.bssid, signal: 99 });
    assert.equal((await run()).url, homeUrl);
    assert.equal(machine.joined[0], ssid, "not a neighbour's");
  });

  for (const known of ['linkMac', 'bssid'] as const) {
    it(`knows it by its ${known} where the device has not stated its MAC address`, async () => {
      const { ssid, bssid, homeUrl, run } = await begin();
      machine.nm.accessPoints.push({ ssid: 'tasmota-FFFFFF-8191', bssid: FINALSTAGE.bssid, signal: 99 });
      const address = known === 'bssid' ? bssid : bssid.replace(/^5E/, '5C');
      assert.equal((await run({ mac: undefined, [known]: address })).url, homeUrl);
      assert.equal(machine.joined[0], ssid, "not a neighbour's");
    });
  }

  it('is not misled by the FinalStage of another device: while the radio is in that, it waits for its turn', async () => {
    const { ssid, homeUrl, run } = await begin();
    const { nm, host } = machine;
    nm.accessPoints.push(FINALSTAGE);
    const lease = await host.radio.acquire('finalstage', never);
    await lease.join({ ...FINALSTAGE, address: { cidr: `${NUMBERS}.2/24`, fixed: true } }, never);
    const done = run();
    const isOver = await Promise.race([done, lease.scan(never).then(() => lease.scan(never))]);
    assert.ok(Array.isArray(isOver), 'nothing was done while another device was served');
    assert.deepEqual(machine.joined, ['FinalStage']);
    await lease.release();
    assert.equal((await done).url, homeUrl);
    assert.equal(machine.joined.filter((name) => name !== 'home')[1], ssid);
  });

  it('asks nothing of what a person has joined any more once the radio is in the FinalStage of another device', async () => {
    let looks = 0;
    const silent = createServer((request) => request.destroy(void (looks += 1)));
    opened({ close: async () => void silent.close() });
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { run } = await begin({}, { apUrl: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` });
    const { nm, host } = machine;
    nm.accessPoints.push(FINALSTAGE);
    machine.byHand = `${NUMBERS}.3`;
    const over = new AbortController();
    const done = run({}, over.signal);
    await once(silent, 'request');
    const lease = await host.radio.acquire('finalstage', never);
    await lease.join({ ...FINALSTAGE, address: { cidr: `${NUMBERS}.2/24`, fixed: true } }, never);
    machine.byHand = undefined;
    const before = looks;
    for (let scans = 0; scans < 4 && looks < before + 2; scans += 1) await lease.scan(never);
    assert.ok(looks < before + 2, 'one had begun before');
    over.abort(new FlashError('cancelled'));
    await assertCode(done, 'cancelled');
    await lease.release();
  });

  it('leaves the radio alone where a person was quicker', async () => {
    const { homeUrl, run, device } = await begin();
    machine.byHand = `${NUMBERS}.3`;
    device.on('page', ({ network }) => network === 'home' && (machine.byHand = undefined));
    assert.equal((await run()).url, homeUrl);
    assert.ok(!machine.nm.calls.includes('AddAndActivateConnection2'));
  });

  it('joins again where the access point went in the middle', async () => {
    const { homeUrl, run, ssid, device } = await begin();
    const done = run();
    await once(machine.nm, 'joined');
    device.powerCycle();
    assert.equal((await done).url, homeUrl);
    assert.ok(machine.joined.filter((name) => name === ssid).length >= 2, machine.joined.join());
  });

  it('gives up after three tries what the radio cannot do', async () => {
    const { run } = await begin();
    const { nm } = machine;
    nm.refusals['AddAndActivateConnection2'] = 'org.freedesktop.NetworkManager.PermissionDenied';
    await assertCode(run(), 'wifi-not-permitted');
    assert.equal(nm.calls.filter((call) => call === 'AddAndActivateConnection2').length, 3);
  });

  it('sees that the device is in its access point again: the Wi-Fi was wrong', async () => {
    const { run, ssid } = await begin({ fault: 'tasmota-wifi-wrong' });
    const error: FlashError = await assertCode(run(), 'tasmota-wifi-failed');
    assert.equal(error.values['ssid'], ssid);
  });
});
