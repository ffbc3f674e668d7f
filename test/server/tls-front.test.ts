import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, Socket } from 'node:net';
import { mock } from 'node:test';
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { TlsFront, type HandshakeFailed, type TlsFrontOptions } from '../../lib/server/tls-front';
import { type TlsIdentity } from '../../lib/server/tls-identity';
import { timeGoesOn, timeStands } from '../shared/standing-time';
import { AXTLS_HELLO, MBEDTLS_HELLO, MODERN_HELLO, RC4_HELLO } from './client-hellos';
import { afterwards, closeAll, PEER, RawClient, serve } from './serving';
import { testIdentity } from '../shared/test-identity';
import { wording } from '../../lib/wordings/wording';

/** The old suites are off in a client too, unless it asks for them. */
const ANY_CIPHER = 'DEFAULT:@SECLEVEL=0';

describe('TlsFront', () => {
  let identity: TlsIdentity;

  before(async () => {
    identity = await testIdentity();
  });
  afterEach(timeGoesOn);
  afterEach(closeAll);

  /** A front that echoes what it is sent. */
  async function front(options?: TlsFrontOptions) {
    const front = new TlsFront(identity, (socket) => socket.pipe(socket), options);
    afterwards(() => front.close());
    return { front, port: await serve(front) };
  }

  async function secure(port: number, options: ConnectionOptions): Promise<TLSSocket> {
    const socket = connect({
      ...{ port, host: '127.0.0.1', localAddress: PEER },
      ...{ rejectUnauthorized: false, ciphers: ANY_CIPHER },
      ...options,
    });
    afterwards(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  }

  async function failure(front: TlsFront): Promise<HandshakeFailed> {
    const [failed] = (await once(front, 'handshake-failed')) as [HandshakeFailed];
    return failed;
  }

  it('has fixtures of the lengths that were seen', () => {
    assert.equal(AXTLS_HELLO.length, 56);
    assert.equal(MBEDTLS_HELLO.length, 5 + 79);
    assert.equal(MBEDTLS_HELLO.readUIntBE(6, 3), 75);
  });

  for (const [library, hello, version] of [
    ['axTLS', AXTLS_HELLO, '0302'],
    ['mbed TLS', MBEDTLS_HELLO, '0303'],
  ] as const) {
    it(`answers the hello of a device with ${library}: AES128-SHA, and our certificate alone`, async () => {
      const { port } = await front();
      const client = await RawClient.to(port);
      client.write(hello);
      const messages = (): Map<number, Buffer> => handshakeMessages(client.bytes);
      await client.until(() => messages().has(14));
      const serverHello = messages().get(2);
      assert.equal(serverHello?.toString('hex', 0, 2), version);
      const afterSession = 2 + 32 + 1 + (serverHello?.[34] ?? 0);
      const suite = serverHello?.toString('hex', afterSession, afterSession + 2);
      assert.equal(suite, '002f');
      const der = Buffer.from(identity.cert.replace(/-----[^-]+-----|\s/g, ''), 'base64');
      const certificates = messages().get(11);
      assert.equal(certificates?.readUIntBE(0, 3), der.length + 3);
      assert.deepEqual(certificates?.subarray(6), der);
      assert.ok(client.bytes.length < 2048, 'the first flight fits the buffer of a device');
    });
  }

  for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
    it(`completes a handshake with ${version} and carries bytes both ways`, async () => {
      const { front: server, port } = await front();
      const secured = once(server, 'secured');
      const client = await secure(port, { minVersion: version, maxVersion: version });
      const [{ peer, protocol, cipher }] = (await secured) as [{ peer: string; protocol: string; cipher: string }];
      assert.equal(peer, PEER);
      assert.equal(protocol, version);
      if (version !== 'TLSv1.3') assert.equal(cipher, 'AES128-SHA');
      client.write('ping');
      assert.equal(String(((await once(client, 'data')) as [Buffer])[0]), 'ping');
    });
  }

  it('chooses the suite that costs a device least, whatever the device names first', async () => {
    const { port } = await front();
    const ciphers = 'AES256-SHA256:AES256-SHA:AES128-SHA256:AES128-SHA:@SECLEVEL=0';
    const client = await secure(port, { ciphers, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    assert.equal(client.getCipher().name, 'AES128-SHA');
  });

  it('keeps its records within the buffer of a device', async () => {
    const front = new TlsFront(identity, (socket) => void socket.write(Buffer.alloc(5000, 'x')));
    const port = await serve(front);
    const onTheWire: Buffer[] = [];
    const tap = await serve({
      handle: (near) => {
        const far = connectTcp({ port, host: '127.0.0.1' });
        far.on('data', (data) => onTheWire.push(data));
        near.pipe(far).pipe(near);
      },
    });
    const client = RawClient.over(await secure(tap, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' }));
    await client.until(() => client.bytes.length === 5000);
    const lengths = recordLengths(Buffer.concat(onTheWire), 0x17);
    assert.ok(lengths.length >= 5);
    // Initialisation vector, MAC and padding come on top.
    assert.ok(Math.max(...lengths) <= 1024 + 16 + 20 + 16, `records of ${lengths.join(', ')} bytes`);
  });

  it('leaves every other server of this process as strict as it was', async () => {
    await front();
    const strict = createServer({ key: identity.key, cert: identity.cert });
    afterwards(() => new Promise<void>((resolve) => strict.close(() => resolve())));
    strict.on('tlsClientError', () => undefined);
    strict.listen(0, '127.0.0.1');
    await once(strict, 'listening');
    const { port } = strict.address() as { port: number };
    const client = connect({
      port,
      host: '127.0.0.1',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: ANY_CIPHER,
    });
    afterwards(() => void client.destroy());
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    assert.match(error.code ?? '', /PROTOCOL_VERSION|ECONNRESET|UNSUPPORTED_PROTOCOL/);
  });

  describe('when a handshake fails', () => {
    for (const leave of ['reset', 'close'] as const) {
      it(`recognises a device that checks certificates: our certificate is out, then a ${leave}`, async () => {
        const { front: server, port } = await front();
        const failed = failure(server);
        const client = await RawClient.to(port);
        client.write(AXTLS_HELLO);
        await client.until(() => handshakeMessages(client.bytes).has(14));
        if (leave === 'reset') client.socket.resetAndDestroy();
        else client.socket.end();
        assert.deepEqual(await failed, {
          peer: PEER,
          code: 'ECONNRESET',
          failure: 'certificate-rejected',
          reason: wording('tls-broke-off-after'),
          helloSeen: true,
          certificateSent: true,
          isModern: false,
        });
      });
    }

    it('reports what checks certificates and is no device, by the length of its hello', async () => {
      const { front: server, port } = await front();
      const failed = failure(server);
      const client = await RawClient.to(port);
      client.write(MODERN_HELLO);
      await client.until(() => handshakeMessages(client.bytes).has(14));
      client.socket.end();
      const { failure: kind, isModern } = await failed;
      assert.deepEqual([kind, isModern], ['certificate-rejected', true]);
      await client.until(() => client.closed);
    });

    it('recognises a client that refuses our certificate with an alert', async () => {
      const { front: server, port } = await front();
      const failed = failure(server);
      const client = await RawClient.to(port);
      client.write(AXTLS_HELLO);
      await client.until(() => handshakeMessages(client.bytes).has(14));
      client.write(Buffer.from('1503020002022a', 'hex')); // fatal, bad certificate
      const { failure: kind, helloSeen, certificateSent, reason } = await failed;
      assert.deepEqual([kind, helloSeen, certificateSent], ['certificate-rejected', true, true]);
      assert.match(reason.text, /BAD_CERTIFICATE/);
    });

    it('reports what our side refuses', async () => {
      const { front: server, port } = await front();
      const failed = failure(server);
      const client = await RawClient.to(port);
      client.write(RC4_HELLO);
      const { failure: kind, code, helloSeen, certificateSent } = await failed;
      assert.deepEqual([kind, code], ['refused-here', 'ERR_SSL_NO_SHARED_CIPHER']);
      assert.deepEqual([helloSeen, certificateSent], [true, false]);
    });

    for (const [what, bytes] of [
      ['plain HTTP', 'POST /dispatch/device HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n'],
      ['garbage', Buffer.alloc(3000, 0xab)],
    ] as const) {
      it(`distinguishes ${what} from TLS`, async () => {
        const { front: server, port } = await front();
        const failed = failure(server);
        const client = await RawClient.to(port);
        client.write(bytes);
        const { failure: kind, helloSeen, certificateSent } = await failed;
        assert.deepEqual([kind, helloSeen, certificateSent], ['not-tls', false, false]);
        await client.until(() => client.closed);
      });
    }

    it('recognises a connection that left without a hello', async () => {
      const { front: server, port } = await front();
      const failed = failure(server);
      const client = await RawClient.to(port);
      client.socket.end();
      const { peer, failure: kind, helloSeen } = await failed;
      assert.deepEqual([peer, kind, helloSeen], [PEER, 'broken-off', false]);
      await client.until(() => client.closed);
    });

    it('gives a device 10 s for its handshake', async () => {
      // Node's own timer, which cannot be made to run out: only what it is set to shows.
      const setTimeout = mock.method(Socket.prototype, 'setTimeout');
      try {
        const { port } = await front();
        const client = await RawClient.to(port);
        client.write(AXTLS_HELLO);
        await client.until(() => handshakeMessages(client.bytes).has(14));
        assert.deepEqual(
          setTimeout.mock.calls.map((call) => call.arguments[0]),
          [10_000],
        );
      } finally {
        setTimeout.mock.restore();
      }
    });

    it('does not wait without end', async () => {
      const { front: server, port } = await front({ handshakeLimitMs: 80 });
      const failed = failure(server);
      const client = await RawClient.to(port);
      client.write(AXTLS_HELLO);
      const { failure: kind, certificateSent } = await failed;
      assert.deepEqual([kind, certificateSent], ['timeout', true]);
      await client.until(() => client.closed);
    });
  });

  it('closes immediately, in the middle of a handshake and behind it', async () => {
    timeStands();
    const { front: server, port } = await front();
    const silent = await RawClient.to(port);
    const halfway = await RawClient.to(port);
    halfway.write(AXTLS_HELLO);
    await halfway.until(() => halfway.segments.length > 0);
    const secured = RawClient.over(await secure(port, {}));
    server.close();
    await Promise.all([silent, halfway, secured].map((client) => client.until(() => client.closed)));
  });
});

/** The lengths of all records of this type. */
function recordLengths(bytes: Buffer, type: number): number[] {
  const lengths: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    if (bytes[at] === type) lengths.push(bytes.readUInt16BE(at + 3));
  }
  return lengths;
}

/** The handshake messages in clear TLS records, by type: 2 ServerHello, 11 Certificate, 14 ServerHelloDone. */
function handshakeMessages(bytes: Buffer): Map<number, Buffer> {
  const payloads: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    payloads.push(bytes.subarray(at + 5, at + 5 + bytes.readUInt16BE(at + 3)));
  }
  const stream = Buffer.concat(payloads);
  const messages = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= stream.length; at += 4 + stream.readUIntBE(at + 1, 3)) {
    messages.set(stream.readUInt8(at), stream.subarray(at + 4, at + 4 + stream.readUIntBE(at + 1, 3)));
  }
  return messages;
}
