import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { mock } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { CloudServer } from '../../lib/server/cloud-server';
import { ConnectionLimits, type ConnectionLimitsOptions } from '../../lib/server/connection-limits';
import { DeviceServers, type ListenSettings } from '../../lib/server/device-servers';
import { ImageServer } from '../../lib/server/image-server';
import { TlsFront } from '../../lib/server/tls-front';
import type { TlsIdentity } from '../../lib/server/tls-identity';
import { freePort, occupy } from '../shared/ports';
import { testIdentity } from '../shared/test-identity';
import { afterwards, closeAll, PEER, RawClient, reach, serve } from './serving';
import { WebSocketDevice } from './websocket-device';

const ANY: ListenSettings = { bind: '127.0.0.1', httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
const IMAGE = 'GET /image HTTP/1.1\r\nRange: bytes=0-3\r\n\r\n';
const TO_CLOUD = 'GET /api/ws HTTP/1.1\r\nHost: x\r\n\r\n';

describe('server/device-servers', () => {
  let identity: TlsIdentity;

  before(async () => {
    identity = await testIdentity();
  });
  afterEach(closeAll);

  function deviceServers(options: ConnectionLimitsOptions = {}) {
    const limits = new ConnectionLimits(options);
    const refused: string[] = [];
    limits.on('refused', (_peer, limit) => refused.push(limit));
    const cloud = new CloudServer({ whereToConnect: () => ({ address: '127.0.0.1', port: 1 }) });
    const tlsFront = new TlsFront(identity, (socket, connection) => cloud.handle(socket, 'tls', connection));
    const observer = { sent: () => undefined, ended: () => undefined };
    const images = new ImageServer({ find: () => ({ bytes: Buffer.from('image'), observer }) });
    const servers = new DeviceServers({ tlsFront, cloud, images, limits });
    afterwards(() => servers.close());
    const dialled: unknown[] = [];
    servers.on('cloud-dialled', (...call) => dialled.push(['cloud', ...call]));
    servers.on('image-dialled', (...call) => dialled.push(['image', ...call]));
    return { servers, dialled, refused, tlsFront, cloud, images };
  }

  async function overTls(port: number): Promise<RawClient> {
    const to = { port, host: '127.0.0.1', localAddress: PEER };
    const socket = connectTls({ ...to, rejectUnauthorized: false });
    const client = RawClient.over(socket);
    await once(socket, 'secureConnect');
    return client;
  }

  async function headOf(client: RawClient, request: string): Promise<string> {
    client.write(request);
    return (await client.answer()).head.split('\r\n', 1)[0] ?? '';
  }

  it('answers on each port as what devices dial there, and says who dialled which', async () => {
    const { servers, dialled } = deviceServers();
    assert.equal(servers.ports, undefined);
    const legacyPort = await freePort();
    const ports = await servers.open({ ...ANY, legacyPort });
    assert.deepEqual(servers.ports, ports);
    assert.equal(ports.legacy, legacyPort);
    assert.equal(new Set([0, ports.https, ports.legacy, ports.http]).size, 4);
    assert.equal(await headOf(await overTls(ports.https), TO_CLOUD), 'HTTP/1.1 404 Not Found');
    assert.equal(await headOf(await RawClient.to(ports.legacy), TO_CLOUD), 'HTTP/1.1 404 Not Found');
    assert.equal(await headOf(await RawClient.to(ports.http), IMAGE), 'HTTP/1.1 206 Partial Content');
    assert.deepEqual(dialled, [
      ['cloud', PEER, 'tls'],
      ['cloud', PEER, 'plain'],
      ['image', PEER],
    ]);
  });

  it('opens each port that is named, and none for plain connections where it is off', async () => {
    const { servers } = deviceServers();
    const [httpsPort, httpPort] = [await freePort(), await freePort()];
    assert.deepEqual(await servers.open({ ...ANY, httpsPort, httpPort }), {
      https: httpsPort,
      legacy: 0,
      http: httpPort,
    });
  });

  it('listens on the address that is named alone', async () => {
    const { servers } = deviceServers();
    const finalStagePort = await freePort();
    const legacyPort = await freePort();
    const { https, legacy, http } = await servers.open({ ...ANY, bind: '127.0.0.2', legacyPort, finalStagePort });
    await servers.openFinalStage();
    for (const port of [https, legacy, http, finalStagePort]) {
      await assert.rejects(RawClient.to(port), { code: 'ECONNREFUSED' });
      await RawClient.to(port, { host: '127.0.0.2' });
    }
  });

  for (const taken of ['httpsPort', 'legacyPort', 'httpPort'] as const) {
    it(`opens none where another program holds its ${taken}`, async () => {
      const { servers } = deviceServers();
      const settings = {
        ...ANY,
        httpsPort: await freePort(),
        legacyPort: await freePort(),
        httpPort: await freePort(),
      };
      const holder = await occupy(settings[taken]);
      try {
        await assert.rejects(servers.open(settings), (error: Error & { code: string; values: { port: number } }) => {
          assert.deepEqual([error.code, error.values.port], ['port-in-use', settings[taken]]);
          return true;
        });
        assert.equal(servers.ports, undefined);
        const others = [settings.httpsPort, settings.legacyPort, settings.httpPort].filter(
          (port) => port !== settings[taken],
        );
        for (const port of others) await (await occupy(port)).release();
      } finally {
        await holder.release();
      }
      assert.equal((await servers.open(settings)).http, settings.httpPort);
    });
  }

  describe("on FinalStage's own port", () => {
    it('serves images too, while it is open, and nothing else stops with it', async () => {
      const { servers, dialled } = deviceServers();
      const finalStagePort = await freePort();
      await servers.openFinalStage();
      assert.equal(servers.finalStagePort, undefined, 'nothing is open yet');
      const { http } = await servers.open({ ...ANY, finalStagePort });
      assert.equal(servers.finalStagePort, undefined, 'it is not needed yet');
      await servers.openFinalStage();
      assert.equal(servers.finalStagePort, finalStagePort);
      const client = await RawClient.to(finalStagePort);
      assert.equal(await headOf(client, IMAGE), 'HTTP/1.1 206 Partial Content');
      assert.deepEqual(dialled, [['image', PEER]]);
      await servers.openFinalStage();
      client.clear();
      assert.equal(await headOf(client, IMAGE), 'HTTP/1.1 206 Partial Content', 'it is not opened again');
      const other = await RawClient.to(http);
      await servers.closeFinalStage();
      await client.until(() => client.closed);
      assert.equal(servers.finalStagePort, undefined);
      assert.equal(await headOf(other, IMAGE), 'HTTP/1.1 206 Partial Content');
    });

    it('listens once where it is the port of the images', async () => {
      const { servers } = deviceServers();
      const httpPort = await freePort();
      await servers.open({ ...ANY, httpPort, finalStagePort: httpPort });
      await servers.openFinalStage();
      assert.equal(servers.finalStagePort, undefined);
    });
  });

  it('drops every connection and frees every port when it is closed', async () => {
    const { servers } = deviceServers();
    const finalStagePort = await freePort();
    const ports = await servers.open({ ...ANY, legacyPort: await freePort(), finalStagePort });
    await servers.openFinalStage();
    const session = await overTls(ports.https);
    await (await WebSocketDevice.open(session)).device.register();
    const clients = [session];
    for (const port of [ports.https, ports.legacy, ports.http, finalStagePort]) clients.push(await RawClient.to(port));
    await servers.close();
    assert.deepEqual([servers.ports, servers.finalStagePort], [undefined, undefined]);
    await Promise.all(clients.map((client) => client.until(() => client.closed)));
    for (const port of [ports.https, ports.legacy, ports.http, finalStagePort]) {
      await (await occupy(port)).release();
    }
    await servers.openFinalStage();
    assert.equal(servers.finalStagePort, undefined, 'nothing opens again behind the close');
  });

  it('drops what its servers got from elsewhere too', async () => {
    const { servers, tlsFront, cloud, images } = deviceServers();
    const clients: RawClient[] = [];
    for (const handler of [tlsFront, images, { handle: (socket: Socket) => cloud.handle(socket, 'plain') }]) {
      clients.push(await RawClient.to(await serve(handler)));
    }
    await servers.open(ANY);
    await servers.close();
    await Promise.all(clients.map((client) => client.until(() => client.closed)));
  });

  it('counts the connections of a peer on all ports together', async () => {
    const { servers, refused } = deviceServers({ isOwn: () => false, perPeer: 2 });
    const finalStagePort = await freePort();
    const ports = await servers.open({ ...ANY, legacyPort: await freePort(), finalStagePort });
    await servers.openFinalStage();
    const clients: RawClient[] = [];
    for (const port of [ports.https, ports.legacy, ports.http, finalStagePort]) clients.push(await RawClient.to(port));
    await Promise.all(clients.slice(0, 2).map((client) => client.until(() => client.closed)));
    assert.deepEqual(refused, ['peer', 'peer']);
  });

  it('limits handshakes, and no other connections', async () => {
    // They come in one moment, however long the test takes.
    const now = mock.method(performance, 'now', () => 0);
    try {
      const { servers, refused } = deviceServers({ isOwn: () => false, perPeer: 100 });
      const ports = await servers.open({ ...ANY, legacyPort: await freePort() });
      for (const port of [ports.legacy, ports.http]) {
        for (let count = 0; count < 20; count += 1) await RawClient.to(port);
      }
      assert.deepEqual(refused, []);
      const clients: RawClient[] = [];
      for (let count = 0; count < 17; count += 1) clients.push(await reach(ports.https));
      await Promise.all(clients.slice(15).map((client) => client.until(() => client.closed)));
      assert.deepEqual(refused, ['handshakes', 'handshakes']);
    } finally {
      now.mock.restore();
    }
  });

  it('reports trouble with any of its ports, and continues', async () => {
    const { servers, tlsFront, cloud } = deviceServers();
    tlsFront.handle = () => {
      throw new Error('no TLS');
    };
    cloud.handle = () => {
      throw new Error('no cloud');
    };
    const { https, legacy } = await servers.open({ ...ANY, legacyPort: await freePort() });
    for (const [port, reason] of [
      [https, 'no TLS'],
      [legacy, 'no cloud'],
    ] as const) {
      const trouble = once(servers, 'trouble') as Promise<[Error]>;
      const client = await RawClient.to(port);
      assert.equal((await trouble)[0].message, reason);
      await client.until(() => client.closed);
    }
  });
});
