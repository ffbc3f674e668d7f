import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { interfaceKind } from '../../lib/net/interfaces';

const MAC = '02:00:00:00:00:01';
const NETMASK = '255.255.255.0';

describe('net/interfaces', () => {
  let sysfs: string;
  beforeEach(async () => {
    sysfs = await mkdtemp(join(tmpdir(), 'sonota-sysfs-'));
  });
  afterEach(() => rm(sysfs, { recursive: true }));

  /** The kernel's files of an interface with their content, under its name. */
  async function told(name: string, files: Record<string, string> = {}): Promise<void> {
    for (const [file, content] of Object.entries({ flags: '0x1003', ...files })) {
      const path = join(sysfs, name, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    }
  }

  const kindOf = (name: string, more: { mac?: string; netmask?: string } = {}): string =>
    interfaceKind({ name, mac: MAC, netmask: NETMASK, ...more }, sysfs);

  it('takes a cable, a Wi-Fi and whatever has no other sign for a network at home', async () => {
    for (const name of ['eth0', 'wlan0', 'enp3s0', 'end0']) {
      await told(name, { uevent: 'DEVTYPE=wlan\nINTERFACE=x\n' });
      assert.equal(kindOf(name), 'lan', name);
    }
    assert.equal(kindOf('Ethernet 2'), 'lan', 'the kernel says nothing of it');
  });

  it('takes a bridge for what its ports lead to', async () => {
    for (const [name, ports, kind] of [
      ['br0', ['eth0', 'veth12'], 'lan'],
      ['docker0', ['eth0'], 'lan'],
      ['br1', ['veth12', 'vnet3', 'tap0', 'vif1.0', 'fwpr1', 'fwln1'], 'container'],
      ['br2', [], 'container'],
    ] as const) {
      await told(name, { 'bridge/bridge_id': '8000' });
      for (const port of ports) await told(name, { [`brif/${port}/state`]: '3' });
      assert.equal(kindOf(name), kind, name);
    }
  });

  it('knows containers and hypervisors by their names', () => {
    const names = [
      ...['docker0', 'br-0a1b2c', 'veth12ab', 'virbr0', 'vnet0', 'podman1', 'cni0', 'flannel.1', 'cali12', 'lxcbr0'],
      ...['lxdbr0', 'incusbr0', 'hassio', 'vboxnet0', 'vmnet8', 'bridge100', 'vEthernet (WSL)'],
      ...['vEthernet (Default Switch)', 'VirtualBox Host-Only Network', 'VMware Network Adapter VMnet1'],
    ];
    for (const name of names) assert.equal(kindOf(name), 'container', name);
    for (const name of ['bridge0', 'hassio2', 'br-lan', 'mydocker']) assert.notEqual(kindOf(name), 'container', name);
  });

  it('knows a modem by its name or its type, a phone by its driver', async () => {
    for (const name of ['wwan0', 'wwp0s20u4', 'rmnet0', 'ccmni1', 'Cellular', 'Mobilfunk 2']) {
      assert.equal(kindOf(name), 'mobile', name);
    }
    await told('usb0', { uevent: 'DEVTYPE=wwan\n' });
    assert.equal(kindOf('usb0'), 'mobile');
    await told('usb1', { uevent: 'DEVTYPE=wwan2\n' });
    assert.equal(kindOf('usb1'), 'lan');
    for (const [name, driver, kind] of [
      ['usb2', 'rndis_host', 'mobile'],
      ['eth5', 'ipheth', 'mobile'],
      ['eth6', 'r8152', 'lan'],
    ] as const) {
      await told(name, { 'device/vendor': '0' });
      await symlink(join('..', '..', 'drivers', driver), join(sysfs, name, 'device', 'driver'));
      assert.equal(kindOf(name), kind, name);
    }
  });

  it('knows a tunnel by its name, its flags, or what it lacks', async () => {
    const linux = [
      'tun0',
      'tap1',
      'wg0',
      'utun3',
      'ppp0',
      'ipsec0',
      'tailscale0',
      'zt1234',
      'nordlynx',
      'proton0',
      'gpd0',
    ];
    for (const name of [...linux, 'OpenVPN TAP', 'WireGuard Tunnel', 'Tailscale', 'ZeroTier One [1]']) {
      assert.equal(kindOf(name), 'tunnel', name);
    }
    assert.equal(kindOf('x0', { mac: '00:00:00:00:00:00' }), 'tunnel');
    assert.equal(kindOf('x0', { netmask: '255.255.255.255' }), 'tunnel');
    await told('x1', { flags: '0x1090' });
    assert.equal(kindOf('x1'), 'tunnel', 'point to point');
    await told('x2', { tun_flags: '0x1002' });
    assert.equal(kindOf('x2'), 'tunnel');
  });
});
