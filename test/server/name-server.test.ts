import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createSocket, Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mock } from 'node:test';
import { promisify } from 'node:util';
import { NameServer, type NameServerOptions } from '../../lib/server/name-server';
import { assertCode } from '../flash/refusals';

const NAME = 'apid.coolkit.cn';
const run = promisify(execFile);

describe('server/name-server', () => {
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  async function serve(options: Partial<NameServerOptions> = {}): Promise<{ server: NameServer; port: number }> {
    const server = new NameServer({ name: NAME, address: '192.168.1.5', isLocal: () => true, ...options });
    undo.push(() => server.close());
    return { server, port: await server.listen(0, '127.0.0.1') };
  }

  /** @param timeout in ms; short only where no answer is to come */
  function resolver(port: number, timeout = 60_000): Resolver {
    const one = new Resolver({ timeout, tries: 1 });
    one.setServers([`127.0.0.1:${port}`]);
    return one;
  }

  describe('asked by the resolver of Node.js', () => {
    it('answers its name, has nothing else of it, and refuses every other one', async () => {
      const { port, server } = await serve();
      const asked: unknown[] = [];
      server.on('asked', (peer, { name, result }) => asked.push([peer, name, result]));
      assert.deepEqual(await resolver(port).resolve4(NAME, { ttl: true }), [{ address: '192.168.1.5', ttl: 30 }]);
      await assert.rejects(resolver(port).resolve6(NAME), { code: 'ENODATA' });
      await assert.rejects(resolver(port).resolve4('example.com'), { code: 'EREFUSED' });
      assert.deepEqual(asked, [
        ['127.0.0.1', NAME, 'address'],
        ['127.0.0.1', NAME, 'empty'],
        ['127.0.0.1', 'example.com', 'refused'],
      ]);
    });

    it('says nothing at all to who is not on a local network', async () => {
      const { port, server } = await serve({ isLocal: (peer) => peer !== '127.0.0.1' });
      server.on('asked', () => assert.fail('nobody was to be answered'));
      await assert.rejects(resolver(port, 100).resolve4(NAME), { code: 'ETIMEOUT' });
    });
  });

  describe('asked by dig', () => {
    async function dig(port: number, ...words: string[]): Promise<string> {
      const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(port), '+time=60', '+tries=1', ...words]);
      return stdout;
    }

    it('answers its name, however it is spelled', async () => {
      const { port } = await serve();
      assert.equal((await dig(port, '+short', NAME)).trim(), '192.168.1.5');
      assert.match(await dig(port, 'APID.CoolKit.cn'), /status: NOERROR[^]*APID\.CoolKit\.cn\.\s+30\s+IN\s+A\s+192/);
    });

    it('has no other record of it, and refuses every other name', async () => {
      const { port } = await serve();
      const none = await dig(port, 'AAAA', NAME);
      assert.match(none, /status: NOERROR.*[^]*ANSWER: 0/);
      assert.match(await dig(port, 'example.com'), /status: REFUSED/);
      for (const text of [none, await dig(port, '+dnssec', NAME)])
        assert.doesNotMatch(text, /malformed|mismatch|extra/i);
    });
  });

  it('outlives what is not DNS', async () => {
    const { port } = await serve();
    const socket = createSocket('udp4');
    undo.push(() => socket.close());
    for (const bytes of ['', 'GET / HTTP/1.1\r\n\r\n', '\0'.repeat(2000)]) {
      await promisify((text: string, done: (error: Error | null) => void) =>
        socket.send(text, port, '127.0.0.1', done),
      )(bytes);
    }
    assert.deepEqual(await resolver(port).resolve4(NAME), ['192.168.1.5']);
  });

  it('answers on one port at a time', async () => {
    const { port, server } = await serve();
    const again = await server.listen(0, '127.0.0.1');
    assert.deepEqual(await resolver(again).resolve4(NAME), ['192.168.1.5']);
    const freed = createSocket('udp4').bind({ port, address: '127.0.0.1', exclusive: true });
    await once(freed, 'listening');
    freed.close();
  });

  it('listens on the address that it is given alone', async () => {
    const { port } = await serve();
    const other = createSocket('udp4').bind({ port, address: '127.0.0.2', exclusive: true });
    await once(other, 'listening');
    other.close();
  });

  it('reports that its socket has failed', async () => {
    const bind = mock.method(Socket.prototype, 'bind');
    const { server } = await serve();
    bind.mock.restore();
    const trouble = once(server, 'trouble');
    const error = new Error('recvmsg ENETDOWN');
    (bind.mock.calls[0]?.this as Socket).emit('error', error);
    assert.deepEqual(await trouble, [error]);
  });

  it('frees its port, and may be closed twice', async () => {
    const { port, server } = await serve();
    await server.close();
    await server.close();
    const socket = createSocket('udp4').bind({ port, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    socket.close();
  });

  it('names the program that holds its port', async function () {
    if (process.platform !== 'linux') return this.skip();
    const script = `const s = require('node:dgram').createSocket('udp4').bind(0, '127.0.0.1', () => console.log(s.address().port))`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    undo.push(async () => {
      child.kill();
      await once(child, 'exit');
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const server = new NameServer({ name: NAME, address: '127.0.0.1', isLocal: () => true });
    const port = Number(line.toString());
    const error = await assertCode(server.listen(port, '127.0.0.1'), 'port-in-use');
    assert.deepEqual([error.values['port'], error.values['bind']], [port, '127.0.0.1']);
    child.kill();
    await once(child, 'exit');
    undo.pop();
    undo.push(() => server.close());
    assert.equal(await server.listen(port, '127.0.0.1'), port);
    assert.match(error.message, new RegExp(`process ${child.pid}\\)`));
  });
});
