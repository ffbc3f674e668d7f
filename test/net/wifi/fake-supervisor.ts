import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface FakeInterface {
  interface: string;
  type: 'ethernet' | 'wireless';
  enabled: boolean;
  connected: boolean;
  primary: boolean;
  ipv4: { method: string; address: string[]; gateway: string | null; nameservers: string[] } | null;
  wifi: { mode: string; auth: string; ssid: string; signal: number | null } | null;
}

interface Update {
  enabled?: boolean;
  wifi?: { mode?: string; auth?: string; ssid?: string; psk?: string };
  ipv4?: { method?: string; address?: string[]; gateway?: string; nameservers?: string[] };
}

const KEYS = {
  '': ['enabled', 'wifi', 'ipv4', 'ipv6'],
  wifi: ['mode', 'auth', 'ssid', 'psk'],
  ipv4: ['address', 'method', 'gateway', 'nameservers'],
};
const TOKEN = 'a token of the add-on';

/**
 * The network part of Home Assistant's Supervisor: an update blocks until the network is joined, or answers with its
 * own sentence; an interface has one profile, which is edited in place; what is configured stays.
 */
export class FakeSupervisor {
  readonly token = TOKEN;
  interfaces: FakeInterface[] = [
    wired({ primary: true }),
    {
      ...wired({ primary: false }),
      interface: 'wlan0',
      type: 'wireless',
      enabled: false,
      connected: false,
      ipv4: null,
    },
  ];
  accessPoints = [
    { mode: 'infrastructure', ssid: 'ITEAD-1000a1b2c3', frequency: 2412, signal: 80, mac: '5e:cf:7f:a1:b2:c3' },
    { mode: 'infrastructure', ssid: 'FinalStage', frequency: 2437, signal: 60, mac: '5E:CF:7F:A1:B2:C3' },
    { mode: 'infrastructure', ssid: 'home', frequency: 2462, signal: 50, mac: '00:11:22:33:44:55' },
  ];
  readonly passwords: Record<string, string> = { 'ITEAD-1000a1b2c3': '12345678', home: 'secret word' };
  /** Paths and bodies as they came, without passwords. */
  readonly updates: Update[] = [];
  /** Networks whose update is never answered. */
  readonly hanging = new Set<string>();
  /** Answers everything with it, where it is set. */
  status: number | undefined;
  /** So many updates are refused, as while another one is under way. */
  busy = 0;
  /** What it says instead of its protocol, where it is set. */
  nonsense: string | undefined;
  /** It joins, but gets no address there. */
  givesNoAddress = false;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  private readonly server: Server;
  private readonly open = new Set<ServerResponse>();

  private constructor() {
    this.server = createServer((request, response) => {
      this.asked.push(request.url ?? '');
      if (this.nonsense !== undefined) return void response.end(this.nonsense);
      this.open.add(response);
      response.on('close', () => this.open.delete(response));
      this.answer(request).then(
        (data) => send(response, 200, { result: 'ok', data }),
        ({ status = 400, message }: Error & { status?: number }) =>
          send(response, status, { result: 'error', message }),
      );
    });
  }

  static async start(): Promise<FakeSupervisor> {
    const fake = new FakeSupervisor();
    fake.server.listen(0, '127.0.0.1');
    await once(fake.server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get wlan(): FakeInterface {
    return this.interfaces.find((one) => one.interface === 'wlan0')!;
  }

  async stop(): Promise<void> {
    for (const response of this.open) response.destroy();
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage): Promise<unknown> {
    if (this.status !== undefined) throw Object.assign(new Error('No.'), { status: this.status });
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      throw Object.assign(new Error('Unauthorized'), { status: 401 });
    if (request.url === '/network/info') return { interfaces: this.interfaces };
    const [, name, what] = /^\/network\/interface\/([^/]+)\/(info|accesspoints|update)$/.exec(request.url ?? '') ?? [];
    const found = this.interfaces.find((one) => one.interface === name);
    if (!found) throw Object.assign(new Error(`Interface ${name} does not exist`), { status: 404 });
    if (what === 'info') return found;
    if (what === 'accesspoints') return { accesspoints: this.accessPoints };
    return this.update(found, JSON.parse(await bodyOf(request)) as Update);
  }

  private async update(own: FakeInterface, body: Update): Promise<unknown> {
    checkKeys('', body);
    for (const part of ['wifi', 'ipv4'] as const) if (body[part]) checkKeys(part, body[part]);
    const { psk, ...wifi } = body.wifi ?? {};
    this.updates.push({ ...body, ...(body.wifi ? { wifi } : {}) });
    if (this.busy > 0) {
      this.busy -= 1;
      throw new Error('Another update is under way');
    }
    if (body.enabled === false) {
      if (!own.enabled) throw new Error('Requested Network interface update is not possible');
      Object.assign(own, { enabled: false, connected: false, ipv4: null, wifi: null });
      return {};
    }
    const { ssid = '', auth = 'open' } = wifi;
    // The profile is there from now on, whatever comes of it.
    const { method = 'static', address = [], gateway = null, nameservers = [] } = body.ipv4 ?? {};
    Object.assign(own, {
      enabled: true,
      connected: false,
      wifi: { mode: 'infrastructure', auth, ssid, signal: null },
      ipv4: { method, address: [], gateway: null, nameservers: [] },
    });
    if (this.hanging.has(ssid)) return await new Promise(() => undefined);
    const isThere = this.accessPoints.some((one) => one.ssid === ssid) && this.passwords[ssid] === psk;
    if (!isThere) throw new Error('Activating connection failed, check connection settings.');
    const given = this.givesNoAddress ? [] : method === 'auto' ? ['192.168.1.7/24'] : address;
    Object.assign(own, { connected: true, ipv4: { method, address: given, gateway, nameservers } });
    return {};
  }
}

function wired({ primary }: { primary: boolean }): FakeInterface {
  const ipv4 = { method: 'auto', address: ['192.168.1.5/24'], gateway: '192.168.1.1', nameservers: ['192.168.1.1'] };
  return { interface: 'end0', type: 'ethernet', enabled: true, connected: true, primary, ipv4, wifi: null };
}

function checkKeys(part: keyof typeof KEYS, body: object): void {
  const extra = Object.keys(body).find((key) => !KEYS[part].includes(key));
  if (extra !== undefined) throw new Error(`extra keys not allowed @ data['${extra}']`);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}
