import { readdirSync } from 'node:fs';
import { ip } from '../shared/namespaces';

/**
 * The air of the lab: one bridge per Wi-Fi in a namespace of its own; a radio is a veth pair whose far end is put on the
 * bridge of the network that it has joined. Everything stands in namespaces of this run and leaves with them.
 */

export type Ssid = 'itead' | 'home' | 'finalstage' | 'tasmota';
/** A namespace: `host`, or a device's. At most 7 letters, as the names of its radios' far ends are made from it. */
export type Place = string;

const SSIDS: readonly Ssid[] = ['itead', 'home', 'finalstage', 'tasmota'];
/** The home's router. It answers ARP and swallows everything else, as a router does with addresses it does not know. */
const ROUTER = '192.168.77.1';
/** About what an ESP8266 announces as its TCP window; the kernel halves it for its own book-keeping. */
const DEVICE_RECEIVE_BUFFER = 11_680;

let made = 0;

export class Air {
  readonly #prefix = `sonota-${process.pid}-${++made}`;
  readonly #onExit = () => this.remove();

  constructor(devices: readonly Place[] = ['sonoff']) {
    sweep();
    process.once('exit', this.#onExit);
    try {
      for (const place of ['air', 'host', ...devices]) {
        ip('netns', 'add', this.namespace(place));
        ip('-n', this.namespace(place), 'link', 'set', 'lo', 'up');
      }
      for (const ssid of SSIDS) this.open(ssid);
      this.#air('addr', 'add', `${ROUTER}/24`, 'dev', 'br-home');
      this.#sysctl('air', 'net.ipv4.ip_forward=0');
      for (const device of devices) {
        this.#sysctl(device, `net.ipv4.tcp_rmem=4096 ${DEVICE_RECEIVE_BUFFER} ${DEVICE_RECEIVE_BUFFER}`);
      }
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** A network of at most 12 letters, until `close`. */
  open(network: string): void {
    this.#air('link', 'add', `br-${network}`, 'type', 'bridge');
    this.#air('link', 'set', `br-${network}`, 'up');
  }

  /** Its guests keep their address and receive nothing any more. */
  close(network: string): void {
    this.#air('link', 'delete', `br-${network}`);
  }

  namespace(place: Place): string {
    return `${this.#prefix}-${place}`;
  }

  /** The command line that runs a program in a place. */
  inside(place: Place, program: string, ...args: string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', this.namespace(place), program, ...args]];
  }

  /** @param mac its hardware address; by default one that the kernel makes up */
  addRadio(place: Place, name: string, mac?: string): void {
    const near = [name, 'netns', this.namespace(place), ...(mac === undefined ? [] : ['address', mac])];
    const far = ['type', 'veth', 'peer', 'name', `${place}-${name}`, 'netns', this.namespace('air')];
    ip('link', 'add', ...near, ...far);
  }

  /** Joins a network with a fixed address, such as `192.168.77.10/24`; at home with the default route. */
  join(place: Place, radio: string, ssid: string, address: string): void {
    const at = this.namespace(place);
    this.#air('link', 'set', `${place}-${radio}`, 'master', `br-${ssid}`, 'up');
    ip('-n', at, 'link', 'set', radio, 'up');
    ip('-n', at, 'addr', 'add', address, 'dev', radio);
    if (ssid === 'home') ip('-n', at, 'route', 'add', 'default', 'via', ROUTER, 'dev', radio);
  }

  /** Out of range: no address, no route, no carrier. */
  leave(place: Place, radio: string): void {
    ip('-n', this.namespace(place), 'addr', 'flush', 'dev', radio);
    ip('-n', this.namespace(place), 'link', 'set', radio, 'down');
    this.#air('link', 'set', `${place}-${radio}`, 'nomaster', 'down');
  }

  remove(): void {
    process.removeListener('exit', this.#onExit);
    for (const name of namespaces()) if (name.startsWith(`${this.#prefix}-`)) ip('netns', 'delete', name);
  }

  #air(...args: string[]): void {
    ip('-n', this.namespace('air'), ...args);
  }

  #sysctl(place: Place, setting: string): void {
    const [name, value] = setting.split('=') as [string, string];
    const path = `/proc/sys/${name.replaceAll('.', '/')}`;
    ip('netns', 'exec', this.namespace(place), 'sh', '-c', `echo '${value}' > ${path}`);
  }
}

/** Why this machine cannot hold the lab; undefined where it can. */
export function whyNoAir(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  let air: Air | undefined;
  try {
    air = new Air();
    air.addRadio('host', 'wlan0');
    air.join('host', 'wlan0', 'home', '192.168.77.10/24');
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: Buffer };
    return `network namespaces cannot be made here: ${(stderr?.toString().trim() || message).split('\n')[0]}`;
  } finally {
    air?.remove();
  }
}

/** Removes what runs that were killed have left behind. */
function sweep(): void {
  for (const name of namespaces()) {
    const pid = /^sonota-(\d+)-\d+-/.exec(name)?.[1];
    if (pid !== undefined && !alive(Number(pid))) ip('netns', 'delete', name);
  }
}

function namespaces(): string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return [];
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
