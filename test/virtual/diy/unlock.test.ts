import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import type net from 'node:net';
import type { VirtualDiyOptions } from '../../../lib/virtual/diy/options';
import type { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';
import { closeAll, logs, opened } from '../lab';
import { RawServer } from '../raw-server';
import { command, exchange, ID, inDiyMode, openConnection, request } from './lab';

async function isUnlocked(port: number): Promise<boolean> {
  return ((await command(port, 'info')).data as { otaUnlock: boolean }).otaUnlock;
}

describe('virtual DIY device: unlock', () => {
  afterEach(closeAll);

  it('is unlocked by its vendor, without end', async () => {
    const { device, port } = await inDiyMode();
    assert.equal(await isUnlocked(port), false);
    assert.equal((await command(port, 'ota_unlock')).error, 0);
    assert.equal(await isUnlocked(port), true);
    const lan = once(device, 'lan');
    device.powerCycle();
    const [again] = (await lan) as [{ port: number }];
    assert.equal(await isUnlocked(again.port), true);
  });

  for (const code of [500, 503]) {
    it(`answers ${code} with that fault, and stays locked`, async () => {
      const { port } = await inDiyMode({ fault: `unlock-${code}` });
      assert.equal((await command(port, 'ota_unlock')).error, code);
      assert.equal(await isUnlocked(port), false);
    });
  }

  it('does not ask again where it is unlocked', async () => {
    const { port } = await inDiyMode({ fault: 'unlock-500', otaUnlock: true });
    assert.equal((await command(port, 'ota_unlock')).error, 0);
  });

  it('answers 0 with that fault, and stays locked', async () => {
    const { port } = await inDiyMode({ fault: 'unlock-lies' });
    assert.equal((await command(port, 'ota_unlock')).error, 0);
    assert.equal(await isUnlocked(port), false);
  });

  it('hangs with that fault, with its only place, and closes without a word', async () => {
    const { port } = await inDiyMode({ fault: 'unlock-hangs' });
    const { socket, received } = await openConnection(port);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(request('ota_unlock', { deviceid: ID, data: {} }));
    assert.equal(await exchange(port, request('info', { data: {} })), undefined);
    await closed;
    assert.equal(received(), '');
  });

  it('is free again as soon as the client of a hanging request leaves', async () => {
    const { device, port } = await inDiyMode({ fault: 'unlock-hangs', timings: { unlockHangs: 600_000 } });
    const { socket } = await openConnection(port);
    socket.write(request('ota_unlock', { deviceid: ID, data: {} }));
    assert.equal(await exchange(port, request('info', { data: {} })), undefined);
    await logs(device, /another one is open/);
    socket.destroy();
    assert.equal(await isUnlocked(port), false);
  });

  describe('by a server of the local network', () => {
    /** A DNS server by hand: one address for the one name, whatever it is asked. */
    async function dns(address: string | undefined): Promise<{ server: string; asked: Buffer[] }> {
      const socket = dgram.createSocket('udp4');
      const asked: Buffer[] = [];
      socket.on('message', (packet, { address: to, port }) => {
        asked.push(packet);
        const reply = Buffer.concat([
          packet.subarray(0, 2),
          Buffer.from(address ? [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] : [0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]),
          packet.subarray(12, packet.indexOf(0, 12) + 5),
          address
            ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)])
            : Buffer.alloc(0),
        ]);
        socket.send(reply, port, to);
      });
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      opened({ close: () => new Promise<void>((resolve) => socket.close(() => resolve())) });
      return { server: `127.0.0.1:${socket.address().port}`, asked };
    }

    /** Answers every request with these bytes. */
    async function vendor(reply: string): Promise<{ port: number; requests: string[] }> {
      const requests: string[] = [];
      const server = new RawServer((socket: net.Socket) => {
        socket.on('data', (bytes) => {
          requests.push(bytes.toString('latin1'));
          socket.end(reply);
        });
      });
      await opened(server).listen();
      return { port: server.port, requests };
    }

    function json(body: string, length = `Content-Length: ${body.length}\r\n`): string {
      return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${length}\r\n${body}`;
    }

    async function asking(
      options: Partial<VirtualDiyOptions>,
      behaviours: VirtualDiyOptions['behaviours'] = {},
    ): Promise<{ device: VirtualDiySonoff; port: number }> {
      return await inDiyMode({ fault: 'unlock-local', behaviours, ...options });
    }

    it('asks the name that its DNS gives, and takes the reply that it is made for', async () => {
      const { server, asked } = await dns('127.0.0.1');
      const service = await vendor(json('{"error":422}'));
      const { port } = await asking({ dns: server, vendorPort: service.port });
      assert.equal((await command(port, 'ota_unlock')).error, 0);
      assert.equal(await isUnlocked(port), true);
      assert.ok(asked[0]?.includes('\x04apid\x07coolkit\x02cn\0'));
      assert.match(
        service.requests[0] ?? '',
        new RegExp(
          `^POST /v2/d/otaflash HTTP/1\\.1\\r\\nHost: apid\\.coolkit\\.cn:${service.port}\\r\\nAuthorization: Sign [0-9a-f]{64}\\r\\n`,
        ),
      );
    });

    it('passes every other error on, and stays locked', async () => {
      const { server } = await dns('127.0.0.1');
      for (const [error, wanted] of [
        [422, 0],
        [0, 422],
        [500, 422],
      ]) {
        const service = await vendor(json(`{"error":${error}}`));
        const { device, port } = await asking(
          { dns: server, vendorPort: service.port },
          { unlocksOn: wanted as number },
        );
        assert.equal((await command(port, 'ota_unlock')).error, error);
        assert.equal(await isUnlocked(port), false);
        await device.stop();
      }
    });

    const unreadable: [string, string][] = [
      ['HTML', json('{"error":422}').replace('application/json', 'text/html')],
      ['no Content-Length', json('{"error":422}', '')],
      ['chunks', json('d\r\n{"error":422}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked\r\n')],
      ['another status', json('{"error":422}').replace('200 OK', '404 Not Found')],
      ['no JSON', json('OK')],
      ['nothing', ''],
    ];
    for (const [what, reply] of unreadable) {
      it(`answers 503 for a reply of ${what}`, async () => {
        const { server } = await dns('127.0.0.1');
        const service = await vendor(reply);
        const { port } = await asking({ dns: server, vendorPort: service.port });
        assert.equal((await command(port, 'ota_unlock')).error, 503);
        assert.equal(service.requests.length, 1);
      });
    }

    it('answers 503 without a DNS server, without the name, and where nothing listens', async () => {
      const nowhere = await asking({});
      assert.equal((await command(nowhere.port, 'ota_unlock')).error, 503);
      const unnamed = await asking({ dns: (await dns(undefined)).server });
      assert.equal((await command(unnamed.port, 'ota_unlock')).error, 503);
      const closed = await asking({ dns: (await dns('127.0.0.1')).server, vendorPort: 1 });
      assert.equal((await command(closed.port, 'ota_unlock')).error, 503);
    });

    it('never dials an address outside of the local network', async () => {
      const { device, port } = await asking({ dns: (await dns('52.57.118.192')).server });
      assert.equal((await command(port, 'ota_unlock')).error, 503);
      await logs(device, /asks no server outside/);
    });
  });
});
