import * as assert from 'node:assert';
import { once } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { md, pki } from 'node-forge';
import { makeUserImage } from '../../lib/image/writer';
import { AxTls } from './sonoff/axtls';
import { Flash, SLOT_ADDRESS } from './sonoff/flash';
import { makeIdentity } from './sonoff/identity';
import { header, jsonNumber, jsonText } from './sonoff/literal';
import { NewlibRand } from './sonoff/newlib-rand';
import { readOffer } from './sonoff/offer';
import { connect } from './sonoff/reader';
import { receivePaced } from './sonoff/receive-paced';

/** A judge must be judged first: what the lab's device refuses, so that its consent means something. */
describe("the lab's stock Sonoff", () => {
  let server: net.Server;

  /** A server on a port of its own; resolves with the client's end of a connection to it. */
  async function connectTo(made: net.Server): Promise<net.Socket> {
    server = made.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return await connect('127.0.0.1', (server.address() as net.AddressInfo).port, 2000);
  }

  afterEach(() => server?.close());

  it("draws newlib's numbers", () => {
    const rand = new NewlibRand();
    const drawn = Array.from({ length: 4 }, () => rand.next());
    assert.deepStrictEqual(drawn, [1481765933, 1085377743, 1270216262, 1191391529]);
  });

  it('reads only what is spelled as its firmware spells it', () => {
    assert.strictEqual(header('HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n', 'Content-Length'), '12');
    assert.strictEqual(header('HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n', 'Content-Length'), undefined);
    assert.strictEqual(header('HTTP/1.1 200 OK\r\nContent-Length:12\r\n\r\n', 'Content-Length'), undefined);
    assert.strictEqual(jsonText('{"ssid":"a\\"b"}', 'ssid'), 'a\\');
    assert.strictEqual(jsonNumber('{"port":"8443"}', 'port'), undefined);
  });

  it('shakes hands in TLS 1.1 without extensions, and only there', async () => {
    const identity = selfSigned();
    const options = { ...identity, minVersion: 'TLSv1' as const, ciphers: 'AES128-SHA:AES256-SHA:@SECLEVEL=0' };
    const lenient = tls.createServer(options, (socket) => socket.pipe(socket));
    const line = await AxTls.over(await connectTo(lenient));
    line.write('register');
    const [echo] = (await once(line, 'data')) as [Buffer];
    assert.strictEqual(echo.toString(), 'register');
    line.destroy();
    server.close();
    const modern = tls.createServer(identity).on('tlsClientError', () => undefined);
    await assert.rejects(AxTls.over(await connectTo(modern)), /alert 70|closed/);
  });

  it('answers a flawed upgrade command with its codes', () => {
    const device = makeIdentity('range', 1, '10000a1b2c', 'k'.repeat(36));
    const entry = (slot: number) => ({
      downloadUrl: `http://10.0.0.1:8080/${slot}`,
      digest: 'a'.repeat(64),
      name: `user${slot}.bin`,
    });
    const good = { binList: [entry(1), entry(2)], model: 'ITA-GZ1-GL', version: '23.42.5' };
    const offer = (params: object) => readOffer(device, JSON.stringify({ action: 'upgrade', params }));
    assert.deepStrictEqual(offer(good), { host: '10.0.0.1', port: 8080, path: '/2', digest: 'a'.repeat(64), slot: 2 });
    assert.strictEqual(offer({ ...good, model: 'PSA-B01-GL' }), 406);
    assert.strictEqual(offer({ ...good, version: '1.5.5' }), 410);
    assert.strictEqual(offer({ ...good, binList: [entry(1)] }), 400);
    assert.strictEqual(offer({ ...good, binList: [{ ...entry(2), digest: 'A'.repeat(64) }] }), 400);
    assert.strictEqual(offer({ ...good, binList: [{ ...entry(2), downloadUrl: 'https://10.0.0.1/2' }] }), 400);
  });

  for (const [what, head, body, reason] of [
    ['a body in the packet of the header', 'HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n', 1024, /too fast/],
    ['a body before its erase is through', 'HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n', 0, /too fast/],
    ['a header in lower case', 'HTTP/1.1 200 OK\r\ncontent-length: 4096\r\n\r\n', 0, /Content-Length/],
    ['another status line', 'HTTP/1.1 206 Partial Content\r\nContent-Length: 4096\r\n\r\n', 0, /not a 200/],
  ] as const) {
    it(`refuses, in the class without ranges, ${what}`, async () => {
      const hasty = net.createServer((socket) => {
        socket.on('error', () => undefined);
        socket.write(Buffer.concat([Buffer.from(head), Buffer.alloc(body)]));
        // The device has read the header when its answer comes; then the rest follows.
        socket.once('data', () => socket.write(Buffer.alloc(1400)));
      });
      const socket = await connectTo(hasty);
      socket.once('data', () => socket.write('read'));
      await assert.rejects(
        receivePaced(socket, 471_040, () => undefined),
        reason,
      );
      socket.destroy();
    });
  }

  it('boots only an image that the loader would start', () => {
    const flash = new Flash();
    const image = makeUserImage({ slot: 2, size: 20_000 });
    flash.program(SLOT_ADDRESS[2], image);
    assert.strictEqual(flash.boots(2), true);
    assert.strictEqual(flash.boots(1), false);
    const inner = SLOT_ADDRESS[2] + 16 + image.readUInt32LE(12);
    flash.bytes[inner + 20]! ^= 1;
    assert.strictEqual(flash.boots(2), false);
  });
});

function selfSigned(): { key: string; cert: string } {
  const keys = pki.rsa.generateKeyPair(1024);
  const certificate = pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
  certificate.sign(keys.privateKey, md.sha256.create());
  return { key: pki.privateKeyToPem(keys.privateKey), cert: pki.certificateToPem(certificate) };
}
