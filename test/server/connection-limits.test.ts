import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CloudServer } from '../../lib/server/cloud-server';
import {
  ConnectionLimits,
  type ConnectionLimitsOptions,
  type CountedConnection,
  type Limit,
} from '../../lib/server/connection-limits';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { HANDSHAKE_RATE } from '../../lib/server/device-servers';
import { ImageServer } from '../../lib/server/image-server';
import { PortListener, type PortListenerOptions } from '../../lib/server/port-listener';
import { PeerRates } from '../../lib/server/rate-limit';
import type { SocketHandler } from '../../lib/server/socket-handler';
import { TlsFront, type HandshakeFailed } from '../../lib/server/tls-front';
import type { TlsIdentity } from '../../lib/server/tls-identity';
import { AXTLS_HELLO } from './client-hellos';
import { testIdentity } from '../shared/test-identity';
import { afterwards, closeAll, RawClient, reach } from './serving';
import { WebSocketDevice } from './websocket-device';

const STRANGER = '127.0.0.66';
/** The message that ends what the server says before it waits for the client. */
const SERVER_HELLO_DONE = '0e000000';
const IGNORE = { handle: () => undefined };

const dispatchOf = (deviceid: string): string => {
  const apikey = '11111111-2222-4333-8444-555555555555';
  const body = JSON.stringify({ deviceid, apikey, model: 'ITA-GZ1-GL', romVersion: '1.5.5', ts: 1 });
  return `POST /dispatch/device HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

/** Limits for which no address is this machine's own, and whom they refused. */
function limitsFor(options: ConnectionLimitsOptions = {}): { limits: ConnectionLimits; refused: [string, Limit][] } {
  const limits = new ConnectionLimits({ isOwn: () => false, ...options });
  const refused: [string, Limit][] = [];
  limits.on('refused', (...refusal) => refused.push(refusal));
  return { limits, refused };
}

async function listen(handler: Pick<SocketHandler, 'handle'>, options: PortListenerOptions): Promise<number> {
  const listener = new PortListener(handler, options);
  afterwards(() => listener.close());
  return listener.listen(0, '127.0.0.1');
}

function cloudServer(): CloudServer {
  const cloud = new CloudServer({ whereToConnect: () => ({ address: '127.0.0.1', port: 1 }) });
  afterwards(() => cloud.close());
  return cloud;
}

/** Connections one after the other, the oldest first. */
async function dial(port: number, count: number, localAddress = STRANGER): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) clients.push(await RawClient.to(port, { localAddress }));
  return clients;
}

const closed = (clients: RawClient[]): Promise<unknown> =>
  Promise.all(clients.map((client) => client.until(() => client.closed)));
const areOpen = (clients: RawClient[]): boolean => clients.every((client) => !client.closed);

describe('limits of connections', () => {
  let identity: TlsIdentity;

  before(async () => {
    identity = await testIdentity();
  });
  afterEach(closeAll);

  it('closes the oldest of a peer that has more than 16, on all ports together, and no one else', async () => {
    const { limits, refused } = limitsFor();
    const ports = [await listen(IGNORE, { limits }), await listen(IGNORE, { limits })] as const;
    const other = await dial(ports[0], 16, '127.0.0.3');
    const first = await dial(ports[0], 10);
    const second = await dial(ports[1], 10);
    await closed(first.slice(0, 4));
    // A connection that is refused is closed before the next one is accepted.
    const [last] = await dial(ports[0], 1);
    await closed(first.slice(4, 5));
    assert.ok(last && areOpen([...other, ...first.slice(5), ...second, last]));
    assert.deepEqual(refused, Array<unknown>(5).fill([STRANGER, 'peer']));
  });

  it('closes the oldest of all where there are more than 256', async () => {
    const { limits, refused } = limitsFor();
    const port = await listen(IGNORE, { limits });
    const clients: RawClient[] = [];
    for (let peer = 1; peer <= 17; peer += 1) clients.push(...(await dial(port, 16, `127.0.1.${peer}`)));
    await closed(clients.slice(0, 16));
    assert.ok(areOpen(clients.slice(16)));
    assert.deepEqual(refused, Array<unknown>(16).fill(['127.0.1.1', 'total']));
  });

  it('gives this machine itself no other limit than the total', async () => {
    const { limits, refused } = limitsFor({ isOwn: (peer) => peer === '127.0.0.9', total: 20 });
    const port = await listen(IGNORE, { limits });
    const own = await dial(port, 21, '127.0.0.9');
    await closed(own.slice(0, 1));
    assert.ok(areOpen(own.slice(1)));
    assert.deepEqual(refused, [['127.0.0.9', 'total']]);
  });

  it('takes the loopback for this machine, and other addresses not', () => {
    const limits = new ConnectionLimits();
    assert.deepEqual(['127.0.0.1', '127.9.9.9', '192.0.2.1'].map(limits.isOwn), [true, true, false]);
  });

  it('forgets a connection that its peer has closed', async () => {
    const { limits, refused } = limitsFor({ perPeer: 2 });
    const listener = new PortListener(
      { handle: (socket) => void socket.resume().on('end', () => socket.end()) },
      { limits },
    );
    afterwards(() => listener.close());
    const port = await listener.listen(0, '127.0.0.1');
    for (let at = 0; at < 5; at += 1) {
      const [client] = await dial(port, 1);
      client?.socket.end();
      await closed([client as RawClient]);
    }
    await dial(port, 2);
    assert.deepEqual(refused, []);
  });

  it('never closes a session or a connection that was granted an image, and does not count them', async () => {
    const { limits, refused } = limitsFor({ perPeer: 3, total: 5 });
    const cloud = cloudServer();
    const image = Buffer.alloc(10_000);
    const observer = { sent: () => undefined, ended: () => undefined };
    const images = new ImageServer({ find: () => ({ bytes: image, observer }) });
    afterwards(() => images.close());
    const cloudPort = await listen({ handle: (socket, one) => cloud.handle(socket, 'plain', one) }, { limits });
    const imagePort = await listen(images, { limits });
    const wires = await dial(cloudPort, 2);
    const sessions: WebSocketDevice[] = [];
    for (const wire of wires) {
      const { device } = await WebSocketDevice.open(wire);
      await device.register();
      sessions.push(device);
    }
    const [download] = (await dial(imagePort, 1)) as [RawClient];
    download.write('GET /image HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\n\r\n');
    await download.answer();
    const idle = await dial(imagePort, 6);
    await closed(idle.slice(0, 3));
    assert.deepEqual(refused, Array<unknown>(3).fill([STRANGER, 'peer']));
    assert.ok(areOpen([...wires, download, ...idle.slice(3)]));
  });

  it('closes one whose dispatch was answered only after those that came before the answer', async () => {
    const { limits } = limitsFor({ perPeer: 2 });
    const cloud = cloudServer();
    const port = await listen({ handle: (socket, one) => cloud.handle(socket, 'plain', one) }, { limits });
    const [device, idle] = (await dial(port, 2)) as [RawClient, RawClient];
    device.write(dispatchOf('1000000001'));
    await device.answer();
    await dial(port, 1);
    await closed([idle]);
    assert.equal(device.closed, false);
  });

  it('does not count a device again that it knows', async () => {
    const { limits, refused } = limitsFor({ perPeer: 1 });
    const counted: CountedConnection[] = [];
    const port = await listen({ handle: (_, connection) => void (connection && counted.push(connection)) }, { limits });
    const [device] = await dial(port, 1);
    while (counted.length < 1) await nextTurn();
    counted[0]?.identify();
    counted[0]?.renew();
    const [stranger] = await dial(port, 1);
    while (counted.length < 2) await nextTurn();
    await dial(port, 1);
    await closed([stranger as RawClient]);
    assert.equal(device?.closed, false);
    assert.deepEqual(
      counted.slice(0, 2).map(({ isRefused }) => isRefused),
      [false, true],
    );
    assert.deepEqual(refused, [[STRANGER, 'peer']]);
  });

  it('does not misreport a handshake that it has broken off itself', async () => {
    const { limits } = limitsFor({ perPeer: 1 });
    const front = new TlsFront(identity, () => undefined);
    afterwards(() => front.close());
    const failures: HandshakeFailed[] = [];
    front.on('handshake-failed', (failure) => failures.push(failure));
    const port = await listen(front, { limits });
    const [first] = (await dial(port, 1)) as [RawClient];
    first.write(AXTLS_HELLO);
    await first.until(() => first.bytes.toString('hex').endsWith(SERVER_HELLO_DONE));
    const [second] = (await dial(port, 1)) as [RawClient];
    await closed([first]);
    const failed = once(front, 'handshake-failed');
    second.write('GET / HTTP/1.1\r\n\r\n');
    await failed;
    assert.deepEqual(
      failures.map(({ failure }) => failure),
      ['not-tls'],
    );
  });

  it('puts off handshakes that come too fast, and refuses those that would wait too long without closing others', async () => {
    const { limits, refused } = limitsFor();
    const rates = new PeerRates({ ...HANDSHAKE_RATE, now: () => 0 });
    const handled: number[] = [];
    const port = await listen({ handle: (socket) => void handled.push(socket.remotePort ?? 0) }, { limits, rates });
    const clients = await Promise.all(Array.from({ length: 30 }, () => reach(port, STRANGER)));
    // 5 immediately and 10 within 2 s; their clock stands still.
    await closed(clients.slice(15));
    assert.ok(areOpen(clients.slice(0, 15)));
    assert.deepEqual(refused, Array<unknown>(15).fill([STRANGER, 'handshakes']));
    assert.deepEqual(
      handled.slice(0, 5),
      clients.slice(0, 5).map(({ socket }) => socket.localPort),
    );
    const [other] = await dial(port, 1, '127.0.0.3');
    assert.ok(other && areOpen([other]));
  });

  it('leaves nothing of a refused connection in the table of the kernel', async function () {
    if (process.platform !== 'linux') this.skip();
    const { limits } = limitsFor({ perPeer: 1 });
    const port = await listen(IGNORE, { limits });
    const clients = await dial(port, 20);
    await closed(clients.slice(0, 19));
    const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const states = (await readFile('/proc/net/tcp', 'latin1')).split('\n').flatMap((line) => {
      const [, from, , state] = line.trim().split(/\s+/);
      return from === local ? [state] : [];
    });
    // Established, and listening.
    assert.deepEqual(states.sort(), ['01', '0A']);
  });

  it('completes a handshake that was put off, though its hello came before', async () => {
    const { limits } = limitsFor();
    const rates = new PeerRates({ perSecond: 1, longestWaitMs: 1000, now: () => 0 });
    const front = new TlsFront(identity, (socket) => socket.pipe(socket));
    afterwards(() => front.close());
    const port = await listen(front, { limits, rates });
    await dial(port, 1);
    const raw = connectTcp({ port, host: '127.0.0.1', localAddress: STRANGER });
    const socket = connect({ socket: raw, rejectUnauthorized: false });
    afterwards(() => void socket.destroy());
    await once(socket, 'secureConnect');
    socket.write('ping');
    assert.equal(String(((await once(socket, 'data')) as [Buffer])[0]), 'ping');
  });

  it('serves 200 devices on the loopback that come at the same time', async () => {
    const limits = new ConnectionLimits();
    limits.on('refused', (peer, limit) => assert.fail(`${peer} was refused: ${limit}`));
    const cloud = cloudServer();
    const ready = new Set<string>();
    cloud.on('connected', (connection: DeviceConnection) => {
      connection.on('ready', () => ready.add(connection.device?.deviceid ?? ''));
    });
    const port = await listen({ handle: (socket, one) => cloud.handle(socket, 'plain', one) }, { limits });
    await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const deviceid = `1000000${String(at).padStart(3, '0')}`;
        const asking = await RawClient.to(port);
        asking.write(dispatchOf(deviceid));
        await asking.answer();
        asking.socket.end();
        const { device } = await WebSocketDevice.open(await RawClient.to(port));
        await device.becomeReady(deviceid);
      }),
    );
    assert.equal(ready.size, 200);
  });
});
