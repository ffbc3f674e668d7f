import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { ip, needNamespaces } from '../shared/namespaces';

interface Found {
  readonly address?: string;
  readonly reason?: string;
  readonly candidates: readonly string[];
  readonly kinds: Readonly<Record<string, string>>;
}

const PROGRAM = join(__dirname, 'home-in-namespace.js');
const ROUTER = '192.168.1.1';
/** Holds a tunnel open: one that no program has opened is down for every program that asks. Node.js has no ioctl. */
const HOLD_TUNNEL = `
import fcntl, struct, sys
name, mode = sys.argv[1], {'tun': 1, 'tap': 2}[sys.argv[2]]
tunnel = open('/dev/net/tun', 'r+b', buffering=0)
fcntl.ioctl(tunnel, 0x400454ca, struct.pack('16sH', name.encode(), mode | 0x1000))
print('up', flush=True)
sys.stdin.read()
`;

/** A machine with real interfaces, in a network namespace of its own. */
class MachineInNamespace {
  static #made = 0;
  readonly #name = `sonota-${process.pid}-${++MachineInNamespace.#made}-home`;
  readonly #holders: ChildProcess[] = [];
  #process: ChildProcess | undefined;
  #lines: Interface | undefined;

  constructor() {
    ip('netns', 'add', this.#name);
    this.ip('link', 'set', 'lo', 'up');
  }

  ip(...args: string[]): void {
    ip('-n', this.#name, ...args);
  }

  /** A cable or a Wi-Fi: an Ethernet interface of this name, with a host at its other end. */
  lan(name: string, address: string): void {
    this.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `far-${name}`);
    this.ip('link', 'set', `far-${name}`, 'up');
    this.up(name, address);
  }

  async tunnel(name: string, address: string, mode: 'tun' | 'tap' = 'tun'): Promise<void> {
    const holder = this.#spawn(['python3', '-c', HOLD_TUNNEL, name, mode]);
    this.#holders.push(holder);
    await once(holder.stdout!, 'data');
    this.up(name, address);
  }

  bridge(name: string, address: string, ...ports: string[]): void {
    this.ip('link', 'add', name, 'type', 'bridge');
    for (const port of ports) {
      this.ip('link', 'add', port, 'type', 'veth', 'peer', 'name', `far-${port}`);
      this.ip('link', 'set', port, 'master', name, 'up');
      this.ip('link', 'set', `far-${port}`, 'up');
    }
    this.up(name, address);
  }

  up(name: string, address: string): void {
    this.ip('link', 'set', name, 'up');
    this.ip('addr', 'add', address, 'dev', name);
  }

  down(name: string): void {
    this.ip('addr', 'flush', 'dev', name);
    this.ip('link', 'set', name, 'down');
  }

  route(name: string, via?: string): void {
    this.ip('route', 'replace', 'default', ...(via ? ['via', via, 'onlink'] : []), 'dev', name);
  }

  async look(how: 'look' | 'look while it flashes' = 'look'): Promise<Found> {
    this.#process ??= this.#spawn([process.execPath, PROGRAM]);
    this.#lines ??= createInterface({ input: this.#process.stdout! });
    const answer = once(this.#lines, 'line') as Promise<[string]>;
    this.#process.stdin!.write(`${how}\n`);
    return JSON.parse((await answer)[0]) as Found;
  }

  async remove(): Promise<void> {
    const children = this.#process ? [this.#process, ...this.#holders] : this.#holders;
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.stdin!.end();
        child.kill();
        await ended;
      }),
    );
    ip('netns', 'delete', this.#name);
  }

  #spawn(command: readonly string[]): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.#name, ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
  }
}

/** What a machine has beside its cable, and what that is. */
const BESIDE: readonly {
  readonly title: string;
  readonly name: string;
  readonly kind: string;
  readonly make: (machine: MachineInNamespace) => unknown;
}[] = [
  { title: 'a VPN (tun)', name: 'tun0', kind: 'tunnel', make: (machine) => machine.tunnel('tun0', '10.8.0.2/24') },
  { title: 'WireGuard', name: 'wg0', kind: 'tunnel', make: (machine) => machine.tunnel('wg0', '10.9.0.2/32') },
  {
    title: 'a VPN of the Mac',
    name: 'utun4',
    kind: 'tunnel',
    make: (machine) => machine.tunnel('utun4', '10.9.1.2/24'),
  },
  { title: 'PPP', name: 'ppp0', kind: 'tunnel', make: (machine) => machine.tunnel('ppp0', '10.64.0.9/32') },
  {
    title: 'a VPN (tap)',
    name: 'vpn_x',
    kind: 'tunnel',
    make: (machine) => machine.tunnel('vpn_x', '10.7.0.2/24', 'tap'),
  },
  { title: 'ZeroTier', name: 'ztabc1', kind: 'tunnel', make: (machine) => machine.lan('ztabc1', '10.147.1.2/24') },
  { title: 'a modem (WWAN)', name: 'wwan0', kind: 'mobile', make: (machine) => machine.lan('wwan0', '10.64.3.4/24') },
  {
    title: 'Docker',
    name: 'docker0',
    kind: 'container',
    make: (machine) => machine.bridge('docker0', '172.17.0.1/16', 'veth0c'),
  },
  {
    title: 'a bridge of Docker with a container',
    name: 'br-0a1b2c',
    kind: 'container',
    make: (machine) => machine.bridge('br-0a1b2c', '172.18.0.1/16', 'veth1a'),
  },
  {
    title: 'the bridge of Home Assistant',
    name: 'hassio',
    kind: 'container',
    make: (machine) => machine.bridge('hassio', '172.30.32.1/23', 'veth2b'),
  },
  {
    title: 'a bridge of virtual machines',
    name: 'virbr0',
    kind: 'container',
    make: (machine) => machine.bridge('virbr0', '192.168.122.1/24', 'vnet0'),
  },
  {
    title: 'a virtual adapter of VirtualBox',
    name: 'vboxnet0',
    kind: 'container',
    make: (machine) => machine.lan('vboxnet0', '192.168.56.1/24'),
  },
];

describe('net/home-network on real interfaces', () => {
  let machine: MachineInNamespace;

  before(needNamespaces);

  beforeEach(() => {
    machine = new MachineInNamespace();
  });

  afterEach(() => machine.remove());

  for (const { title, name, kind, make } of BESIDE) {
    it(`takes the cable for home beside ${title}, which has the default route`, async () => {
      machine.lan('eth0', '192.168.1.5/24');
      await make(machine);
      machine.route(name);
      const { address, reason, kinds } = await machine.look();
      assert.deepEqual([address, reason, kinds[name]], ['192.168.1.5', 'only', kind]);
    });
  }

  it('asks which one where a full tunnel has the default route and two networks remain', async () => {
    machine.lan('eth0', '192.168.1.5/24');
    machine.lan('eth1', '192.168.50.5/24');
    await machine.tunnel('tun0', '10.8.0.2/24');
    machine.route('tun0');
    const { address, candidates } = await machine.look();
    assert.deepEqual([address, candidates], [undefined, ['192.168.1.5', '192.168.50.5']]);
  });

  it('takes the second Ethernet where that has the default route', async () => {
    machine.lan('eth0', '192.168.50.5/24');
    machine.lan('eth1', '192.168.1.5/24');
    machine.route('eth1', ROUTER);
    const { address, reason } = await machine.look();
    assert.deepEqual([address, reason], ['192.168.1.5', 'default-route']);
  });

  it('takes a bridge that holds the cable', async () => {
    machine.bridge('br0', '192.168.1.5/24', 'eth0');
    machine.route('br0', ROUTER);
    const { address, reason, kinds } = await machine.look();
    assert.deepEqual([address, reason, kinds['br0']], ['192.168.1.5', 'default-route', 'lan']);
  });

  it('keeps the home network in the access point of a device while a phone by USB has the default route', async () => {
    machine.lan('wlan0', '192.168.1.5/24');
    machine.route('wlan0', ROUTER);
    // The flash starts at home: from here on a look may come at any moment, also an unasked one.
    assert.equal((await machine.look('look while it flashes')).address, '192.168.1.5');
    machine.down('wlan0');
    machine.lan('usb0', '192.168.42.9/24');
    machine.route('usb0', '192.168.42.1');
    assert.equal((await machine.look('look while it flashes')).address, '192.168.1.5', 'between two networks');
    machine.up('wlan0', '10.10.7.2/24');
    const inAccessPoint = await machine.look('look while it flashes');
    assert.deepEqual([inAccessPoint.address, inAccessPoint.reason], ['192.168.1.5', 'remembered']);
    machine.down('wlan0');
    machine.up('wlan0', '192.168.1.66/24');
    const back = await machine.look('look while it flashes');
    assert.deepEqual([back.address, back.reason], ['192.168.1.66', 'same-network']);
  });

  it('keeps it also between two networks where no flash has started, if the phone was there before', async () => {
    machine.lan('wlan0', '192.168.1.5/24');
    machine.lan('usb0', '192.168.42.9/24');
    machine.route('wlan0', ROUTER);
    assert.equal((await machine.look()).address, '192.168.1.5');
    machine.down('wlan0');
    machine.route('usb0', '192.168.42.1');
    const { address, reason } = await machine.look();
    assert.deepEqual([address, reason], ['192.168.1.5', 'remembered']);
  });
});
