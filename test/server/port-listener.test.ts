import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Server, Socket } from 'node:net';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlashError } from '../../lib/errors';
import { ConnectionLimits } from '../../lib/server/connection-limits';
import { PortListener, whyNotOpen } from '../../lib/server/port-listener';
import { PeerRates } from '../../lib/server/rate-limit';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { afterwards, closeAll, PEER, RawClient } from './serving';
import { WORDINGS } from '../../lib/wordings/table';
import { wording } from '../../lib/wordings/wording';
import { freePort } from '../shared/ports';

const IGNORE = { handle: () => undefined };

function listener(): PortListener {
  const listener = new PortListener(IGNORE);
  afterwards(() => listener.close());
  return listener;
}

/** One connection a second of each peer, and three that wait. */
const slowRates = (): PeerRates => new PeerRates({ perSecond: 1, longestWaitMs: 3000, now: () => 0 });

async function refusal(port: number, bind: string): Promise<FlashError> {
  const error: unknown = await listener()
    .listen(port, bind)
    .catch((thrown: unknown) => thrown);
  assert.ok(error instanceof FlashError);
  assert.equal(error.code, 'port-in-use');
  assert.ok(error.cause instanceof Error && 'code' in error.cause, 'the cause is what the system said');
  assert.deepEqual([error.values['port'], error.values['bind']], [port, bind]);
  return error;
}

describe('PortListener', () => {
  afterEach(timeGoesOn);
  afterEach(closeAll);

  it('hands on each connection and names its peer', async () => {
    const seen: (number | undefined)[] = [];
    const listener = new PortListener({ handle: (socket) => void seen.push(socket.remotePort) });
    afterwards(() => listener.close());
    const port = await listener.listen(0, '127.0.0.1');
    assert.equal(listener.port, port);
    const connected = once(listener, 'connection');
    const client = await RawClient.to(port);
    assert.deepEqual(await connected, [PEER]);
    assert.deepEqual(seen, [client.socket.localPort]);
  });

  it('has no connection on which anything waits for more: a device reads what comes first', async () => {
    // No other way shows it: on the loopback an acknowledgement is there before anything waits.
    const setNoDelay = mock.method(Socket.prototype, 'setNoDelay');
    try {
      const handled: Socket[] = [];
      const listener = new PortListener({ handle: (socket) => void handled.push(socket) });
      afterwards(() => listener.close());
      const connected = once(listener, 'connection');
      await RawClient.to(await listener.listen(0, '127.0.0.1'));
      await connected;
      const calls = setNoDelay.mock.calls.filter((call) => call.this === handled[0]);
      assert.deepEqual(
        calls.map((call) => call.arguments),
        [[true]],
      );
    } finally {
      setNoDelay.mock.restore();
    }
  });

  it('continues listening where a connection cannot be handled', async () => {
    const failing = new PortListener({
      handle: () => {
        throw new Error('refused');
      },
    });
    afterwards(() => failing.close());
    const port = await failing.listen(0, '127.0.0.1');
    for (const reason of ['refused', 'refused']) {
      const trouble = once(failing, 'trouble');
      const client = await RawClient.to(port);
      assert.equal(((await trouble)[0] as Error).message, reason);
      await client.until(() => client.closed);
    }
  });

  it('reports trouble with its port, such as too many files, and continues', async () => {
    const listen = mock.method(Server.prototype, 'listen');
    const troubled = listener();
    const port = await troubled.listen(0, '127.0.0.1');
    listen.mock.restore();
    const trouble = once(troubled, 'trouble');
    const error = new Error('accept EMFILE');
    (listen.mock.calls[0]?.this as Server).emit('error', error);
    assert.deepEqual(await trouble, [error]);
    await RawClient.to(port);
  });

  it('listens on the address that it is given alone, and on one port at a time', async () => {
    const one = listener();
    const first = await one.listen(0, '127.0.0.2');
    await assert.rejects(RawClient.to(first), { code: 'ECONNREFUSED' });
    const client = await RawClient.to(first, { host: '127.0.0.2' });
    const second = await one.listen(0, '127.0.0.1');
    assert.equal(one.port, second);
    await client.until(() => client.closed);
    await assert.rejects(RawClient.to(first, { host: '127.0.0.2' }), { code: 'ECONNREFUSED' });
    await RawClient.to(second);
  });

  it('gives each connection its turn, and none to one that has left before', async () => {
    timeStands(['setTimeout']);
    const { limits, rates } = { limits: new ConnectionLimits({ isOwn: () => false }), rates: slowRates() };
    const [accepted, handled]: [Socket[], Socket[]] = [[], []];
    const accept = mock.method(limits, 'count', (socket: Socket, peer: string) => {
      accepted.push(socket);
      return ConnectionLimits.prototype.count.call(limits, socket, peer);
    });
    const busy = new PortListener({ handle: (socket) => void handled.push(socket) }, { limits, rates });
    afterwards(() => busy.close());
    const dialled: string[] = [];
    busy.on('connection', (peer) => dialled.push(peer));
    const port = await busy.listen(0, '127.0.0.1');
    const clients: RawClient[] = [];
    for (let count = 1; count <= 4; count += 1) {
      clients.push(await RawClient.to(port));
      while (accepted.length < count) await nextTurn();
    }
    accept.mock.restore();
    assert.deepEqual(dialled, Array(4).fill(PEER), 'all of them have dialled');
    assert.deepEqual(handled, accepted.slice(0, 1));
    const left = new Promise((resolve) => accepted[2]?.once('close', resolve));
    clients[2]?.socket.resetAndDestroy();
    await left;
    timePasses(999);
    assert.equal(handled.length, 1);
    timePasses(1);
    assert.deepEqual(handled, accepted.slice(0, 2));
    timePasses(1000);
    assert.equal(handled.length, 2);
    timePasses(1000);
    assert.deepEqual(handled, [accepted[0], accepted[1], accepted[3]]);
  });

  it('lets this machine itself connect as fast as it likes', async () => {
    const limits = new ConnectionLimits({ isOwn: () => true });
    limits.on('refused', (_peer, limit) => assert.fail(limit));
    const handled: Socket[] = [];
    const quick = new PortListener({ handle: (socket) => void handled.push(socket) }, { limits, rates: slowRates() });
    afterwards(() => quick.close());
    const port = await quick.listen(0, '127.0.0.1');
    for (let count = 1; count <= 5; count += 1) {
      await RawClient.to(port);
      while (handled.length < count) await nextTurn();
    }
  });

  it('says who holds the port, and can try again when it is free', async () => {
    const holder = listener();
    const port = await holder.listen(0, '127.0.0.1');
    const second = listener();
    const reason = wording(process.platform === 'linux' ? 'port-taken-here' : 'port-taken');
    await assert.rejects(second.listen(port, '127.0.0.1'), {
      code: 'port-in-use',
      values: { port, bind: '127.0.0.1', reason },
    });
    assert.equal(second.port, undefined);
    await holder.close();
    assert.equal(await second.listen(port, '127.0.0.1'), port);
  });

  it('names another program that holds the port', async function () {
    if (process.platform !== 'linux') return this.skip();
    const listen =
      "require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })";
    const holder = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'ignore'] });
    afterwards(() => void holder.kill());
    const [line] = (await once(holder.stdout, 'data')) as [Buffer];
    const { values } = await refusal(Number(String(line)), '127.0.0.1');
    assert.match(values.reason?.text ?? '', new RegExp(`^another program holds it \\(.+, process ${holder.pid}\\)$`));
  });

  it('says that the address is not here, or not an address', async () => {
    // TEST-NET-3, which no machine has.
    assert.equal((await refusal(0, '203.0.113.1')).values.reason?.text, 'this machine does not have that address');
    assert.equal((await refusal(70_000, '127.0.0.1')).values.reason?.text, 'a port is a number from 0 to 65535');
  });

  it('has words for whatever keeps a port from being opened', async () => {
    const why = async (code: string, message = ''): Promise<string> => {
      const { text } = await whyNotOpen(Object.assign(new Error(message), { code }), await freePort());
      return text;
    };
    for (const [code, text] of [
      ['EACCES', WORDINGS['port-forbidden']],
      ['EADDRNOTAVAIL', WORDINGS['port-address-absent']],
      ['ENOTFOUND', WORDINGS['port-address-unknown']],
      ['EINVAL', WORDINGS['port-address-invalid']],
      ['ERR_SOCKET_BAD_PORT', WORDINGS['port-out-of-range']],
      ['EADDRINUSE', WORDINGS['port-taken']],
      ['EMFILE', 'too many files'],
    ] as const) {
      assert.equal(await why(code, 'too many files'), text);
    }
  });

  it('frees the port immediately, with connections open, and can be closed twice', async () => {
    timeStands();
    const holder = listener();
    const port = await holder.listen(0, '127.0.0.1');
    const clients = await Promise.all([0, 1, 2].map(() => RawClient.to(port)));
    await Promise.all([holder.close(), holder.close()]);
    assert.equal(holder.port, undefined);
    await Promise.all(clients.map((client) => client.until(() => client.closed)));
    assert.equal(await listener().listen(port, '127.0.0.1'), port);
  });

  it('survives a connection that breaks without a listener for its error', async () => {
    const port = await listener().listen(0, '127.0.0.1');
    const client = await RawClient.to(port);
    client.socket.resetAndDestroy();
    await client.until(() => client.closed);
    await RawClient.to(port);
  });

  it('refuses what is beyond 512 connections, and reports it', async () => {
    const limits = new ConnectionLimits({ isOwn: () => true, total: 10_000 });
    const refused: unknown[] = [];
    limits.on('refused', (...refusal) => refused.push(refusal));
    const full = new PortListener(IGNORE, { limits });
    afterwards(() => full.close());
    const port = await full.listen(0, '127.0.0.1');
    const clients = await Promise.all(Array.from({ length: 512 }, () => RawClient.to(port)));
    assert.deepEqual(refused, []);
    const told = once(limits, 'refused');
    const one = await RawClient.to(port);
    await told;
    await one.until(() => one.closed);
    assert.deepEqual(refused, [[PEER, 'port']]);
    assert.ok(clients.every(({ closed }) => !closed));
  });
});
