import assert from 'node:assert/strict';
import {
  chooseWifi,
  interfacesJoinedTo,
  makeDriver,
  wifiInterfaces,
  type Surroundings,
  type WifiChoice,
} from '../../../lib/net/wifi/choose';
import { assertCode } from '../../flash/refusals';
import { FakeNetworkManager } from './fake-networkmanager';
import { FakeSupervisor } from './fake-supervisor';
import { usePrivateBus } from './private-bus';

const never = new AbortController().signal;
const AUTO = { driver: 'auto', interfaceName: '', allowUplink: '' } as const;

describe('net/wifi/choose', () => {
  let nm: FakeNetworkManager | undefined;
  let supervisor: FakeSupervisor;
  let around: Surroundings;

  usePrivateBus();
  beforeEach(async () => {
    supervisor = await FakeSupervisor.start();
    around = { supervisorToken: supervisor.token, supervisorUrl: supervisor.url, sees: () => true };
  });
  afterEach(async () => {
    await nm?.vanish();
    nm = undefined;
    await supervisor.stop();
  });

  async function withNetworkManager(...names: string[]): Promise<void> {
    nm = await FakeNetworkManager.start();
    for (const name of names) nm.addWifi(name);
  }

  const usedIn = ({ driver, interfaceName }: WifiChoice): [string, string] => [driver, interfaceName];

  it('lists the interfaces of every service that knows any, each once', async () => {
    assert.deepEqual(await wifiInterfaces(never, { supervisorToken: undefined }), []);
    assert.deepEqual(await wifiInterfaces(never, around), ['wlan0'], 'the cable of the Supervisor is none');
    await withNetworkManager('wlp3s0', 'wlan0', 'wlan1');
    assert.deepEqual(await wifiInterfaces(never, around), ['wlan0', 'wlan1', 'wlp3s0']);
    supervisor.status = 500;
    assert.deepEqual(await wifiInterfaces(never, around), ['wlan0', 'wlan1', 'wlp3s0']);
  });

  it('names those that have joined a Wi-Fi, whichever service reports it', async () => {
    const wifi = { mode: 'infrastructure', auth: 'wpa-psk', ssid: 'home', signal: 50 };
    Object.assign(supervisor.wlan, { enabled: true, connected: true, wifi });
    assert.deepEqual(await interfacesJoinedTo('home', never, around), ['wlan0']);
    assert.deepEqual(await interfacesJoinedTo('other', never, around), []);
    supervisor.wlan.connected = false;
    assert.deepEqual(await interfacesJoinedTo('home', never, around), []);
    assert.deepEqual(await interfacesJoinedTo('home', never, { supervisorToken: undefined }), []);
    supervisor.wlan.connected = true;
    await withNetworkManager('wlan0', 'wlan1');
    const home = { ssid: 'home', bssid: '00:11:22:33:44:55' };
    nm!.accessPoints = [home];
    for (const device of nm!.devices) device.joined = home;
    assert.deepEqual((await interfacesJoinedTo('home', never, around)).sort(), ['wlan0', 'wlan1']);
  });

  it('takes the Supervisor first where there is one, then NetworkManager, else a person', async () => {
    await withNetworkManager('wlan5');
    assert.deepEqual(usedIn(await chooseWifi(AUTO, never, around)), ['supervisor', 'wlan0']);
    const alone = { ...around, supervisorToken: undefined };
    assert.deepEqual(usedIn(await chooseWifi({ ...AUTO, allowUplink: 'wlan5' }, never, alone)), [
      'networkmanager',
      'wlan5',
    ]);
    await nm?.vanish();
    const byHand = await chooseWifi(AUTO, never, alone);
    assert.deepEqual(usedIn(byHand), ['manual', '']);
    assert.deepEqual(
      byHand.refusals.map(({ driver, error }) => [driver, error.code, error.values.reason?.text]),
      [['networkmanager', 'wifi-service-away', 'NetworkManager does not run']],
    );
  });

  it('asks no service where a person is to join, and takes no other than what is asked for by name', async () => {
    supervisor.status = 500;
    assert.deepEqual(await chooseWifi({ ...AUTO, driver: 'manual' }, never, around), {
      ...{ driver: 'manual', interfaceName: '', refusals: [] },
    });
    const noSupervisor = chooseWifi({ ...AUTO, driver: 'supervisor' }, never, { supervisorToken: undefined });
    const error = await assertCode(noSupervisor, 'wifi-unavailable');
    assert.equal(error.values.reason?.text, 'there is no Supervisor here');
  });

  it('says that there is no interface, or not the one that is asked for', async () => {
    supervisor.interfaces.pop();
    const settings = { ...AUTO, driver: 'supervisor' } as const;
    const error = await assertCode(chooseWifi(settings, never, around), 'wifi-unavailable');
    assert.equal(error.values.reason?.text, 'the Supervisor knows no Wi-Fi interface');
    await withNetworkManager();
    const none = chooseWifi({ ...AUTO, driver: 'networkmanager' }, never, around);
    assert.equal(
      (await assertCode(none, 'wifi-unavailable')).values.reason?.text,
      'NetworkManager knows no Wi-Fi interface',
    );
    const missing = chooseWifi({ ...settings, interfaceName: 'wlan7' }, never, around);
    assert.equal((await assertCode(missing, 'wifi-interface-missing')).values['name'], 'wlan7');
  });

  it('is cancelled, and does not take that for a refusal', async () => {
    await assertCode(chooseWifi(AUTO, AbortSignal.abort(), around), 'cancelled');
  });

  it('makes the driver that was chosen, for its interface', () => {
    const make = (driver: WifiChoice['driver']): [string, string] => {
      const made = makeDriver({ driver, interfaceName: 'wlan0', refusals: [] }, { around });
      made.close();
      return [made.name, made.interfaceName];
    };
    assert.deepEqual(make('networkmanager'), ['networkmanager', 'wlan0']);
    assert.deepEqual(make('supervisor'), ['supervisor', 'wlan0']);
    assert.deepEqual(make('manual'), ['manual', '']);
  });
});
