import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FlashError } from '../../../lib/errors';
import { NetworkManagerDriver } from '../../../lib/net/wifi/networkmanager/driver';
import type { WifiNetwork } from '../../../lib/net/wifi/wifi';
import { AccessPoint, type AirNetwork } from '../air/access-point';
import { HOME } from '../air/home';
import { ITEAD, JOIN_ITEAD } from '../air/itead';
import { run } from '../air/program';
import { RouteWatch } from '../machine/default-route';
import { eventually } from '../machine/eventually';
import { connections, nmcli, restartNetworkManager } from '../machine/network-manager';

const FINALSTAGE: AirNetwork = { ssid: 'FinalStage', channel: 6, bssid: '5E:CF:7F:0A:1B:2C', address: '192.168.4.1' };
const JOIN_FINALSTAGE: WifiNetwork = { ssid: FINALSTAGE.ssid, address: { cidr: '192.168.4.2/24', fixed: true } };
const NOBODY = 65_534;
/** Longer than the driver's own: a flash looks again and again. */
const FIND_LIMIT_MS = 25_000;

describe("NetworkManager's driver, real 802.11, real NetworkManager", function () {
  // NetworkManager puts a scan off as it likes, and a network that has just come may be missed by one.
  this.retries(1);
  const open = new Set<AccessPoint>();
  let driver: NetworkManagerDriver;
  let routes: RouteWatch;
  let before: string;

  const limits = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(120_000) });
  const opens = async (network: AirNetwork, place: 'sonoff' | 'other' = 'sonoff'): Promise<AccessPoint> => {
    const ap = await AccessPoint.open(place, place === 'sonoff' ? 'wlan2' : 'wlan4', network);
    open.add(ap);
    return ap;
  };
  const vanishes = async (ap: AccessPoint): Promise<void> => {
    open.delete(ap);
    await ap.vanish();
  };
  /** Fails with this code, and has undone by then whatever it did. */
  const refuses = async (network: WifiNetwork, code: string): Promise<void> => {
    await assert.rejects(driver.join(network, limits()), (error) => hasCode(error, code));
    assert.equal(driver.joined, undefined);
    assert.equal(connections(), before);
  };

  beforeEach(() => {
    before = connections();
    routes = new RouteWatch();
    driver = new NetworkManagerDriver('wlan0', { findLimitMs: FIND_LIMIT_MS });
  });

  afterEach('nothing is left, and the way to the internet never moved', async () => {
    await driver.leave(limits());
    driver.close();
    for (const ap of open) await vanishes(ap);
    routes.stop();
    assert.equal(connections(), before);
    assert.equal(routes.seen.size, 1, [...routes.seen].join(' | '));
  });

  it('scans: names, access points, passwords', async () => {
    await opens(ITEAD);
    await opens({ ...FINALSTAGE, bssid: '5E:CF:7F:99:99:99' }, 'other');
    // A scan that was under way before the networks opened counts as one, too.
    let facts: string[] = [];
    for (let scans = 0; scans < 3 && facts.length < 3; scans++) {
      const found = await driver.scan(limits());
      facts = found.map(({ ssid, bssid, security }) => `${ssid} ${bssid} ${security}`).sort();
    }
    assert.deepEqual(facts, [
      'FinalStage 5E:CF:7F:99:99:99 open',
      'ITEAD-10000a1b2c 5E:CF:7F:0A:1B:2C psk',
      `${HOME.ssid} 02:00:00:00:01:00 psk`,
    ]);
  });

  it('joins a network with a password and takes the address that it is given', async () => {
    await opens(ITEAD);
    const joined = await driver.join(JOIN_ITEAD, limits());
    assert.match(joined.address, /^10\.10\.7\.(?!1$)/);
    assert.match(connections(), /^sonota-wifi /m);
    await driver.leave(limits());
    assert.equal(connections(), before);
  });

  it('joins an open network with the address that it must have', async () => {
    await opens(FINALSTAGE);
    const joined = await driver.join(JOIN_FINALSTAGE, limits());
    assert.equal(joined.address, '192.168.4.2');
    assert.equal(joined.bssid, FINALSTAGE.bssid);
  });

  it('goes from one network to the next', async () => {
    const ap = await opens(ITEAD);
    await driver.join(JOIN_ITEAD, limits());
    await vanishes(ap);
    await opens(FINALSTAGE);
    assert.equal((await driver.join(JOIN_FINALSTAGE, limits())).address, '192.168.4.2');
  });

  it('wifi-password-wrong', async () => {
    await opens({ ...ITEAD, password: 'another one' });
    await refuses(JOIN_ITEAD, 'wifi-password-wrong');
  });

  it('wifi-no-address: nothing answers its DHCP', async () => {
    await opens({ ...ITEAD, leases: undefined });
    await refuses(JOIN_ITEAD, 'wifi-no-address');
  });

  it('wifi-not-found', async () => {
    await refuses(JOIN_ITEAD, 'wifi-not-found');
  });

  it('wifi-lost: the access point is gone in the middle', async () => {
    const ap = await opens(ITEAD);
    await driver.join(JOIN_ITEAD, limits());
    const lost = once(driver, 'lost', limits());
    await vanishes(ap);
    const [error] = (await lost) as [FlashError];
    assert.equal(error.code, 'wifi-lost');
  });

  it('wifi-interface-missing: the stick is pulled out, and put in again', async () => {
    await opens(ITEAD);
    await driver.join(JOIN_ITEAD, limits());
    const lost = once(driver, 'lost', limits());
    run(undefined, 'iw', 'phy', 'phy0', 'set', 'netns', 'name', 'home');
    const [error] = (await lost) as [FlashError];
    assert.equal(error.code, 'wifi-interface-missing');
    await assert.rejects(driver.join(JOIN_ITEAD, limits()), (thrown) => hasCode(thrown, 'wifi-interface-missing'));
    run('home', 'iw', 'phy', 'phy0', 'set', 'netns', '1');
    await comesBack('wlan0');
    await driver.join(JOIN_ITEAD, limits());
  });

  it('wifi-service-away: NetworkManager is killed and started again', async () => {
    await opens(ITEAD);
    await driver.join(JOIN_ITEAD, limits());
    const lost = once(driver, 'lost', limits());
    await restartNetworkManager();
    const [error] = (await lost) as [FlashError];
    assert.equal(error.code, 'wifi-service-away');
    await driver.leave(limits());
    await comesBack('wlan0');
    before = connections();
    assert.doesNotMatch(before, /sonota|ITEAD/);
    await driver.join(JOIN_ITEAD, limits());
  });

  it('wifi-not-permitted: polkit knows this user, and says no', async () => {
    await opens(ITEAD);
    const line = await joinAsAnother({ uid: NOBODY });
    assert.equal(line, 'wifi-not-permitted');
  });

  it('leaves nothing when its process is killed', async () => {
    await opens(ITEAD);
    const line = await joinAsAnother({ killed: true });
    assert.equal(line, 'joined');
    await eventually(() => connections() === before);
  });

  it('gives an interface back to the network that it was in', async () => {
    nmcli('--wait', '60', 'device', 'wifi', 'connect', HOME.ssid, 'password', HOME.password, 'ifname', 'wlan0');
    try {
      const athome = connections();
      await opens(ITEAD);
      await driver.join(JOIN_ITEAD, limits());
      assert.notEqual(connections(), athome);
      await driver.leave(limits());
      assert.equal(connections(), athome);
      // The wire stays the first way out; that of the Wi-Fi went and came with its own network.
      for (const ways of routes.seen) assert.match(ways, /^eth0 \w+ 100(; wlan0 \w+ 600)?$/);
    } finally {
      nmcli('connection', 'delete', HOME.ssid);
      routes.forget();
    }
  });
});

function hasCode(error: unknown, code: string): true {
  assert.ok(error instanceof FlashError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
}

/** Another process joins; it is killed as soon as it has, or tells the code of its failure. */
async function joinAsAnother({ uid, killed = false }: { uid?: number; killed?: boolean }): Promise<string> {
  const program = [join(__dirname, '../machine/join.js'), JSON.stringify(JOIN_ITEAD)];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'], ...(uid ? { uid } : {}) });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  if (killed) child.kill('SIGKILL');
  await once(child, 'close');
  return line.toString().trim();
}

async function comesBack(name: string): Promise<void> {
  await eventually(() => /:(disconnected|connected)/.test(nmcli('-f', 'DEVICE,STATE', 'device').split(name)[1] ?? ''));
}
