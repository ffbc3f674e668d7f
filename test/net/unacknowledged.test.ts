import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { unacknowledgedBytes } from '../../lib/net/unacknowledged';

describe('unacknowledgedBytes', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [bind, host] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['::', '127.0.0.1'],
  ] as const) {
    it(`counts what the peer has not taken (from ${host}, listening on ${bind})`, async function () {
      const server = createServer();
      const listening = once(server, 'listening').then(() => true);
      const failed = once(server, 'error').then(() => false);
      server.listen(0, bind);
      // A machine without IPv6.
      if (!(await Promise.race([listening, failed]))) return this.skip();
      const accepting = once(server, 'connection') as Promise<[Socket]>;
      const client = connect({ port: (server.address() as AddressInfo).port, host });
      const [socket] = await accepting;
      assert.equal(unacknowledgedBytes(socket), 0);

      client.pause();
      socket.write(Buffer.alloc(8_000_000));
      while ((unacknowledgedBytes(socket) ?? 0) === 0) await new Promise(setImmediate);

      client.resume();
      await once(socket, 'drain');
      while (unacknowledgedBytes(socket) !== 0) await new Promise(setImmediate);

      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      client.resetAndDestroy();
      await closed;
      assert.equal(unacknowledgedBytes(socket), undefined);
      server.close();
    });
  }
});
