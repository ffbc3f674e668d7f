import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { LocalAddress } from '../../lib/net/addresses';
import {
  canBeHome,
  chooseHome,
  HomeNetwork,
  type Home,
  type HomeUser,
  type NetworksSeen,
} from '../../lib/net/home-network';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const on = (name: string, address: string, kind: LocalAddress['kind'] = 'lan'): LocalAddress => ({
  name,
  address,
  netmask: '255.255.255.0',
  kind,
});
const HOME = on('wlan0', '192.168.1.5');
const CABLE = on('eth0', '192.168.1.6');
const OTHER = on('eth1', '192.168.50.6');
const TETHER = on('usb0', '192.168.42.9');
const DEVICE_AP = on('wlan0', '10.10.7.2');
const FINALSTAGE = on('wlan0', '192.168.4.2');
const VPN = on('tun0', '10.8.0.2', 'tunnel');
const DOCKER = on('docker0', '172.17.0.1', 'container');
const AT_HOME: Home = { name: HOME.name, address: HOME.address };

describe('canBeHome', () => {
  for (const address of ['10.10.7.2', '192.168.4.2', '169.254.3.4', '127.0.0.1']) {
    it(`refuses ${address}`, () => assert.equal(canBeHome(address), false));
  }
  for (const address of ['192.168.1.5', '10.10.8.2', '192.168.5.2', '172.17.0.1']) {
    it(`takes ${address}`, () => assert.equal(canBeHome(address), true));
  }
});

describe('chooseHome', () => {
  const choose = (addresses: LocalAddress[], more: Partial<NetworksSeen> = {}): [string | undefined, string] => {
    const choice = chooseHome({ addresses, routed: undefined, ...more });
    return choice.home
      ? [choice.home.address, choice.reason]
      : [undefined, choice.candidates.map(({ address }) => address).join(' ')];
  };

  it('takes the address of the default route', () => {
    assert.deepEqual(choose([CABLE, HOME, DOCKER], { routed: HOME.address }), [HOME.address, 'default-route']);
  });

  it('takes the route for home again when nothing is in work: the machine has moved', () => {
    const remembered = { address: '192.168.9.9' };
    assert.deepEqual(choose([HOME], { routed: HOME.address, remembered }), [HOME.address, 'default-route']);
    assert.deepEqual(choose([HOME, OTHER], { routed: OTHER.address, remembered: AT_HOME }), [
      OTHER.address,
      'default-route',
    ]);
  });

  it('remembers while the only Wi-Fi is with a device, whatever else has the default route', () => {
    for (const [seen, routed] of [
      [[DEVICE_AP], DEVICE_AP.address],
      [[DEVICE_AP, TETHER], TETHER.address],
      [[FINALSTAGE, TETHER], TETHER.address],
      [[], undefined],
    ] as const) {
      assert.deepEqual(choose([...seen], { routed, remembered: AT_HOME }), [HOME.address, 'remembered']);
    }
  });

  it('lets no network that appears during a flash take the place of the home network', () => {
    const flash = { isHeld: true, remembered: AT_HOME };
    assert.deepEqual(choose([HOME, TETHER], { ...flash, routed: TETHER.address }), [HOME.address, 'same-network']);
    assert.deepEqual(choose([TETHER], { ...flash, routed: TETHER.address }), [HOME.address, 'remembered']);
  });

  it('takes the present address in the home network, also on a cable into it', () => {
    const flash = { isHeld: true, remembered: AT_HOME };
    assert.deepEqual(choose([on('wlan0', '192.168.1.77')], flash), ['192.168.1.77', 'same-network']);
    assert.deepEqual(choose([CABLE, DEVICE_AP], flash), [CABLE.address, 'same-network']);
    assert.deepEqual(choose([CABLE, on('wlan0', '192.168.1.77')], flash), ['192.168.1.77', 'same-network']);
  });

  it('knows itself at home by its address, then its interface, then the route', () => {
    const flash = { isHeld: true, remembered: AT_HOME };
    const [wifi, cable] = [on('wlan0', '192.168.1.77'), on('eth0', HOME.address)];
    assert.deepEqual(choose([wifi, cable], flash), [HOME.address, 'same-network']);
    const remembered = { address: '192.168.1.9', name: 'x9' };
    const seen: [LocalAddress, LocalAddress] = [CABLE, HOME];
    assert.deepEqual(choose(seen, { isHeld: true, remembered, routed: HOME.address }), [HOME.address, 'same-network']);
    assert.deepEqual(choose(seen, { isHeld: true, remembered }), [CABLE.address, 'same-network']);
  });

  it('takes no wider network for that of a device', () => {
    const wide = { ...DEVICE_AP, netmask: '255.255.0.0' };
    const moved = { routed: OTHER.address, remembered: AT_HOME };
    assert.deepEqual(choose([wide, OTHER], moved), [OTHER.address, 'default-route']);
    assert.deepEqual(choose([DEVICE_AP, OTHER], moved), [HOME.address, 'remembered']);
  });

  it('moves from home to what is beside it only by the route', () => {
    const beside = { remembered: AT_HOME, bystanders: new Set(['192.168.42.0/24']) };
    assert.deepEqual(choose([HOME, TETHER], { ...beside, routed: TETHER.address }), [TETHER.address, 'default-route']);
    assert.deepEqual(choose([HOME, TETHER], beside), [HOME.address, 'same-network']);
    const third = on('eth2', '192.168.60.6');
    assert.deepEqual(choose([TETHER, OTHER, third], beside), [undefined, '192.168.50.6 192.168.60.6']);
  });

  it('does not move to what was there beside the home network', () => {
    const away = { remembered: AT_HOME, bystanders: new Set(['192.168.42.0/24']), routed: TETHER.address };
    assert.deepEqual(choose([TETHER], away), [HOME.address, 'remembered']);
    assert.deepEqual(choose([TETHER, OTHER], away), [OTHER.address, 'only']);
  });

  it('takes the interface in the Wi-Fi that devices get before the one with the route', () => {
    const named = { routed: TETHER.address, inHomeWifi: ['wlan0'] };
    assert.deepEqual(choose([TETHER, HOME], named), [HOME.address, 'wifi-name']);
    assert.deepEqual(choose([TETHER, HOME], { ...named, inHomeWifi: [] }), [TETHER.address, 'default-route']);
  });

  it('takes the only network where there is no route, also where a cable and a Wi-Fi lead into it', () => {
    assert.deepEqual(choose([HOME]), [HOME.address, 'only']);
    assert.deepEqual(choose([CABLE, HOME]), [CABLE.address, 'only']);
    assert.deepEqual(choose([DEVICE_AP, CABLE, DOCKER, VPN]), [CABLE.address, 'only']);
  });

  it('takes no tunnel, modem or container for home, whatever has the default route', () => {
    assert.deepEqual(choose([VPN, HOME], { routed: VPN.address }), [HOME.address, 'only']);
    assert.deepEqual(choose([VPN, HOME, OTHER], { routed: VPN.address }), [undefined, '192.168.1.5 192.168.50.6']);
    for (const kind of ['tunnel', 'mobile', 'container'] as const) {
      const other = on('x0', '192.168.1.9', kind);
      assert.deepEqual(choose([other], { routed: other.address }), [undefined, ''], kind);
    }
  });

  it('guesses nothing', () => {
    assert.deepEqual(choose([]), [undefined, '']);
    assert.deepEqual(choose([DEVICE_AP], { routed: DEVICE_AP.address }), [undefined, '']);
    assert.deepEqual(choose([CABLE, OTHER]), [undefined, '192.168.1.6 192.168.50.6']);
    assert.deepEqual(choose([CABLE, OTHER], { remembered: AT_HOME }), ['192.168.1.6', 'same-network']);
  });

  it('takes a public address only where there is no private one', () => {
    const open = on('eth0', '198.51.100.7');
    assert.deepEqual(choose([open]), [open.address, 'only']);
    assert.deepEqual(choose([open, HOME], { routed: open.address }), [HOME.address, 'only']);
  });
});

describe('HomeNetwork', () => {
  const user = (more: Partial<HomeUser> = {}): HomeUser => ({
    isFlashing: () => false,
    wifiName: () => undefined,
    ...more,
  });

  it('follows the machine from home into the networks of a device and back', async () => {
    let addresses = [HOME];
    let routed: string | undefined = HOME.address;
    const home = new HomeNetwork({ addresses: () => addresses, routed: () => Promise.resolve(routed) });
    const changes: string[] = [];
    home.on('changed', ({ address }) => changes.push(address));
    assert.equal(home.current, undefined);
    assert.equal(await home.update(), HOME.address);
    addresses = [DEVICE_AP];
    routed = undefined;
    assert.equal(await home.update(), HOME.address);
    addresses = [FINALSTAGE];
    routed = FINALSTAGE.address;
    assert.equal(await home.update(), HOME.address);
    assert.equal(home.choice.home && home.choice.reason, 'remembered');
    addresses = [on('wlan0', '192.168.1.77')];
    routed = '192.168.1.77';
    assert.equal(await home.update(), '192.168.1.77');
    assert.deepEqual(changes, [HOME.address, '192.168.1.77']);
  });

  it('answers with the address that it has in its home network at the moment, without another look', async () => {
    let addresses = [HOME];
    const home = new HomeNetwork({ addresses: () => addresses, routed: () => Promise.resolve(undefined) });
    await home.update();
    addresses = [on('wlan0', '192.168.1.99')];
    assert.equal(home.current, '192.168.1.99');
    addresses = [];
    assert.equal(home.current, HOME.address);
  });

  it('keeps the home network while any of its users has a flash', async () => {
    let addresses = [HOME];
    let isFlashing = true;
    let routed = HOME.address;
    const home = new HomeNetwork({ addresses: () => addresses, routed: () => Promise.resolve(routed) });
    const leave = [home.join(user()), home.join(user({ isFlashing: () => isFlashing }))];
    await home.update();
    addresses = [HOME, OTHER];
    routed = OTHER.address;
    assert.equal(await home.update(), HOME.address);
    isFlashing = false;
    assert.equal(await home.update(), OTHER.address);
    for (const one of leave) one();
  });

  it('remembers what is beside its home network, which is no new home when that is gone', async () => {
    let [addresses, routed]: [LocalAddress[], string | undefined] = [[HOME, TETHER], HOME.address];
    const home = new HomeNetwork({ addresses: () => addresses, routed: () => Promise.resolve(routed) });
    await home.update();
    [addresses, routed] = [[TETHER], TETHER.address];
    assert.equal(await home.update(), HOME.address);
    assert.deepEqual(home.choice, { home: AT_HOME, reason: 'remembered' });
    [addresses, routed] = [[TETHER, OTHER], undefined];
    assert.equal(await home.update(), OTHER.address);
    assert.deepEqual(home.choice, { home: { name: 'eth1', address: OTHER.address }, reason: 'only' });
  });

  it('moves after a flash to a network that came during it', async () => {
    let [addresses, routed, isFlashing] = [[HOME], HOME.address, true];
    const home = new HomeNetwork({ addresses: () => addresses, routed: () => Promise.resolve(routed) });
    const leave = home.join(user({ isFlashing: () => isFlashing }));
    await home.update();
    [addresses, routed] = [[TETHER], TETHER.address];
    assert.equal(await home.update(), HOME.address);
    isFlashing = false;
    assert.equal(await home.update(), TETHER.address);
    leave();
  });

  it('asks for the Wi-Fi of its users only where there is a choice', async () => {
    let addresses = [HOME];
    const asked: string[] = [];
    const home = new HomeNetwork({
      addresses: () => addresses,
      routed: () => Promise.resolve(TETHER.address),
      joinedTo: (ssid) => {
        asked.push(ssid);
        return Promise.resolve(ssid === 'home' ? ['wlan0'] : []);
      },
    });
    const leave = ['other', 'home', undefined, 'home'].map((name) => home.join(user({ wifiName: () => name })));
    await home.update();
    assert.deepEqual(asked, []);
    addresses = [TETHER, HOME];
    assert.equal(await home.update(), HOME.address);
    assert.deepEqual(home.choice, { home: AT_HOME, reason: 'wifi-name' });
    assert.deepEqual(asked, ['other', 'home'], 'for each once');
    for (const one of leave) one();
  });

  it('looks again when an address has come or gone, and notifies its users, for as long as it has any', async () => {
    timeStands();
    try {
      let addresses = [HOME];
      const home = new HomeNetwork({ addresses: () => addresses, routed: () => Promise.resolve(undefined) });
      let moves = 0;
      const first = home.join(user());
      const second = home.join(user({ moved: () => (moves += 1) }));
      timePasses(1000);
      assert.equal(moves, 0, 'nothing has changed');
      const changed = once(home, 'changed');
      addresses = [OTHER];
      timePasses(1000);
      assert.equal(moves, 1);
      assert.equal(((await changed) as [Home])[0].address, OTHER.address);
      first();
      addresses = [HOME];
      timePasses(1000);
      assert.equal(moves, 2, 'one of its users is still there');
      second();
      addresses = [OTHER];
      timePasses(10_000);
      assert.equal(moves, 2);
      const third = home.join(user({ moved: () => (moves += 1) }));
      addresses = [HOME];
      timePasses(1000);
      assert.equal(moves, 3, 'a new one is reported again');
      third();
    } finally {
      timeGoesOn();
    }
  });

  it('reports a new place once, also where only the interface is another one', async () => {
    let addresses = [HOME];
    const home = new HomeNetwork({ addresses: () => addresses, routed: () => Promise.resolve(undefined) });
    const changes: Home[] = [];
    home.on('changed', (place) => changes.push(place));
    await home.update();
    await home.update();
    addresses = [on('eth7', HOME.address)];
    await home.update();
    assert.deepEqual(changes, [AT_HOME, { name: 'eth7', address: HOME.address }]);
  });

  it('starts with what an earlier run remembered, if that can be', () => {
    const home = { address: '198.51.100.5' };
    const remembering = new HomeNetwork({ remembered: home });
    assert.deepEqual([remembering.current, remembering.choice], ['198.51.100.5', { home, reason: 'remembered' }]);
    const fresh = new HomeNetwork({ remembered: { address: '10.10.7.2' } });
    assert.deepEqual([fresh.current, fresh.choice], [undefined, { home: undefined, candidates: [] }]);
  });

  it('does not let a slow look overwrite what a later one found', async () => {
    const answers: ((address: string) => void)[] = [];
    const home = new HomeNetwork({
      addresses: () => [HOME, OTHER],
      routed: () => new Promise((resolve) => answers.push(resolve)),
    });
    const first = home.update();
    const second = home.update();
    answers[1]?.(OTHER.address);
    await second;
    answers[0]?.(HOME.address);
    assert.equal(await first, OTHER.address);
  });

  it('finds an address of this machine, or none', async () => {
    const found = await new HomeNetwork().update();
    if (found !== undefined) assert.match(found, /^\d+\.\d+\.\d+\.\d+$/);
  });
});
