import assert from 'node:assert/strict';
import type { LocalAddress } from '../../lib/net/addresses';
import { canBeHome, chooseHomeAddress, HomeAddress } from '../../lib/net/home-address';

const on = (name: string, address: string): LocalAddress => ({ name, address, netmask: '255.255.255.0' });
const HOME = on('wlan0', '192.168.1.5');
const CABLE = on('eth0', '192.168.1.6');
const DEVICE_AP = on('wlan0', '10.10.7.2');
const FINALSTAGE = on('wlan0', '192.168.4.2');
const DOCKER = on('docker0', '172.17.0.1');

describe('canBeHome', () => {
  for (const address of ['10.10.7.2', '192.168.4.2', '169.254.3.4', '127.0.0.1']) {
    it(`refuses ${address}`, () => assert.equal(canBeHome(address), false));
  }
  for (const address of ['192.168.1.5', '10.10.8.2', '192.168.5.2', '172.17.0.1']) {
    it(`takes ${address}`, () => assert.equal(canBeHome(address), true));
  }
});

describe('chooseHomeAddress', () => {
  const choose = (addresses: LocalAddress[], routed?: string, remembered?: string): string | undefined =>
    chooseHomeAddress({ addresses, routed, remembered });

  it('takes the address of the default route', () => {
    assert.equal(choose([CABLE, HOME, DOCKER], HOME.address), HOME.address);
  });

  it('prefers the default route to what it remembers: the machine has moved', () => {
    assert.equal(choose([HOME], HOME.address, '192.168.9.9'), HOME.address);
  });

  it('remembers while the only Wi-Fi is with a device, even where the device gives a default route', () => {
    assert.equal(choose([DEVICE_AP], DEVICE_AP.address, HOME.address), HOME.address);
    assert.equal(choose([FINALSTAGE], FINALSTAGE.address, HOME.address), HOME.address);
    assert.equal(choose([], undefined, HOME.address), HOME.address);
  });

  it('takes the only other interface where there is no route, but no bridge of a container engine', () => {
    assert.equal(choose([HOME]), HOME.address);
    assert.equal(
      choose([DEVICE_AP, CABLE, DOCKER, on('veth12', '172.18.0.1'), on('br-ab12', '172.19.0.1')]),
      CABLE.address,
    );
  });

  it('guesses nothing', () => {
    assert.equal(choose([]), undefined);
    assert.equal(choose([DEVICE_AP], DEVICE_AP.address), undefined);
    assert.equal(choose([CABLE, on('eth1', '10.0.0.9')]), undefined);
    assert.equal(choose([DOCKER]), undefined);
  });
});

describe('HomeAddress', () => {
  it('follows the machine from home into the networks of a device and back', async () => {
    let addresses = [HOME];
    let routed: string | undefined = HOME.address;
    const home = new HomeAddress({ addresses: () => addresses, routed: () => Promise.resolve(routed) });
    const changes: string[] = [];
    home.on('changed', (address) => changes.push(address));
    assert.equal(home.current, undefined);
    assert.equal(await home.update(), HOME.address);
    addresses = [DEVICE_AP];
    routed = undefined;
    assert.equal(await home.update(), HOME.address);
    addresses = [FINALSTAGE];
    routed = FINALSTAGE.address;
    assert.equal(await home.update(), HOME.address);
    addresses = [on('wlan0', '192.168.1.77')];
    routed = '192.168.1.77';
    assert.equal(await home.update(), '192.168.1.77');
    assert.deepEqual(changes, [HOME.address, '192.168.1.77']);
  });

  it('begins with what an earlier run remembered, if that can be', () => {
    assert.equal(new HomeAddress({ remembered: '192.168.1.5' }).current, '192.168.1.5');
    assert.equal(new HomeAddress({ remembered: '10.10.7.2' }).current, undefined);
  });

  it('does not let a slow look overwrite what a later one found', async () => {
    const answers: ((address: string) => void)[] = [];
    const home = new HomeAddress({
      addresses: () => [HOME, CABLE],
      routed: () => new Promise((resolve) => answers.push(resolve)),
    });
    const first = home.update();
    const second = home.update();
    answers[1]?.(CABLE.address);
    await second;
    answers[0]?.(HOME.address);
    assert.equal(await first, CABLE.address);
  });

  it('finds an address of this machine, or none', async () => {
    const found = await new HomeAddress().update();
    if (found !== undefined) assert.match(found, /^\d+\.\d+\.\d+\.\d+$/);
  });
});
