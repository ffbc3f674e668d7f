import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ip, needNamespaces } from '../../shared/namespaces';

const ID = '1000e4c17c';
const TXT = [`id=${ID}`, 'type=diy_plug', 'apivers=1', 'seq=1', 'data1={"switch":"off","rssi":-52}'];
const [HERE, THERE] = ['192.168.77.1', '192.168.77.2'];

/** python-zeroconf says that it is up when it has probed and announced. */
const ZEROCONF = `
import socket, sys
from zeroconf import ServiceInfo, Zeroconf
deviceid, address, *txt = sys.argv[1:]
properties = dict(pair.split('=', 1) for pair in txt)
info = ServiceInfo('_ewelink._tcp.local.', f'eWeLink_{deviceid}._ewelink._tcp.local.', port=8081, properties=properties,
                   server=f'eWeLink_{deviceid}.local.', addresses=[socket.inet_aton(address)])
zeroconf = Zeroconf(interfaces=[address])
zeroconf.register_service(info)
print('up', flush=True)
sys.stdin.read()
zeroconf.unregister_service(info)
zeroconf.close()
`;

const AVAHI_SERVICE = `<service-group><name>eWeLink_${ID}</name><service><type>_ewelink._tcp</type><port>8081</port>
${TXT.map((text) => `<txt-record>${text}</txt-record>`).join('\n')}</service></service-group>`;
const AVAHI_CONF = `[server]\nhost-name=eWeLink_${ID}\nuse-ipv6=no\nenable-dbus=no\n[wide-area]\nenable-wide-area=no\n`;

/**
 * Two machines, each in a network namespace of its own. The near one has a second cable, and the first is that which
 * leads nowhere.
 */
class TwoMachines {
  static #made = 0;
  readonly #near = `sonota-${process.pid}-${++TwoMachines.#made}-near`;
  readonly #far = `sonota-${process.pid}-${TwoMachines.#made}-far`;
  readonly #children: ChildProcess[] = [];

  constructor() {
    for (const name of [this.#near, this.#far]) ip('netns', 'add', name);
    ip('-n', this.#near, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'nobody');
    ip('-n', this.#near, 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#far);
    this.#up(this.#near, 'nobody');
    this.#up(this.#near, 'eth0', '10.20.30.1/24');
    this.#up(this.#near, 'eth1', `${HERE}/24`);
    this.#up(this.#far, 'eth0', `${THERE}/24`);
    ip('-n', this.#near, 'route', 'add', 'default', 'dev', 'eth0');
  }

  near(...command: string[]): ChildProcess {
    return this.#spawn(this.#near, command);
  }

  far(...command: string[]): ChildProcess {
    return this.#spawn(this.#far, command);
  }

  async remove(): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    }
    for (const name of [this.#near, this.#far]) ip('netns', 'delete', name);
  }

  #spawn(name: string, command: string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', name, ...command], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stderr.resume();
    this.#children.push(child);
    return child;
  }

  #up(name: string, link: string, address?: string): void {
    ip('-n', name, 'link', 'set', link, 'up');
    if (address !== undefined) ip('-n', name, 'addr', 'add', address, 'dev', link);
  }
}

interface Line {
  readonly deviceid?: string;
  readonly address?: string;
  readonly port?: number;
  readonly record?: { readonly type?: string; readonly state?: { readonly rssi?: number } };
  readonly gone?: string;
}

describe('mDNS between two machines', () => {
  let machines: TwoMachines;
  let folder: string;

  before(needNamespaces);

  beforeEach(async () => {
    machines = new TwoMachines();
    folder = await mkdtemp(join(tmpdir(), 'sonota-mdns-'));
  });

  afterEach(async () => {
    await machines.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function avahi(): Promise<ChildProcess> {
    await writeFile(join(folder, 'sonoff.service'), AVAHI_SERVICE);
    await writeFile(join(folder, 'avahi.conf'), AVAHI_CONF);
    // What the namespace mounts, this machine does not see: its own avahi has other services and another folder.
    const script =
      `mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon && mount --bind ${folder} /etc/avahi/services && ` +
      `exec avahi-daemon -f ${join(folder, 'avahi.conf')} --no-drop-root --no-chroot --no-rlimits`;
    return machines.far('sh', '-c', script);
  }

  async function zeroconf(): Promise<ChildProcess> {
    const child = machines.far('/usr/bin/python3', '-c', ZEROCONF, ID, THERE, ...TXT);
    await once(child.stdout!, 'data');
    return child;
  }

  async function hardware(): Promise<ChildProcess> {
    const child = machines.far(process.execPath, join(__dirname, 'announce-in-namespace.js'), ID, THERE);
    await once(child.stdout!, 'data');
    return child;
  }

  /** What discovery says, line by line. */
  function discovery(): AsyncIterator<string> {
    const child = machines.near(process.execPath, join(__dirname, 'browse-in-namespace.js'));
    return createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  async function next(lines: AsyncIterator<string>): Promise<Line> {
    const { value } = (await lines.next()) as { value: string };
    return JSON.parse(value) as Line;
  }

  for (const [what, announce] of [
    ['avahi', avahi],
    ['python-zeroconf', zeroconf],
    ['hardware that answers each question alone', hardware],
  ] as const) {
    it(`finds what ${what} announces, on the second interface`, async () => {
      await announce();
      const found = await next(discovery());
      assert.deepEqual([found.deviceid, found.address, found.port, found.record?.type], [ID, THERE, 8081, 'diy_plug']);
    });
  }

  for (const [what, announce] of [
    ['avahi', avahi],
    ['python-zeroconf', zeroconf],
    ['hardware that answers each question alone', hardware],
  ] as const) {
    it(`lists what ${what} announces, with how it can be flashed`, async () => {
      await announce();
      const child = machines.near(process.execPath, join(__dirname, 'survey-in-namespace.js'));
      const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
      const { value } = (await lines.next()) as { value: string };
      const { event, deviceid, address, method } = JSON.parse(value) as Record<string, string>;
      assert.deepEqual([event, deviceid, address, method], ['appeared', ID, THERE, 'diy']);
    });
  }

  it('finds what comes later, and sees it go', async () => {
    const lines = discovery();
    const child = await zeroconf();
    const found = await next(lines);
    assert.deepEqual([found.deviceid, found.record?.state?.rssi], [ID, -52]);
    child.stdin!.end();
    await once(child, 'exit');
    let line = await next(lines);
    while (line.gone === undefined) line = await next(lines);
    assert.equal(line.gone, ID);
  });

  it('shares the port with an avahi on the same machine', async () => {
    await writeFile(join(folder, 'avahi.conf'), AVAHI_CONF.replace(ID, 'other'));
    const script = `mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon && exec avahi-daemon -f ${join(folder, 'avahi.conf')} --no-drop-root --no-chroot --no-rlimits`;
    const own = machines.near('sh', '-c', script);
    await once(createInterface({ input: own.stderr! }), 'line');
    await hardware();
    assert.equal((await next(discovery())).deviceid, ID);
  });
});
