import assert from 'node:assert/strict';
import { checkNetworks } from '../../lib/preflight/network';
import type { LocalAddress } from '../../lib/net/addresses';

const HOME: LocalAddress = { name: 'eth0', address: '192.168.1.20', netmask: '255.255.255.0', kind: 'lan' };

function checks(address: string | undefined, ...addresses: LocalAddress[]): string[] {
  const found = checkNetworks({ address }, { addresses, contained: false, now: new Date() });
  return found.map(({ ok, text }) => `${String(ok)} ${text}`);
}

describe('preflight/network', () => {
  it('finds nothing wrong with an ordinary home network', () => {
    assert.match(checks('192.168.1.20', HOME).join(), /^true [^,]*$/);
    assert.match(checks(undefined).join(), /^true /);
  });

  it('warns of a wide home network around those of the device', () => {
    const wide = { name: 'eth0', address: '10.0.0.5', netmask: '255.0.0.0', kind: 'lan' } as const;
    const [only, ...others] = checks('10.0.0.5', wide);
    assert.deepEqual(others, []);
    assert.match(only ?? '', /^warn .*10\.0\.0\.0\/8 .*eth0.*own Wi-Fi \(10\.10\.7\.0\/24\)/);
    const both = { name: 'eth0', address: '192.168.1.5', netmask: '255.255.0.0', kind: 'lan' } as const;
    assert.match(checks('192.168.1.5', both).join(), /^warn .*192\.168\.0\.0\/16.*FinalStage \(192\.168\.4\.0\/24\)/);
  });

  it('warns of a home network that is just the same, found or set by hand', () => {
    const same = { name: 'eth0', address: '192.168.4.20', netmask: '255.255.255.0', kind: 'lan' } as const;
    assert.match(checks(undefined, same).join(), /^warn .*192\.168\.4\.0\/24/);
    assert.match(checks('192.168.4.20', same).join(), /^warn .*192\.168\.4\.0\/24/);
  });

  it('takes the same network for a visit where the machine knows its home elsewhere', () => {
    const visit = { name: 'wlan0', address: '192.168.4.2', netmask: '255.255.255.0', kind: 'lan' } as const;
    const ap = { name: 'wlan0', address: '10.10.7.2', netmask: '255.255.255.0', kind: 'lan' } as const;
    assert.match(checks('192.168.1.20', HOME, visit).join(), /^true /);
    assert.match(checks('192.168.1.20', ap).join(), /^true /);
  });

  it('warns of another network than the home network, such as one of a tunnel', () => {
    const tunnel = { name: 'tun0', address: '10.10.0.9', netmask: '255.255.0.0', kind: 'tunnel' } as const;
    assert.match(checks('192.168.1.20', HOME, tunnel).join(), /^warn .*tun0/);
  });

  it('passes over the bridges of a container engine', () => {
    const bridge = { name: 'br-0a1b2c', address: '10.10.7.1', netmask: '255.255.255.0', kind: 'container' } as const;
    assert.match(checks('192.168.1.20', HOME, bridge).join(), /^true /);
  });
});
