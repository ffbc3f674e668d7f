import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Seen } from '../../lib/flash/observation';
import { CONNECTION_LIMITS } from '../../lib/server/connection-limits';
import { HANDSHAKE_RATE } from '../../lib/server/device-servers';
import { AXTLS_HELLO } from '../server/client-hellos';
import { closeBenches, openBench } from './bench';

const DEVICE_AT = '127.0.0.2';
const STRANGER = '127.0.0.66';
const IDLE = 2000;
/** Long enough for a machine that does much else. */
const TEST_LIMIT_MS = 300_000;
const STAGE = { timeoutSeconds: TEST_LIMIT_MS / 1000 };

/** One peer with as many connections as it can get. */
class Stranger {
  /** Of those that say nothing, how many it made, and which are open. */
  idled = 0;
  readonly idle = new Set<Socket>();
  /** Handshakes that it started, and those that were answered. */
  begun = 0;
  answered = 0;
  private isOver = false;
  private readonly open = new Set<Socket>();

  constructor(private readonly host: FlashHost) {}

  /** Connects to all ports one after the other and says nothing. */
  async idles(): Promise<void> {
    const { https, legacy, http } = this.host.ports;
    for (const port of Array.from({ length: IDLE }, (_, at) => [legacy, http, https][at % 3] ?? 0)) {
      const socket = await this.dial(port);
      this.idled += 1;
      if (socket.destroyed) continue;
      this.idle.add(socket);
      socket.resume().once('close', () => this.idle.delete(socket));
    }
  }

  /** Starts one handshake after the other, until `ends`. */
  async floods(): Promise<void> {
    while (!this.isOver) {
      const socket = await this.dial(this.host.ports.https);
      this.begun += 1;
      if (socket.destroyed) continue;
      socket.write(AXTLS_HELLO);
      socket.once('data', () => {
        this.answered += 1;
        socket.destroy();
      });
    }
  }

  ends(): void {
    this.isOver = true;
    for (const socket of this.open) socket.destroy();
  }

  /** The connection, which may be closed already. */
  private async dial(port: number): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: STRANGER });
    socket.on('error', () => undefined);
    this.open.add(socket);
    socket.once('close', () => this.open.delete(socket));
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()).once('close', () => resolve()));
    return socket;
  }
}

describe('flash: beside peers with more connections than they may have', function () {
  this.timeout(TEST_LIMIT_MS);

  afterEach(closeBenches);

  it('flashes a device to the end beside 2000 idle connections and a flood of handshakes', async () => {
    const bench = await openBench();
    const { host } = bench;
    bench.around.isOwnAddress = () => false;
    const logged: string[] = [];
    host.log = (_level, text) => void logged.push(text);
    const stranger = new Stranger(host);
    const device = await bench.device({ localAddress: DEVICE_AT });
    const { deviceid } = device;
    const startedAt = performance.now();
    const wait = bench.begin('cloud', { deviceid, ...STAGE });
    const idles = stranger.idles();
    const flood = stranger.floods();
    try {
      await device.start();
      await wait.outcome;
      await bench.begin('upgrade', { deviceid, ...STAGE }).outcome;
      const watch = bench.begin('finalstage', { deviceid, url: device.finalStageUrl, ...STAGE });
      assert.equal((await device.ended).result, 'flashed', device.log.join('\n'));
      assert.equal((await watch.outcome).job.stage, 'done');
      await idles;
    } finally {
      stranger.ends();
      await Promise.all([flood, idles]);
      stranger.ends();
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const { perSecond, longestWaitMs } = HANDSHAKE_RATE;
    assert.equal(stranger.idled, IDLE);
    assert.ok(stranger.begun > stranger.answered);
    const allowed = perSecond * (1 + longestWaitMs / 1000 + seconds);
    assert.ok(stranger.answered <= allowed, `${stranger.answered} handshakes in ${seconds} s`);
    const evidence = host.jobs.latest(deviceid)?.evidence.all ?? [];
    const refused = evidence.filter((one): one is Seen<'connection-refused'> => one.kind === 'connection-refused');
    assert.deepEqual(new Set(refused.map(({ peer }) => peer)), new Set([STRANGER]));
    assert.deepEqual(new Set(refused.map(({ limit }) => limit)), new Set(['peer', 'handshakes']));
    assert.equal(logged.filter((text) => text.includes(STRANGER)).length, 1);
  });

  it('serves no connection of a peer beyond its limit', async () => {
    const bench = await openBench();
    bench.around.isOwnAddress = () => false;
    const stranger = new Stranger(bench.host);
    await stranger.idles();
    while (stranger.idle.size > CONNECTION_LIMITS.peer) {
      const [oldest] = stranger.idle;
      assert.ok(oldest);
      await new Promise((resolve) => oldest.once('close', resolve));
    }
    // Of the newest ones each is still served; of the others none is left.
    const asking = [...stranger.idle].filter(({ remotePort }) => remotePort !== bench.host.ports.https);
    assert.ok(asking.length > 0);
    for (const socket of asking) {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.match(String(((await once(socket, 'data')) as [Buffer])[0]), /^HTTP\/1\.1 404 /);
    }
    stranger.ends();
  });

  it('serves 30 devices behind one address', async () => {
    const bench = await openBench();
    const { devices } = bench.host;
    bench.around.isOwnAddress = () => false;
    const ready = new Set<string>();
    devices.on('ready', ({ device }) => ready.add(device?.deviceid ?? '?'));
    for (let at = 10; at < 40; at += 1) {
      const device = await bench.device({ deviceid: `10000000${at}`, localAddress: DEVICE_AT });
      await device.start();
    }
    while (ready.size < 30) await once(devices, 'ready');
  });
});
