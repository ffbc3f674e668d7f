import assert from 'node:assert/strict';
import os from 'node:os';
import { mock } from 'node:test';
import { homeNetworkIn } from '../../lib/flash/host/home-memory';
import { FlashHost } from '../../lib/flash/host/host';
import { Radio } from '../../lib/flash/radio/radio';
import { WifiSession } from '../../lib/flash/radio/wifi-session';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { usePrivateBus } from '../net/wifi/private-bus';
import { processFolder } from '../shared/process-folder';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { closeBenches, ON_LOOPBACK, openBench, type Bench } from './bench';

const never = new AbortController().signal;

describe('flash/host: the Wi-Fi at its close', () => {
  let nm: FakeNetworkManager;

  usePrivateBus();

  beforeEach(async () => {
    nm = await FakeNetworkManager.start();
    nm.accessPoints = [
      { ssid: 'home', bssid: '00:11:22:33:44:55', psk: 'secret word', network: '192.168.1' },
      { ssid: 'ITEAD-1000a1b2c3', bssid: '5E:CF:7F:A1:B2:C3', psk: '12345678' },
    ];
    nm.connect(nm.addWifi('wlan0'), nm.addProfile('home', 'home', { autoconnect: false }));
  });

  afterEach(async () => {
    await closeBenches();
    await nm.vanish();
  });

  async function open(): Promise<Bench> {
    const bench = await openBench();
    const radio = new Radio(undefined, () => ({ sees: () => true }));
    radio.use({ driver: 'networkmanager', interfaceName: 'wlan0', allowUplink: 'wlan0' });
    Object.assign(bench.host, { radio, wifiSession: new WifiSession(radio) });
    return bench;
  }

  it('leaves the network that a flow has joined', async () => {
    const { host } = await open();
    await host.wifiSession.join(
      { ssid: 'ITEAD-1000a1b2c3', psk: '12345678' },
      { signal: never, seconds: 10, stay: 3600 },
    );
    assert.equal(host.wifiSession.joined?.ssid, 'ITEAD-1000a1b2c3');
    await host.close();
    assert.deepEqual(nm.names(), { profiles: ['home'], active: ['home'] });
    // Otherwise the session would release the lease again when `stay` is over.
    assert.equal(host.wifiSession['lease'], undefined);
  });

  it('takes it from its holder, such as a set-up that continues', async () => {
    const { host } = await open();
    const lease = await host.radio.acquire('set-up', never);
    await lease.join({ ssid: 'ITEAD-1000a1b2c3', psk: '12345678' }, never);
    await host.close();
    assert.deepEqual(nm.names(), { profiles: ['home'], active: ['home'] });
    assert.equal(host.radio.holder, undefined);
  });
});

describe('flash/host: its place at home', () => {
  let nm: FakeNetworkManager | undefined;
  let host: FlashHost | undefined;
  let addresses: Record<string, string>;

  usePrivateBus();
  beforeEach(() => {
    addresses = { eth5: '192.168.1.5', wlan5: '192.168.50.6' };
    mock.method(os, 'networkInterfaces', () =>
      Object.fromEntries(Object.entries(addresses).map(([name, address]) => [name, [ipv4(address)]])),
    );
  });
  afterEach(timeGoesOn);
  afterEach(async () => {
    await host?.close();
    await nm?.vanish();
    mock.restoreAll();
    nm = host = undefined;
  });

  function ipv4(address: string): os.NetworkInterfaceInfo {
    return { address, netmask: '255.255.255.0', family: 'IPv4', mac: '02:00:00:00:00:01', internal: false, cidr: null };
  }

  it('is in the Wi-Fi that devices get, where this machine has joined that beside another network', async () => {
    nm = await FakeNetworkManager.start();
    nm.accessPoints = [{ ssid: 'home', bssid: '00:11:22:33:44:55', psk: 'secret word' }];
    const device = nm.addWifi('wlan5');
    nm.connect(device, nm.addProfile('home', 'home'));
    device.joined = nm.accessPoints[0];
    const folder = processFolder('host-home');
    host = new FlashHost({ ...ON_LOOPBACK, address: '' }, folder);
    const home = homeNetworkIn(folder, () => undefined);
    for (const [ssid, isThere] of [
      ['elsewhere', false],
      ['home', true],
    ] as const) {
      const wifi = { ssid, psk: 'secret word' };
      host.radio.use({ driver: 'manual', interfaceName: '', allowUplink: '', home: wifi });
      await home.update();
      assert.equal(host.address === '192.168.50.6', isThere);
    }
    assert.deepEqual(host.homeChoice, { home: { name: 'wlan5', address: '192.168.50.6' }, reason: 'wifi-name' });
  });

  it('is looked at each second: it reports an address that has come or gone, until it is closed', async () => {
    timeStands(['setInterval']);
    host = new FlashHost(ON_LOOPBACK, processFolder('host-addresses'));
    let reports = 0;
    host.on('addresses', () => (reports += 1));
    timePasses(1000);
    assert.equal(reports, 0);
    addresses = { eth5: '192.168.1.5' };
    timePasses(1000);
    assert.equal(reports, 1);
    timePasses(5000);
    assert.equal(reports, 1);
    await host.close();
    addresses = {};
    timePasses(1000);
    assert.equal(reports, 1);
  });
});
