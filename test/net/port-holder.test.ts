import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { portHolder } from '../../lib/net/port-holder';

const LISTEN = `const server = require('node:net').createServer().listen(0, process.argv[1], () => console.log(server.address().port))`;

describe('net/port-holder', function () {
  const children: ChildProcess[] = [];

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill();
      await once(child, 'exit');
    }
  });

  async function otherProgram(bind: string): Promise<{ child: ChildProcess; port: number }> {
    const child = spawn(process.execPath, ['-e', LISTEN, bind], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, port: Number(line.toString()) };
  }

  for (const bind of ['127.0.0.1', '0.0.0.0', '::']) {
    it(`names the program that listens on ${bind}`, async () => {
      const { child, port } = await otherProgram(bind);
      const holder = await portHolder(port);
      assert.equal(holder?.pid, child.pid);
      assert.match(holder?.program ?? '', /node|MainThread/);
    });
  }

  it('names this process too', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    assert.equal((await portHolder((server.address() as AddressInfo).port))?.pid, process.pid);
    server.close();
  });

  it('knows a port whose number is short', async () => {
    // The kernel writes each with four digits.
    for (let port = 4095; ; port -= 1) {
      const server = createServer().listen(port, '127.0.0.1');
      const isHeld = await Promise.race([
        once(server, 'listening').then(() => true),
        once(server, 'error').then(() => false),
      ]);
      if (!isHeld) continue;
      assert.equal((await portHolder(port))?.pid, process.pid);
      return void server.close();
    }
  });

  it('names no process where none listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    assert.equal(await portHolder(port), undefined);
  });
});
