import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { chooseWifi, interfacesJoinedTo, joinedWifiNames } from '../../../lib/net/wifi/choose';
import type { FormerNetwork } from '../../../lib/net/wifi/former';
import { NetworkManagerDriver } from '../../../lib/net/wifi/networkmanager/driver';
import type { WifiNetwork } from '../../../lib/net/wifi/wifi';
import { assertCode } from '../../flash/refusals';
import { FakeNetworkManager } from './fake-networkmanager';
import { usePrivateBus } from './private-bus';

const ITEAD: WifiNetwork = { ssid: 'ITEAD-1000a1b2c3', psk: '12345678', peer: '10.10.7.1' };
const FINALSTAGE: WifiNetwork = { ssid: 'FinalStage', address: { cidr: '192.168.4.2/24', fixed: true } };
const never = new AbortController().signal;

describe('net/wifi/networkmanager', () => {
  let nm: FakeNetworkManager;
  let driver: NetworkManagerDriver;

  usePrivateBus();

  beforeEach(async () => {
    nm = await FakeNetworkManager.start();
    nm.accessPoints = [
      { ssid: ITEAD.ssid, bssid: '5e:cf:7f:a1:b2:c3', psk: '12345678', signal: 80 },
      { ssid: 'FinalStage', bssid: '5E:CF:7F:A1:B2:C3', network: '192.168.4' },
      { ssid: 'home', bssid: '00:11:22:33:44:55', psk: 'secret word', network: '192.168.1' },
    ];
    driver = new NetworkManagerDriver('wlan0', { findLimitMs: 300 });
  });

  afterEach(async () => {
    await driver.leave({ signal: never }).catch(() => undefined);
    driver.close();
    await nm.vanish();
  });

  /** A user's network on the interface, which must be back afterwards. */
  function atHome(autoconnect = true) {
    const device = nm.addWifi('wlan0');
    nm.connect(device, nm.addProfile('home', 'home', { autoconnect }));
    return device;
  }

  function assertAsBefore(): void {
    assert.deepEqual(nm.names(), { profiles: ['home'], active: ['home'] });
  }

  it('names the interfaces that have joined a Wi-Fi', async () => {
    atHome().joined = nm.accessPoints[2];
    nm.addWifi('wlan1');
    assert.deepEqual(await interfacesJoinedTo('home', never, {}), ['wlan0']);
    assert.deepEqual(await interfacesJoinedTo('FinalStage', never, {}), []);
  });

  it('names the Wi-Fi networks that this machine is in, but none of a device', async () => {
    assert.deepEqual(await joinedWifiNames(never, {}), []);
    atHome().joined = nm.accessPoints[2];
    assert.deepEqual(await joinedWifiNames(never, {}), ['home']);
    const [device] = nm.accessPoints.filter(({ ssid }) => /^(ITEAD-|FinalStage)/.test(ssid));
    assert.ok(device);
    nm.addWifi('wlan1').joined = device;
    assert.deepEqual(await joinedWifiNames(never, {}), ['home']);
  });

  it('names what is in reach', async () => {
    nm.addWifi('wlan0');
    const found = await driver.scan({ signal: never });
    assert.deepEqual(found[0], {
      ssid: ITEAD.ssid,
      bssid: '5E:CF:7F:A1:B2:C3',
      signal: 80,
      frequency: 2412,
      security: 'psk',
    });
    assert.equal(found[1]?.security, 'open');
    assert.equal(found.length, 3);
  });

  it('joins and leaves, and the former network is back, also one that does not connect automatically', async () => {
    atHome(false);
    const joined = await driver.join(ITEAD, { signal: never });
    assert.deepEqual(joined, {
      ssid: ITEAD.ssid,
      bssid: '5E:CF:7F:A1:B2:C3',
      address: '10.10.7.2',
      interfaceName: 'wlan0',
    });
    assert.equal(nm.profiles.length, 2);
    await driver.leave({ signal: never });
    assertAsBefore();
  });

  it('does not call a network lost that it leaves for another one', async () => {
    atHome();
    const lost: unknown[] = [];
    driver.on('lost', (error) => lost.push(error));
    await driver.join(ITEAD, { signal: never });
    assert.equal((await driver.join(FINALSTAGE, { signal: never })).ssid, FINALSTAGE.ssid);
    await driver.leave({ signal: never });
    assert.deepEqual(lost, []);
    assertAsBefore();
  });

  it('brings back the network from before the first of two joins, not its own profile of the first', async () => {
    atHome(false);
    nm.downMs = 500;
    await driver.join(ITEAD, { signal: never });
    await driver.join(FINALSTAGE, { signal: never });
    await driver.leave({ signal: never });
    assertAsBefore();
  });

  it('joins where the former network goes while it is asked for', async () => {
    const device = atHome();
    const former = device.active;
    nm.on('call', (call) => {
      const isAsked = call === 'GetAll org.freedesktop.NetworkManager.Connection.Active';
      if (isAsked && device.active === former) device.active = undefined;
    });
    await driver.join(ITEAD, { signal: never });
    assert.equal(driver.joined?.ssid, ITEAD.ssid);
  });

  it('does not take the network from before for the new one where it comes up just then', async () => {
    const device = nm.addWifi('wlan0');
    const home = nm.addProfile('home', 'home');
    nm.on('call', (name: string) => name === 'AddAndActivateConnection2' && nm.comeUp(device, home));
    const joined = await driver.join(FINALSTAGE, { signal: never });
    assert.equal(joined.address, '192.168.4.2');
    await driver.leave({ signal: never });
  });

  it('makes a profile that takes neither the default route nor DNS, and never connects automatically', async () => {
    nm.addWifi('wlan0');
    await driver.join(FINALSTAGE, { signal: never });
    const { settings, isVolatile, boundTo } = nm.profiles[0]!;
    const values = (group: string) =>
      Object.fromEntries(Object.entries(settings[group] ?? {}).map(([name, { value }]) => [name, value]));
    assert.equal(isVolatile, true);
    assert.match(boundTo ?? '', /^:1\./);
    assert.equal(values('connection')['autoconnect'], false);
    assert.equal(values('connection')['interface-name'], 'wlan0');
    const { 'never-default': route, 'ignore-auto-dns': dns, method } = values('ipv4');
    assert.deepEqual([route, dns, method], [true, true, 'manual']);
    assert.equal(values('ipv6')['method'], 'disabled');
    assert.equal(driver.joined?.address, '192.168.4.2');
  });

  it('takes the access point that is meant, of several with one name', async () => {
    nm.addWifi('wlan0');
    nm.accessPoints.unshift({ ssid: 'FinalStage', bssid: '5E:CF:7F:00:00:01', signal: 99, network: '192.168.4' });
    const joined = await driver.join({ ...FINALSTAGE, bssid: '5E:CF:7F:A1:B2:C3' }, { signal: never });
    assert.equal(joined.bssid, '5E:CF:7F:A1:B2:C3');
  });

  it('reports which access point it is in where NetworkManager has taken another one of that name', async () => {
    nm.addWifi('wlan0');
    const other = { ssid: 'FinalStage', bssid: '5E:CF:7F:FF:FF:FF', network: '192.168.4' };
    nm.accessPoints.push(other);
    nm.on('call', (name: string) => name === 'AddAndActivateConnection2' && (nm.accessPoints = [other]));
    assert.equal((await driver.join(FINALSTAGE, { signal: never })).bssid, other.bssid);
  });

  it('does not take a profile for gone which could not be taken away', async () => {
    atHome();
    await driver.join(ITEAD, { signal: never });
    nm.refusals['Delete'] = 'org.freedesktop.DBus.Error.Failed';
    await assertCode(driver.leave({ signal: never }), 'wifi-failed');
    delete nm.refusals['Delete'];
    await driver.leave({ signal: never });
    assertAsBefore();
  });

  it('says wifi-password-wrong, and does not wait for a person to type a better one', async () => {
    atHome();
    const error = await assertCode(
      driver.join({ ...ITEAD, psk: 'wrong secret' }, { signal: never }),
      'wifi-password-wrong',
    );
    assert.doesNotMatch(error.message, /wrong secret/);
    assertAsBefore();
  });

  it('says wifi-not-found for a network that no scan shows', async () => {
    atHome();
    await assertCode(driver.join({ ssid: 'ITEAD-1000000000', psk: '12345678' }, { signal: never }), 'wifi-not-found');
    assertAsBefore();
  });

  it('says wifi-not-found where the network goes while it is joined', async () => {
    atHome();
    nm.on('state', (state) => {
      if (state === 50) nm.accessPoints = nm.accessPoints.filter(({ ssid }) => ssid !== ITEAD.ssid);
    });
    await assertCode(driver.join(ITEAD, { signal: never }), 'wifi-not-found');
    assertAsBefore();
  });

  it('says wifi-no-address where no server gives one', async () => {
    atHome();
    nm.accessPoints[0]!.dhcp = false;
    await assertCode(driver.join(ITEAD, { signal: never }), 'wifi-no-address');
    assertAsBefore();
  });

  it('ends at its limit where nothing happens, with the former network back', async () => {
    atHome();
    nm.accessPoints[0]!.hangs = true;
    await assertCode(driver.join(ITEAD, { signal: never, limitMs: 300 }), 'wifi-timeout');
    assertAsBefore();
  });

  it('is cancelled in the middle, with the former network back', async () => {
    atHome();
    nm.accessPoints[0]!.hangs = true;
    const cancel = new AbortController();
    nm.on('state', (state) => {
      if (state === 50) cancel.abort();
    });
    await assertCode(driver.join(ITEAD, { signal: cancel.signal }), 'cancelled');
    assertAsBefore();
  });

  it('says wifi-interface-missing where there is none, and where it is pulled out in the middle', async () => {
    await assertCode(driver.join(ITEAD, { signal: never }), 'wifi-interface-missing');
    const device = nm.addWifi('wlan0');
    nm.on('state', (state) => {
      if (state === 70) nm.unplug(device);
    });
    await assertCode(driver.join(ITEAD, { signal: never }), 'wifi-interface-missing');
    assert.deepEqual(nm.names().profiles, []);
  });

  it('says wifi-interface-unusable where the Wi-Fi is switched off', async () => {
    nm.addWifi('wlan0', 20);
    await assertCode(driver.join(ITEAD, { signal: never }), 'wifi-interface-unusable');
  });

  for (const type of ['org.freedesktop.NetworkManager.PermissionDenied', 'org.freedesktop.DBus.Error.AccessDenied']) {
    it(`says wifi-not-permitted at ${type}`, async () => {
      atHome();
      nm.refusals['AddAndActivateConnection2'] = type;
      await assertCode(driver.join(ITEAD, { signal: never }), 'wifi-not-permitted');
      assertAsBefore();
    });
  }

  it('makes a profile of its user alone where it may not make one of the machine', async () => {
    atHome();
    nm.permissions['org.freedesktop.NetworkManager.settings.modify.system'] = 'auth';
    await driver.join(ITEAD, { signal: never });
    const own = nm.profiles.at(-1)!.settings['connection']?.['permissions']?.value;
    assert.deepEqual(own, [`user:${userInfo().username}:`]);
    await driver.leave({ signal: never });
    nm.permissions['org.freedesktop.NetworkManager.settings.modify.own'] = 'no';
    await assertCode(driver.join(ITEAD, { signal: never }), 'wifi-not-permitted');
    assertAsBefore();
    const settings = { driver: 'networkmanager', interfaceName: 'wlan0', allowUplink: 'wlan0' } as const;
    await assertCode(chooseWifi(settings, never, { sees: () => true }), 'wifi-not-permitted');
  });

  it('is for an interface that this process sees, not one outside of its container', async () => {
    nm.addWifi('wlan0');
    const settings = { driver: 'networkmanager', interfaceName: '', allowUplink: '' } as const;
    const error = await assertCode(chooseWifi(settings, never, { sees: () => false }), 'wifi-unavailable');
    assert.match(error.message, /container/);
  });

  it('is for the one uplink that may be taken, and for no other', async function () {
    if (process.platform !== 'linux') return this.skip();
    // The loopback is under the editor's session.
    const editor = createServer().listen(0, '127.0.0.1');
    await once(editor, 'listening');
    const { port: editorPort } = editor.address() as AddressInfo;
    const session = connect(editorPort, '127.0.0.1');
    await Promise.all([once(session, 'connect'), once(editor, 'connection')]);
    try {
      nm.addWifi('lo');
      nm.addWifi('wlan0');
      const choose = async (allowUplink: string, interfaceName = ''): Promise<string> => {
        const settings = { driver: 'networkmanager', interfaceName, allowUplink, editorPort } as const;
        return (await chooseWifi(settings, never, { sees: () => true })).interfaceName;
      };
      assert.equal(await choose('wlan0'), 'wlan0');
      assert.equal(await choose('lo'), 'lo');
      const refused = await assertCode(choose('wlan0', 'lo'), 'wifi-uplink');
      assert.equal(refused.values['name'], 'lo');
      await assertCode(choose('wlan0', 'wlan7'), 'wifi-interface-missing');
    } finally {
      session.destroy();
      editor.close();
    }
  });

  it('says wifi-service-away where NetworkManager is not there, and where it goes in the middle', async () => {
    atHome();
    await nm.vanish();
    await assertCode(driver.scan({ signal: never }), 'wifi-service-away');
    await nm.appear();
    nm.accessPoints[0]!.hangs = true;
    nm.once('state', () => void nm.vanish().then(() => nm.appear()));
    await assertCode(driver.join(ITEAD, { signal: never }), 'wifi-service-away');
    assertAsBefore();
  });

  it('reports that the joined network is lost, and cleans up at the leave', async () => {
    const device = atHome();
    await driver.join(ITEAD, { signal: never });
    const lost = once(driver, 'lost');
    nm.accessPoints.shift();
    nm.loseNetwork(device);
    const [error] = await lost;
    assert.equal(error.code, 'wifi-lost');
    assert.match(error.message, /ITEAD-1000a1b2c3/);
    assert.equal(driver.joined, undefined);
    await driver.leave({ signal: never });
    assertAsBefore();
  });

  it('finds its profile again where NetworkManager was restarted while it was joined', async () => {
    atHome();
    await driver.join(ITEAD, { signal: never });
    const lost = once(driver, 'lost');
    await nm.vanish();
    const [error] = await lost;
    assert.equal(error.code, 'wifi-service-away');
    const left = driver.leave({ signal: never });
    await nm.appear();
    await left;
    assertAsBefore();
  });

  it('leaves nothing behind when its process ends without a leave', async () => {
    atHome();
    await driver.join(ITEAD, { signal: never });
    const back = new Promise<void>((resolve) => {
      nm.on('state', (state) => {
        if (state === 100) resolve();
      });
    });
    // All that NetworkManager sees of a SIGKILL.
    driver.close();
    await back;
    assertAsBefore();
  });

  it('removes what an ended process left behind, and not what a living one has joined', async () => {
    atHome();
    nm.addWifi('wlan1');
    const other = new NetworkManagerDriver('wlan1');
    await other.join(FINALSTAGE, { signal: never });
    nm.addProfile('sonota-wifi :1.4711', 'FinalStage', { autoconnect: false });
    assert.deepEqual(await driver.clean({ signal: never }), ['sonota-wifi :1.4711']);
    assert.equal(nm.profiles.length, 2);
    await other.leave({ signal: never });
    other.close();
  });

  it('leaves the profile of another Node-RED alone when it takes its own away', async () => {
    atHome();
    nm.addWifi('wlan1');
    const other = new NetworkManagerDriver('wlan1');
    try {
      const joined = await other.join(FINALSTAGE, { signal: never });
      await driver.join(ITEAD, { signal: never });
      await driver.leave({ signal: never });
      assert.equal(nm.profiles.length, 2);
      assert.deepEqual(other.joined, joined);
    } finally {
      await other.leave({ signal: never });
      other.close();
    }
    // NetworkManager takes the user's profile for wlan1 as soon as that is free.
    const { profiles, active } = nm.names();
    assert.deepEqual([profiles, active[0]], [['home'], 'home']);
  });

  it('brings back a former network that an ended process has taken away', async () => {
    const device = nm.addWifi('wlan0');
    nm.addProfile('home', 'home', { autoconnect: false });
    const uuid = String(nm.profiles[0]!.settings['connection']?.['uuid']?.value);
    let kept: FormerNetwork | undefined = { uuid };
    const memory = {
      read: async () => kept,
      write: async (_: string, former: FormerNetwork | undefined) => void (kept = former),
    };
    const next = new NetworkManagerDriver('wlan0', { memory });
    await next.clean({ signal: never });
    next.close();
    assert.equal(device.state, 100);
    assert.equal(kept, undefined);
    assertAsBefore();
  });

  it('joins the next network even where the former one did not come back, and brings that back in the end', async () => {
    const device = atHome(false);
    await driver.join(ITEAD, { signal: never });
    const home = nm.accessPoints.pop()!;
    await assertCode(driver.leave({ signal: never, limitMs: 300 }), 'wifi-not-restored');
    assert.deepEqual(nm.names().profiles, ['home']);
    await driver.join(FINALSTAGE, { signal: never });
    nm.accessPoints.push(home);
    await driver.leave({ signal: never });
    assert.equal(device.state, 100);
    assertAsBefore();
  });

  it('does without a scan that is refused because one has just been, and not without the right to scan', async () => {
    const device = nm.addWifi('wlan0');
    nm.refusals['RequestScan'] = 'org.freedesktop.NetworkManager.Device.NotAllowed';
    nm.on('call', (call) => {
      if (call === 'RequestScan') device.lastScan += 1;
    });
    assert.equal((await driver.scan({ signal: never })).length, 3);
    nm.refusals['RequestScan'] = 'org.freedesktop.NetworkManager.PermissionDenied';
    await assertCode(driver.scan({ signal: never }), 'wifi-not-permitted');
  });

  it('says why an interface is of no use', async () => {
    nm.addWifi('wlan0', 10);
    const left = await assertCode(driver.join(ITEAD, { signal: never }), 'wifi-interface-unusable');
    assert.match(left.message, /told to leave it alone/);
    nm.devices[0]!.state = 20;
    const off = await assertCode(driver.scan({ signal: never }), 'wifi-interface-unusable');
    assert.match(off.message, /switched off/);
  });

  it('joins on its own interface, whatever happens to another one', async () => {
    const other = nm.addWifi('wlan1');
    atHome();
    nm.on('state', (state, name) => {
      if (name === 'wlan0' && state === 50) nm.loseNetwork(other);
    });
    assert.equal((await driver.join(ITEAD, { signal: never })).interfaceName, 'wlan0');
    const losses: unknown[] = [];
    driver.on('lost', (error) => losses.push(error));
    nm.unplug(other);
    await driver.scan({ signal: never });
    assert.deepEqual(losses, []);
    await driver.leave({ signal: never });
    assertAsBefore();
  });

  it('does not activate a former network again that is back already', async () => {
    atHome();
    const uuid = String(nm.profiles[0]!.settings['connection']?.['uuid']?.value);
    const memory = { read: async () => ({ uuid }), write: async () => undefined };
    const next = new NetworkManagerDriver('wlan0', { memory });
    await next.clean({ signal: never });
    next.close();
    assert.ok(!nm.calls.includes('ActivateConnection'));
  });

  it('connects to the bus again after it was closed', async () => {
    atHome();
    await driver.scan({ signal: never });
    driver.close();
    assert.equal((await driver.scan({ signal: never })).length, 3);
  });

  it('gives up on a service that hangs', async () => {
    nm.addWifi('wlan0');
    nm.hanging.add('GetDevices');
    await assertCode(driver.scan({ signal: never, limitMs: 200 }), 'wifi-timeout');
  });
});
