import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chooseWifi } from '../../../lib/net/wifi/choose';
import type { FormerNetwork } from '../../../lib/net/wifi/former';
import { SupervisorClient } from '../../../lib/net/wifi/supervisor/client';
import { SupervisorDriver } from '../../../lib/net/wifi/supervisor/driver';
import type { WifiNetwork } from '../../../lib/net/wifi/wifi';
import { assertCode } from '../../flash/refusals';
import { freePort } from '../../shared/ports';
import { FakeSupervisor } from './fake-supervisor';

const ITEAD: WifiNetwork = {
  ssid: 'ITEAD-1000a1b2c3',
  psk: '12345678',
  address: { cidr: '10.10.7.2/24', fixed: false },
};
const FINALSTAGE: WifiNetwork = { ssid: 'FinalStage', address: { cidr: '192.168.4.2/24', fixed: true } };
const HOME = { ssid: 'home', psk: 'secret word' };
const never = new AbortController().signal;
const limits = { signal: never };

describe('net/wifi/supervisor', () => {
  let supervisor: FakeSupervisor;
  let driver: SupervisorDriver;
  let kept: FormerNetwork | undefined;
  const memory = {
    read: async () => kept,
    write: async (_: string, former: FormerNetwork | undefined) => void (kept = former),
  };

  beforeEach(async () => {
    supervisor = await FakeSupervisor.start();
    kept = undefined;
    driver = newDriver();
  });

  afterEach(async () => {
    driver.close();
    await supervisor.stop();
  });

  function newDriver(): SupervisorDriver {
    const client = new SupervisorClient(supervisor.url, supervisor.token);
    return new SupervisorDriver('wlan0', client, { memory, home: () => HOME, watchMs: 20 });
  }

  const choose = (settings: object = {}) =>
    chooseWifi({ driver: 'supervisor', interfaceName: '', allowUplink: '', ...settings }, never, {
      supervisorToken: supervisor.token,
      supervisorUrl: supervisor.url,
    });

  function assertNothingLeft(): void {
    assert.equal(supervisor.wlan.enabled, false);
    assert.equal(kept, undefined);
  }

  it('names what is in reach', async () => {
    const [first] = await driver.scan(limits);
    assert.equal(first?.ssid, ITEAD.ssid);
    assert.equal(first?.bssid, '5E:CF:7F:A1:B2:C3');
  });

  it('joins with an address of its own and no gateway, and takes its profile away', async () => {
    const joined = await driver.join(ITEAD, limits);
    assert.equal(joined.address, '10.10.7.2');
    assert.deepEqual(supervisor.updates.at(-1), {
      enabled: true,
      wifi: { mode: 'infrastructure', ssid: ITEAD.ssid, auth: 'wpa-psk' },
      ipv4: { method: 'static', address: ['10.10.7.2/24'] },
      ipv6: { method: 'disabled' },
    });
    await driver.leave(limits);
    assertNothingLeft();
  });

  it('takes one profile away before it makes the next', async () => {
    await driver.join(ITEAD, limits);
    await driver.join(FINALSTAGE, limits);
    assert.deepEqual(
      supervisor.updates.map(({ enabled, wifi }) => wifi?.ssid ?? enabled),
      [ITEAD.ssid, false, 'FinalStage'],
    );
    await driver.leave(limits);
    assertNothingLeft();
  });

  it('brings the home Wi-Fi back, whose password the host knows', async () => {
    const address = ['192.168.1.7/24'];
    Object.assign(supervisor.wlan, {
      enabled: true,
      connected: true,
      wifi: { mode: 'infrastructure', auth: 'wpa-psk', ssid: 'home', signal: 50 },
      ipv4: { method: 'static', address, gateway: '192.168.1.1', nameservers: ['192.168.1.1'] },
    });
    assert.equal((await choose({ home: HOME })).interfaceName, 'wlan0');
    await driver.join(FINALSTAGE, limits);
    assert.doesNotMatch(JSON.stringify(kept), /secret word/);
    await driver.leave(limits);
    assert.equal(supervisor.wlan.wifi?.ssid, 'home');
    assert.deepEqual(supervisor.wlan.ipv4?.address, address);
    assert.equal(supervisor.wlan.ipv4?.gateway, '192.168.1.1');
  });

  it('says wifi-supervisor-failed with what the Supervisor says, and leaves nothing', async () => {
    const wrong = { ...ITEAD, psk: 'wrong secret' };
    const error = await assertCode(driver.join(wrong, limits), 'wifi-supervisor-failed');
    assert.match(error.message, /check connection settings/);
    assert.doesNotMatch(error.message, /wrong secret/);
    assertNothingLeft();
  });

  it('says wifi-supervisor-timeout at its limit, and leaves nothing', async () => {
    supervisor.hanging.add(ITEAD.ssid);
    await assertCode(driver.join(ITEAD, { ...limits, limitMs: 200 }), 'wifi-supervisor-timeout');
    assertNothingLeft();
  });

  it('is cancelled in the middle of an update, and leaves nothing', async () => {
    supervisor.hanging.add(ITEAD.ssid);
    const cancel = new AbortController();
    const joining = driver.join(ITEAD, { signal: cancel.signal });
    while (!supervisor.wlan.enabled) await new Promise((resolve) => setImmediate(resolve));
    cancel.abort();
    await assertCode(joining, 'cancelled');
    assertNothingLeft();
  });

  it('says wifi-not-found, wifi-interface-missing, wifi-not-permitted and wifi-address-needed', async () => {
    await assertCode(driver.join({ ...ITEAD, ssid: 'ITEAD-1000000000' }, limits), 'wifi-not-found');
    await assertCode(driver.join({ ssid: 'FinalStage' }, limits), 'wifi-address-needed');
    supervisor.status = 403;
    await assertCode(driver.scan(limits), 'wifi-not-permitted');
    supervisor.status = undefined;
    supervisor.interfaces.pop();
    await assertCode(driver.join(ITEAD, limits), 'wifi-interface-missing');
  });

  it('does not guess where two access points have one name', async () => {
    supervisor.accessPoints.push({ ...supervisor.accessPoints[1]!, mac: '5E:CF:7F:00:00:01' });
    const meant = { ...FINALSTAGE, bssid: '5E:CF:7F:A1:B2:C3' };
    await assertCode(driver.join(meant, limits), 'wifi-join-failed');
    assertNothingLeft();
  });

  it('reports that the joined network is lost', async () => {
    await driver.join(FINALSTAGE, limits);
    const lost = once(driver, 'lost');
    supervisor.wlan.connected = false;
    assert.equal((await lost)[0].code, 'wifi-lost');
    await driver.leave(limits);
    assertNothingLeft();
  });

  it('removes what an earlier process left behind', async () => {
    await driver.join(ITEAD, limits);
    driver.close();
    const next = newDriver();
    assert.deepEqual(await next.clean(limits), [ITEAD.ssid]);
    next.close();
    assertNothingLeft();
  });

  it('joins what it has just seen without another scan', async () => {
    const scans = (): number => supervisor.asked.filter((path) => path.endsWith('/accesspoints')).length;
    await driver.scan(limits);
    await driver.join(ITEAD, limits);
    assert.equal(scans(), 1);
    const other = newDriver();
    await other.join(ITEAD, limits);
    assert.equal(scans(), 2, 'it has seen nothing yet');
    await other.leave(limits);
    other.close();
  });

  it('tries again to take its profile away while the Supervisor is busy, and reports that where it stays busy', async () => {
    await driver.join(ITEAD, limits);
    supervisor.busy = 1;
    await driver.leave(limits);
    assertNothingLeft();
    await driver.join(ITEAD, limits);
    supervisor.busy = 100;
    const error = await assertCode(driver.leave({ ...limits, limitMs: 30_000 }), 'wifi-supervisor-failed');
    assert.match(error.message, /Another update is under way/);
    supervisor.busy = 0;
    await driver.leave(limits);
    assertNothingLeft();
  });

  it('asks for nothing where its interface was in no network', async () => {
    await driver.join(ITEAD, limits);
    assert.deepEqual(kept, {});
    await driver.leave(limits);
    assert.deepEqual(
      supervisor.updates.map(({ enabled }) => enabled),
      [true, false],
    );
  });

  it('keeps of a home Wi-Fi with addresses of its router its name alone, and asks for addresses again', async () => {
    const ipv4 = { method: 'auto', address: ['192.168.1.7/24'], gateway: '192.168.1.1', nameservers: [] };
    const wifi = { mode: 'infrastructure', auth: 'wpa-psk', ssid: 'home', signal: 50 };
    Object.assign(supervisor.wlan, { enabled: true, connected: true, wifi, ipv4 });
    await driver.join(FINALSTAGE, limits);
    assert.deepEqual(kept, { ssid: 'home' });
    await driver.leave(limits);
    assert.equal(supervisor.updates.at(-1)?.ipv4?.method, 'auto');
    assert.equal(supervisor.wlan.wifi?.ssid, 'home');
    // It is back: another start has nothing to do.
    const { length } = supervisor.updates;
    kept = { ssid: 'home' };
    await newDriver().clean(limits);
    assert.deepEqual([supervisor.updates.length, kept], [length, undefined]);
  });

  it('removes after the end of its process what is not the network from before', async () => {
    kept = { ssid: 'home' };
    Object.assign(supervisor.wlan, { enabled: true, wifi: { ssid: 'tasmota-A1B2C3' } });
    assert.deepEqual(await driver.clean(limits), ['tasmota-A1B2C3']);
    assert.equal(supervisor.wlan.wifi?.ssid, 'home');
    assert.equal(kept, undefined);
  });

  it('says wifi-no-address where it is joined without one', async () => {
    supervisor.givesNoAddress = true;
    await assertCode(driver.join(ITEAD, limits), 'wifi-no-address');
    assertNothingLeft();
  });

  it('takes a Supervisor that is busy, or gone for a moment, for no loss; an interface that is gone for one', async () => {
    await driver.join(ITEAD, limits);
    const lost = once(driver, 'lost');
    let losses = 0;
    driver.on('lost', () => (losses += 1));
    supervisor.status = 500;
    const before = supervisor.asked.length;
    while (supervisor.asked.length < before + 4) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(losses, 0);
    supervisor.status = undefined;
    const gone = supervisor.interfaces.pop()!;
    assert.equal((await lost)[0].code, 'wifi-interface-missing');
    assert.equal(driver.joined, undefined);
    supervisor.interfaces.push(gone);
    await driver.leave(limits);
    assert.equal(losses, 1, 'once');
  });

  it('says what answers in its place, or that nothing does', async () => {
    supervisor.nonsense = '<html>';
    const strange = await assertCode(driver.scan(limits), 'wifi-supervisor-failed');
    assert.equal(strange.values.reason?.text, 'it answered with something that is not its protocol');
    supervisor.nonsense = '{"result":"error"}';
    const empty = await assertCode(driver.scan(limits), 'wifi-supervisor-failed');
    assert.equal(empty.values.reason?.text, 'status 200');
    supervisor.nonsense = '{"result":"ok"}';
    assert.deepEqual(await driver.scan(limits), []);
    const nobody = new SupervisorDriver('wlan0', new SupervisorClient(`http://127.0.0.1:${await freePort()}`, 'x'));
    const silent = await assertCode(nobody.scan(limits), 'wifi-supervisor-failed');
    assert.equal(silent.values.reason?.text, 'ECONNREFUSED');
    nobody.close();
  });

  it('leaves a Wi-Fi alone that is no device', async () => {
    Object.assign(supervisor.wlan, { enabled: true, wifi: { ssid: 'home' } });
    assert.deepEqual(await driver.clean(limits), []);
    assert.equal(supervisor.wlan.enabled, true);
  });

  it('is refused where the interface is the uplink, or could not be given back', async () => {
    assert.deepEqual((await choose()).driver, 'supervisor');
    Object.assign(supervisor.wlan, { enabled: true, wifi: { ssid: 'another' } });
    await assertCode(choose({ home: HOME }), 'wifi-uplink');
    Object.assign(supervisor.wlan, { enabled: false, wifi: null });
    supervisor.interfaces[0]!.primary = false;
    await assertCode(choose(), 'wifi-uplink');
    supervisor.wlan.primary = true;
    await assertCode(choose(), 'wifi-uplink');
    assert.equal((await choose({ allowUplink: 'wlan0' })).interfaceName, 'wlan0');
  });

  it('gives way to by hand where it may choose, and says why', async () => {
    supervisor.wlan.primary = true;
    process.env['DBUS_SYSTEM_BUS_ADDRESS'] = 'unix:path=/nowhere';
    try {
      const { driver: chosen, refusals } = await choose({ driver: 'auto' });
      assert.equal(chosen, 'manual');
      const codes = refusals.map(({ driver: tried, error }) => `${tried} ${error.code}`);
      assert.deepEqual(codes, ['supervisor wifi-uplink', 'networkmanager wifi-service-away']);
    } finally {
      delete process.env['DBUS_SYSTEM_BUS_ADDRESS'];
    }
  });
});
