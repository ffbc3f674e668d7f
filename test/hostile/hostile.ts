import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, connect as connectTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { postProvisioning, readDevice } from '../../lib/client/ap-client';
import { fetchImage } from '../../lib/client/image-fetch';
import { fetchInRanges } from '../../lib/client/range-fetch';
import { readWebPage } from '../../lib/client/web-page';
import { FlashError } from '../../lib/errors';
import { bundleOf } from '../../lib/flash/job/evidence-bundle';
import { FirmwareStore } from '../../lib/firmware/store/firmware-store';
import { recallHome } from '../../lib/flash/host/home-memory';
import { FlashHost } from '../../lib/flash/host/host';
import { overviewOfHost } from '../../lib/flash/overview/host-overview';
import { formerIn } from '../../lib/flash/radio/former-file';
import { adoptFormerSetUps } from '../../lib/flash/host/former-set-ups';
import { ON_LOOPBACK } from '../flash/bench';
import { ENTRY, JOB, OBSERVATIONS, PENDING } from '../flash/stored-samples';
import { damaged } from './damage';
import { toClient, toListener, type Listener } from './inputs';
import { Random } from './random';
import { wording } from '../../lib/wordings/wording';

/** How many are sent to each, of a hundred; a TLS handshake costs more than all the rest. */
const SHARES: readonly (readonly [Target, number])[] = [
  ['plain', 28],
  ['images', 25],
  ['tls-bytes', 12],
  ['tls', 5],
  ['clients', 15],
  ['stored files', 15],
];
export type Target = Listener | 'clients' | 'stored files';

/** A peer that sends nothing more is left; what the listener does with it then is not tested here. */
const PATIENCE_MS = 20;
/** A client of ours gives a server up after so long. */
const CLIENT_LIMIT_MS = 150;
const SIGNAL = new AbortController().signal;

export interface Ports {
  readonly https: number;
  readonly legacy: number;
  readonly http: number;
}

/** Sends inputs, each known by its seed and its number. */
export class Hostile {
  private answer: Buffer = Buffer.alloc(0);
  private readonly sockets = new Set<Socket>();
  /** Of hosts that are closed: what a process keeps for each user folder is kept of few. */
  private readonly folders: string[] = [];

  private constructor(
    private readonly ports: Ports,
    private readonly folder: string,
    private readonly server: Server,
  ) {}

  static async open(ports: Ports, folder: string): Promise<Hostile> {
    const server = createServer((socket) => hostile.serve(socket));
    const hostile: Hostile = new Hostile(ports, folder, server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return hostile;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  /** @returns what it was sent to */
  async send(seed: number, index: number): Promise<Target> {
    const random = new Random(seed, index);
    const target = targetOf(random.below(100));
    if (target === 'clients') await this.ask(random);
    else if (target === 'stored files') await this.start(random, index);
    else await this.dial(random, target);
    return target;
  }

  private async dial(random: Random, listener: Listener): Promise<void> {
    const pieces = toListener(random, listener);
    const { https, legacy, http } = this.ports;
    const port = listener === 'plain' ? legacy : listener === 'images' ? http : https;
    // Another address than that of the device which is flashed: on loopback they are all there.
    const to = { host: '127.0.0.1', port, localAddress: '127.0.0.2' };
    const socket = listener === 'tls' ? connectTls({ ...to, ...AS_A_DEVICE }) : connectTcp(to);
    socket.on('error', () => undefined);
    const isOver = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.resume();
    for (const piece of pieces) {
      await Promise.race([new Promise<void>((resolve) => socket.write(piece, () => resolve())), isOver]);
    }
    if (random.chance(3)) socket.end();
    const timer = setTimeout(() => socket.destroy(), random.below(PATIENCE_MS));
    await isOver;
    clearTimeout(timer);
  }

  private async ask(random: Random): Promise<void> {
    this.answer = toClient(random);
    const url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    const options = { signal: SIGNAL, limitMs: CLIENT_LIMIT_MS };
    const provisioning = { ssid: 'home', password: 'top secret', serverName: '127.0.0.1', port: 8443 };
    const asking = random.pick([
      () => readDevice(url, options),
      () => postProvisioning(url, provisioning, options),
      () => fetchInRanges(new URL(`${url}/final.bin`), { ...options, limitBytes: 100_000 }),
      () => readWebPage(new URL(url), options),
      () =>
        fetchImage(`${url}/final.bin`, {
          what: wording('no-final'),
          ...options,
          limitBytes: 100_000,
          stallMs: 50,
          retryMs: 1,
        }),
    ]);
    // That it refuses is what it is there for; whatever else it throws is a fault.
    await asking().catch((error: unknown) => {
      if (!(error instanceof FlashError)) throw error;
    });
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.once('data', () => socket.end(this.answer));
  }

  /**
   * A host starts on damaged files, is looked at as the sidebar and a bug report do, and is closed. What a process reads
   * once, and keeps as long as it lives, is read as in a new one.
   */
  private async start(random: Random, index: number): Promise<void> {
    const folder = this.folders.pop() ?? join(this.folder, `${index}`);
    for (const [name, content] of Object.entries(FILES)) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      const text = [content].flat().map((line) => `${JSON.stringify(line)}\n`);
      await writeFile(join(folder, name), damaged(random, Buffer.from(text.join(''))));
    }
    const ignored = (): void => undefined;
    recallHome(folder, ignored);
    await formerIn(folder, ignored)?.read('wlan0');
    await new FirmwareStore(join(folder, 'firmware')).list();
    const host = new FlashHost(ON_LOOPBACK, folder, 'host');
    await adoptFormerSetUps(host, folder, 'node');
    overviewOfHost(host);
    for (const job of host.jobs.all()) bundleOf(job, { versions: {}, secrets: [] });
    for (const { pending } of host.runs.pending.claim('cloud')) JSON.stringify(pending.message);
    host.queue.snapshot();
    await host.close({ forget: true });
    this.folders.push(folder);
  }
}

const FILES: Readonly<Record<string, object>> = {
  'jobs/host.json': {
    format: 'sonota-jobs/1',
    jobs: [{ ...JOB, evidence: OBSERVATIONS }],
    tickets: [PENDING],
    queue: { isPaused: false, entries: [ENTRY] },
  },
  'jobs/host.jsonl': [
    { format: 'sonota-jobs/2' },
    { jobs: [{ ...JOB, evidence: OBSERVATIONS }], tickets: [PENDING], entries: [ENTRY] },
    { queue: { isPaused: false, order: [ENTRY.id] }, gone: ['x'] },
  ],
  'keys/host.json': {
    format: 'sonota-keys/1',
    devices: { '1000a1b2c3': { pin: { salt: 'a'.repeat(32), sha256: 'a'.repeat(64) }, issued: [] } },
  },
  'set-ups/node.json': { format: 'sonota-set-ups/1', setUps: [{ id: '1', message: { payload: 1 } }] },
  'home-address.json': { format: 'sonota-home-address/1', address: '192.0.2.7' },
  'wifi.json': { format: 'sonota-wifi/1', interfaces: { wlan0: { uuid: 'u' } } },
  'firmware/index.json': { format: 'sonota-firmware/1', images: {}, sources: {} },
};

/** As the devices speak it, so that no time is lost with what a newer client would check. */
const AS_A_DEVICE = {
  rejectUnauthorized: false,
  minVersion: 'TLSv1.2',
  ciphers: 'AES128-SHA256:AES128-SHA:@SECLEVEL=0',
} as const;

function targetOf(point: number): Target {
  let left = point;
  for (const [target, share] of SHARES) if ((left -= share) < 0) return target;
  return 'plain';
}
