import assert from 'node:assert/strict';
import { Radio } from '../../lib/flash/radio/radio';
import { WifiSession } from '../../lib/flash/radio/wifi-session';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { usePrivateBus } from '../net/wifi/private-bus';
import { closeBenches, openBench, type Bench } from './bench';

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
