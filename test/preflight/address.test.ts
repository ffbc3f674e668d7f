import assert from 'node:assert/strict';
import { FlashHost } from '../../lib/flash/host/host';
import { checkAddress } from '../../lib/preflight/address';
import type { HomeReason } from '../../lib/net/home-network';
import type { Machine } from '../../lib/preflight/machine';

const ETHERNET = { name: 'eth0', address: '192.168.1.20', netmask: '255.255.255.0', kind: 'lan' } as const;
const BRIDGE = { name: 'docker0', address: '172.17.0.1', netmask: '255.255.0.0', kind: 'container' } as const;

/** Never opened: these addresses belong to no host here. */
function hostAt(address: string, bind = '0.0.0.0'): FlashHost {
  return new FlashHost({ bind, address, httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 }, undefined);
}

type Host = Parameters<typeof checkAddress>[0];

/** A host whose field is empty. */
function foundBy(address: string, reason: HomeReason): Host {
  return {
    address,
    addressToDial: () => address,
    bind: '0.0.0.0',
    homeChoice: { home: { address, name: 'eth0' }, reason },
    isAddressRemembered: true,
    isAddressSet: false,
  };
}

function machine(...addresses: Machine['addresses']): Machine {
  return { addresses, contained: false, now: new Date() };
}

describe('preflight/address', () => {
  it('takes an address of this machine', () => {
    const check = checkAddress(hostAt('192.168.1.20'), machine(ETHERNET), true);
    assert.equal(check.ok, true);
    assert.match(check.text, /192\.168\.1\.20.*eth0/);
  });

  it('takes one that leads to this machine, though it is not its own: a container that publishes its ports', () => {
    assert.equal(checkAddress(hostAt('192.168.1.20'), machine(), true).ok, true);
  });

  it('refuses one that does not, and says which this machine has', () => {
    const check = checkAddress(hostAt('192.168.1.21'), machine(ETHERNET), false);
    assert.deepEqual([check.ok, check.code], [false, 'address-invalid']);
    assert.match(check.text, /192\.168\.1\.21 is not an address of this machine, which has 192\.168\.1\.20/);
  });

  for (const address of ['10.10.7.2', '192.168.4.2', '169.254.3.4', 'my-host.lan', '::1']) {
    it(`refuses ${address}`, () => {
      const check = checkAddress(hostAt(address), machine({ ...ETHERNET, address }), true);
      assert.deepEqual([check.ok, check.code], [false, 'address-invalid']);
    });
  }

  it('takes an address that is set, whatever lies behind it, and warns of a tunnel and of a modem', () => {
    for (const [kind, words] of [
      ['tunnel', /looks like a tunnel/],
      ['mobile', /looks like a modem or a phone/],
    ] as const) {
      const check = checkAddress(hostAt('10.8.0.2'), machine({ ...ETHERNET, address: '10.8.0.2', kind }), true);
      assert.deepEqual([check.ok, check.code], ['warn', 'address-invalid']);
      assert.match(check.text, words);
      assert.match(check.remedy, /Leave the field Address empty/);
    }
  });

  it('says why an address was found to be the one at home', () => {
    const reasons = {
      'wifi-name': /has joined the Wi-Fi that devices get/,
      'default-route': /leads to the internet/,
      only: /no other home network/,
      'same-network': /was home before/,
    } as const;
    for (const [reason, words] of Object.entries(reasons)) {
      const check = checkAddress(foundBy(ETHERNET.address, reason as HomeReason), machine(ETHERNET), true);
      assert.equal(check.ok, true);
      assert.match(check.text, words);
    }
    const away = checkAddress(foundBy('192.168.1.20', 'remembered'), machine(), true);
    assert.match(away.text, /when it was last on its home network/);
  });

  it('names the networks and asks for a choice where several may be the home network', () => {
    const other = { ...ETHERNET, name: 'eth1', address: '192.168.50.6' };
    const host: Host = { ...foundBy('', 'only'), homeChoice: { home: undefined, candidates: [ETHERNET, other] } };
    const check = checkAddress(host, machine(ETHERNET, other), false);
    assert.deepEqual([check.ok, check.code], [false, 'address-invalid']);
    assert.match(check.text, /192\.168\.1\.20 \(eth0\), 192\.168\.50\.6 \(eth1\); choose one/);
  });

  it('takes the loopback for a rehearsal only where all of the host is there', () => {
    assert.equal(checkAddress(hostAt('127.0.0.1', '127.0.0.1'), machine(ETHERNET), true).ok, 'warn');
    assert.equal(checkAddress(hostAt('127.0.0.1'), machine(ETHERNET), true).ok, false);
  });

  it('refuses the address of a bridge of a container engine', () => {
    assert.equal(checkAddress(hostAt('172.17.0.1'), machine(ETHERNET, BRIDGE), true).ok, false);
  });

  it('refuses the inside of a container network, and doubts what may be one', () => {
    const inside = (address: string): Machine => ({ ...machine({ ...ETHERNET, address }), contained: true });
    assert.equal(checkAddress(hostAt('172.17.0.3'), inside('172.17.0.3'), true).ok, false);
    assert.equal(checkAddress(hostAt('172.19.0.3'), inside('172.19.0.3'), true).ok, 'warn');
    assert.equal(checkAddress(hostAt('192.168.1.20'), inside('192.168.1.20'), true).ok, true);
  });

  it('takes such an address for what it is where the container shares the network of its host, or there is none', () => {
    const lan = { ...ETHERNET, address: '172.17.5.5' };
    assert.equal(checkAddress(hostAt('172.17.5.5'), { ...machine(lan, BRIDGE), contained: true }, true).ok, true);
    assert.equal(checkAddress(hostAt('172.17.5.5'), machine(lan), true).ok, true);
  });
});
