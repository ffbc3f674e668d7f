import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { FlashError } from '../../lib/errors';
import { CloudServer, MESSAGE_LIMIT, type CloudServerOptions, type Dispatched } from '../../lib/server/cloud-server';
import type { DeviceConnection, Via } from '../../lib/server/device-connection';
import { TlsFront } from '../../lib/server/tls-front';
import { type TlsIdentity } from '../../lib/server/tls-identity';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { afterwards, closeAll, PEER, RawClient, serve } from './serving';
import { DEVICE_ID, frame, WebSocketDevice, WEBSOCKET_REQUEST } from './websocket-device';
import { testIdentity } from '../shared/test-identity';
import { wording, type Wording } from '../../lib/wordings/wording';

const BODY =
  '{"accept":"ws;2","version":2,"ts":933,"deviceid":"100008db11","apikey":"11111111-2222-4333-8444-555555555555",' +
  '"model":"ITA-GZ1-GL","romVersion":"1.5.5"}';

/** Header by header what a device sends (docs/dev/stock-firmware.md#2.1). */
const dispatch = (body: string, type = 'application/json'): string =>
  `POST /dispatch/device HTTP/1.1\r\nHost: 192.168.1.5\r\nContent-Type: ${type}\r\n` +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** The whole of a refusal: no header more than a device reads. */
const refusal = (status: string, word: string): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${word.length + 1}\r\n` +
  `Connection: keep-alive\r\n\r\n${word}\n`;

/** The answer on a connection from which no request can be read any more. */
const farewell = (status: string): string => `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;

describe('CloudServer', () => {
  let identity: TlsIdentity;

  before(async () => {
    identity = await testIdentity();
  });
  afterEach(timeGoesOn);
  afterEach(closeAll);

  async function cloud(options: Partial<CloudServerOptions> = {}) {
    const asked: [Via, string, string][] = [];
    const cloud = new CloudServer({
      whereToConnect: (...question) => {
        asked.push(question);
        const [via] = question;
        return { address: '192.168.1.5', port: via === 'tls' ? 8443 : 8081 };
      },
      ...options,
    });
    const front = new TlsFront(identity, (socket) => cloud.handle(socket, 'tls'));
    const sockets: Socket[] = [];
    const plain = await serve({ handle: (socket) => (sockets.push(socket), cloud.handle(socket, 'plain')) });
    const tls = await serve(front);
    afterwards(() => cloud.close());
    return { cloud, plain, tls, asked, sockets };
  }

  async function overTls(port: number): Promise<RawClient> {
    const ciphers = 'AES128-SHA:@SECLEVEL=0';
    const socket = connect({
      port,
      ...{ host: '127.0.0.1', localAddress: PEER },
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers,
    });
    const client = RawClient.over(socket);
    await once(socket, 'secureConnect');
    return client;
  }

  describe('asked by a device for a server', () => {
    for (const via of ['plain', 'tls'] as const) {
      it(`answers in one piece with the few headers that a device reads (${via})`, async () => {
        const { cloud: server, plain, tls, asked } = await cloud();
        const dispatched = once(server, 'dispatched') as Promise<[Dispatched]>;
        const client = via === 'tls' ? await overTls(tls) : await RawClient.to(plain);
        client.write(dispatch(BODY));
        await client.answer();
        const port = via === 'tls' ? 8443 : 8081;
        assert.equal(
          client.text,
          'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 56\r\nConnection: keep-alive\r\n\r\n' +
            `{"error":0,"reason":"ok","IP":"192.168.1.5","port":${port}}`,
        );
        assert.equal(client.segments.length, 1);
        assert.deepEqual(asked, [[via, '127.0.0.1', '100008db11']]);
        const [request] = await dispatched;
        assert.deepEqual(request, {
          deviceid: '100008db11',
          apikey: '11111111-2222-4333-8444-555555555555',
          model: 'ITA-GZ1-GL',
          romVersion: '1.5.5',
          ts: 933,
          peer: PEER,
          via,
        });
      });
    }

    it('unpacks no body: a small one can be endless', async () => {
      const { cloud: server, plain } = await cloud();
      const malformed = once(server, 'malformed');
      const client = await RawClient.to(plain);
      const body = gzipSync(BODY);
      const type = 'Host: 192.168.1.5\r\nContent-Encoding: gzip';
      client.write(`POST /dispatch/device HTTP/1.1\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n`);
      client.write(body);
      assert.match((await client.answer()).head, /^HTTP\/1\.1 400 /);
      await malformed;
    });

    it('takes a head of up to 8 KiB, and reads no longer one', async () => {
      const { cloud: server, plain } = await cloud();
      for (const [length, status] of [
        [7900, 200],
        [8300, 400],
      ] as const) {
        const malformed = once(server, 'malformed');
        const client = await RawClient.to(plain);
        client.write(dispatch(BODY).replace('\r\n', `\r\nX-Long: ${'x'.repeat(length)}\r\n`));
        assert.match((await client.answer()).head, new RegExp(`^HTTP/1\\.1 ${status} `));
        if (status === 400) await malformed;
      }
    });

    it('does not care what type the body claims to have', async () => {
      const { plain } = await cloud();
      const client = await RawClient.to(plain);
      client.write(dispatch(BODY, 'application/x-www-form-urlencoded'));
      assert.match((await client.answer()).head, /^HTTP\/1\.1 200 OK\r\n/);
    });

    it('takes a body of up to 4 KiB', async () => {
      const { plain } = await cloud();
      const client = await RawClient.to(plain);
      client.write(dispatch(BODY.padEnd(4096)));
      assert.match((await client.answer()).head, /^HTTP\/1\.1 200 OK\r\n/);
    });

    it('answers 400 where its owner cannot take a dispatch, and reports that without quoting why', async () => {
      const { cloud: server, plain } = await cloud();
      server.once('dispatched', () => {
        throw new Error('11111111');
      });
      const malformed = once(server, 'malformed') as Promise<[FlashError, string]>;
      const client = await RawClient.to(plain);
      client.write(dispatch(BODY));
      await client.answer();
      assert.equal(client.text, refusal('400 Bad Request', 'bad request'));
      const [{ code, values }, peer] = await malformed;
      const reason = wording('request-unusable', { kind: wording('not-understood') });
      assert.deepEqual([code, values, peer], ['message-malformed', { peer: PEER, reason }, PEER]);
      client.clear();
      client.write(dispatch(BODY));
      assert.match((await client.answer()).head, /^HTTP\/1\.1 200 OK\r\n/);
    });

    it('takes a body that comes behind its header, and a second dispatch on the same connection', async () => {
      const { plain } = await cloud();
      const client = await RawClient.to(plain);
      const request = dispatch(BODY);
      const body = request.indexOf('{');
      client.write(request.slice(0, body));
      await new Promise(setImmediate);
      client.write(request.slice(body));
      await client.answer();
      client.clear();
      client.write(dispatch(BODY));
      assert.match((await client.answer()).head, /^HTTP\/1\.1 200 OK\r\n/);
    });

    const unusable = (why: Wording): Wording => wording('dispatch-unusable', { why });
    const unread = (kind: string): Wording => wording('request-unusable', { kind });
    for (const [what, request, reason] of [
      ['no JSON', dispatch('hello'), unusable(wording('not-json'))],
      ['no body', 'POST /dispatch/device HTTP/1.1\r\nHost: x\r\n\r\n', unusable(wording('not-json'))],
      [
        'no deviceid',
        dispatch('{"apikey":"11111111-2222-4333-8444-555555555555"}'),
        unusable(wording('field-unusable', { field: 'deviceid' })),
      ],
      ['binary', dispatch('\u0000\u0001\u0002'), unusable(wording('not-json'))],
      ['a body longer than any device has', dispatch(BODY.padEnd(4097)), unread('entity.too.large')],
      ['an unknown character set', dispatch(BODY, 'application/json; charset=klingon'), unread('charset.unsupported')],
    ] as const) {
      it(`answers 400 to ${what} and reports it without quoting it`, async () => {
        const { cloud: server, plain } = await cloud();
        const malformed = once(server, 'malformed') as Promise<[FlashError, string]>;
        const client = await RawClient.to(plain);
        client.write(request);
        await client.answer();
        assert.equal(client.text, refusal('400 Bad Request', 'bad request'));
        const [error, peer] = await malformed;
        assert.deepEqual([error.code, error.values, peer], ['message-malformed', { peer: PEER, reason }, PEER]);
        assert.doesNotMatch(error.message, /11111111|hello|aaaa/);
      });
    }

    it('answers 503 when there is no address to give, and says why to its owner', async () => {
      const { cloud: server, plain } = await cloud({
        whereToConnect: () => {
          throw new Error('not at home');
        },
      });
      const failed = once(server, 'failed') as Promise<[Error, string]>;
      const dispatched: unknown[] = [];
      server.on('dispatched', ({ deviceid }) => dispatched.push(deviceid));
      const client = await RawClient.to(plain);
      client.write(dispatch(BODY));
      await client.answer();
      assert.equal(client.text, refusal('503 Service Unavailable', 'no address'));
      const [{ message }, peer] = await failed;
      assert.deepEqual([message, peer], ['not at home', PEER]);
      assert.deepEqual(dispatched, ['100008db11'], 'the device is known to have asked');
    });

    for (const request of ['GET /dispatch/device', 'GET /', 'POST /api/ws', 'GET /api/ws']) {
      it(`has no more than a word for ${request}`, async () => {
        const { plain } = await cloud();
        const client = await RawClient.to(plain);
        client.write(`${request} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
        await client.answer();
        assert.equal(client.text, refusal('404 Not Found', 'not found'));
      });
    }

    it('keeps the connection for a device that asks later, as long as any that says nothing', async () => {
      const { plain, sockets } = await cloud();
      const client = await RawClient.to(plain);
      client.write(dispatch(BODY));
      await client.answer();
      assert.deepEqual(
        sockets.map(({ timeout }) => timeout),
        [60_000],
      );
    });
  });

  describe('asked for a WebSocket', () => {
    for (const via of ['plain', 'tls'] as const) {
      it(`switches with the status line that a device searches for (${via})`, async () => {
        const { cloud: server, plain, tls } = await cloud();
        const connected = once(server, 'connected') as Promise<[DeviceConnection]>;
        const { reply } = await WebSocketDevice.open(via === 'tls' ? await overTls(tls) : await RawClient.to(plain));
        // RFC 6455, 1.3; no device checks it.
        const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
        const accept = createHash('sha1').update(`ITEADTmobiM0x1DabcEsnw==${guid}`).digest('base64');
        assert.equal(
          reply,
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
            `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
        const [connection] = await connected;
        assert.deepEqual([connection.peer, connection.via, connection.ready], [PEER, via, false]);
      });
    }

    it('takes the first frame in the same segment as the request, and a query behind the path', async () => {
      const { cloud: server, plain } = await cloud();
      server.on('connected', (connection) => connection.once('malformed', () => connection.close()));
      const client = await RawClient.to(plain);
      const request = WEBSOCKET_REQUEST.replace('/api/ws', '/api/ws?x=1');
      client.write(Buffer.concat([Buffer.from(request), frame('hello')]));
      await client.until(() => client.closed);
      assert.match(client.text, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    });

    it('turns away other paths and bad keys', async () => {
      const { plain } = await cloud();
      for (const [request, status] of [
        [WEBSOCKET_REQUEST.replace('/api/ws', '/other'), '404 Not Found'],
        [WEBSOCKET_REQUEST.replace('ITEADTmobiM0x1DabcEsnw==', 'short'), '400 Bad Request'],
        [WEBSOCKET_REQUEST.replace('Version: 13', 'Version: 7'), '400 Bad Request'],
      ] as const) {
        const client = await RawClient.to(plain);
        client.write(request);
        await client.until(() => client.closed);
        assert.match(client.text, new RegExp(`^HTTP/1\\.1 ${status}\r\n`));
        if (status === '404 Not Found') assert.equal(client.text, farewell(status));
      }
    });

    it('keeps no connection of one that it turns away and that never ends its side', async () => {
      const { plain, sockets } = await cloud();
      for (const [index, request] of [WEBSOCKET_REQUEST.replace('/api/ws', '/other'), 'no HTTP\r\n\r\n'].entries()) {
        const client = await RawClient.to(plain, { allowHalfOpen: true });
        while (sockets.length <= index) await new Promise(setImmediate);
        const own = sockets[index]!;
        const closed = new Promise((resolve) => own.once('close', resolve));
        client.write(request);
        await client.until(() => client.ended);
        await closed;
      }
    });

    it('agrees to no compression: a small message can be endless', async () => {
      const { plain } = await cloud();
      const offer = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nSec-WebSocket-Key';
      const { reply } = await WebSocketDevice.open(
        await RawClient.to(plain),
        WEBSOCKET_REQUEST.replace('Sec-WebSocket-Key', offer),
      );
      assert.match(reply, /^HTTP\/1\.1 101 /);
      assert.doesNotMatch(reply, /extensions/i);
    });

    it('reads a message of up to 4 KiB, and no longer one', async () => {
      const { cloud: server, plain } = await cloud();
      const connected = once(server, 'connected') as Promise<[DeviceConnection]>;
      const { device } = await WebSocketDevice.open(await RawClient.to(plain));
      const [connection] = await connected;
      const read: number[] = [];
      connection.on('message', (_, text) => read.push(text.length));
      device.wire.write(frame('x'.repeat(MESSAGE_LIMIT)));
      device.wire.write(frame('x'.repeat(MESSAGE_LIMIT + 1)));
      await device.wire.until(() => device.wire.closed);
      assert.deepEqual(read, [4096]);
    });
  });

  for (const header of ['Origin: http://evil.example', 'Sec-Fetch-Mode: no-cors', 'origin: null']) {
    it(`refuses a page in a browser (${header})`, async () => {
      const { cloud: server, plain } = await cloud();
      const peers: string[] = [];
      server.on('browser', (peer) => peers.push(peer));
      server.on('dispatched', () => assert.fail('its dispatch was taken'));
      server.on('connected', () => assert.fail('its WebSocket was opened'));
      for (const request of [dispatch(BODY), WEBSOCKET_REQUEST]) {
        const client = await RawClient.to(plain);
        client.write(request.replace('Host:', `${header}\r\nHost:`));
        await client.answer();
        const isSession = request === WEBSOCKET_REQUEST;
        assert.equal(client.text, isSession ? farewell('403 Forbidden') : refusal('403 Forbidden', 'not for browsers'));
        if (isSession) await client.until(() => client.closed);
      }
      assert.deepEqual(peers, [PEER, PEER]);
    });
  }

  it('survives garbage and broken connections, and reports what is no HTTP', async () => {
    const { cloud: server, plain } = await cloud();
    const complaints: string[] = [];
    server.on('malformed', (error) => complaints.push(error.message));
    for (const bytes of [
      Buffer.alloc(20_000, 0xee),
      'GET / HTTP/9.9\r\n\r\n',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
      dispatch(BODY).replace('Content-Length', 'Transfer-Encoding: chunked\r\nContent-Length'),
    ]) {
      const client = await RawClient.to(plain);
      client.write(bytes);
      await client.until(() => client.closed);
      // Where bytes are left that were not read, the close is a reset, which may come before the answer.
      if (bytes.length < 1000) assert.equal(client.text, farewell('400 Bad Request'));
    }
    assert.equal(complaints.filter((message) => message.includes('not HTTP (HPE_')).length, 4);
    const halfway = await RawClient.to(plain);
    halfway.write(dispatch(BODY).slice(0, -20));
    halfway.socket.resetAndDestroy();
    await halfway.until(() => halfway.closed);
    const bare = await RawClient.to(plain);
    bare.socket.resetAndDestroy();
    await bare.until(() => bare.closed);
    // Once the next one has its answer, the server has noticed the end of that.
    const next = await RawClient.to(plain);
    next.write(dispatch(BODY));
    await next.answer();
    assert.deepEqual(complaints.slice(4), [], 'a lost connection is no message');
  });

  it('drops a connection that says nothing', async () => {
    const { plain } = await cloud({ requestLimits: { quietMs: 60 } });
    const client = await RawClient.to(plain);
    await client.until(() => client.closed);
  });

  describe('sent a request a byte at a time', () => {
    const request = dispatch(BODY);
    const bodyAt = request.indexOf('{');
    const chunked = 'POST /dispatch/device HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n';

    for (const via of ['plain', 'tls'] as const) {
      for (const [part, limits, begin] of [
        ['head', { headMs: 200 }, 'POST /dis'],
        ['body', { bodyMs: 200 }, request.slice(0, bodyAt + 5)],
        ['body of no stated length', { bodyMs: 200 }, chunked],
      ] as const) {
        it(`gives up when its ${part} takes too long, however often a byte comes (${via})`, async () => {
          const { cloud: server, plain, tls } = await cloud({ requestLimits: limits });
          const malformed = once(server, 'malformed') as Promise<[FlashError, string]>;
          const client = via === 'tls' ? await overTls(tls) : await RawClient.to(plain);
          client.write(begin);
          const drip = setInterval(() => client.write('a'), 20);
          afterwards(() => clearInterval(drip));
          await client.until(() => client.closed);
          assert.equal(client.text, farewell('408 Request Timeout'));
          const [error, peer] = await malformed;
          assert.equal(peer, PEER);
          const what = part === 'head' ? 'head-late' : 'body-late';
          assert.deepEqual(error.values, { peer, reason: wording(what, { seconds: 0.2 }) });
        });
      }
    }

    it('counts the time of each request on a connection for itself', async () => {
      const { plain } = await cloud({ requestLimits: { headMs: 300 } });
      const client = await RawClient.to(plain);
      for (let at = 0; at < 3; at += 1) {
        client.write(request);
        await client.answer();
        client.clear();
      }
      client.write('POST /dis');
      await client.until(() => client.closed);
      assert.match(client.text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    });
  });

  for (const [part, begin, limitMs] of [
    ['head', 'POST /dis', 10_000],
    ['body', dispatch(BODY).slice(0, -5), 30_000],
  ] as const) {
    it(`gives a request the usual time for its ${part}, and reports nothing of a client that has left in it`, async () => {
      timeStands();
      const { cloud: server, plain, sockets } = await cloud();
      const late: unknown[] = [];
      server.on('malformed', ({ values }) => late.push(values.reason));
      const [client, other] = [await RawClient.to(plain), await RawClient.to(plain)];
      for (const one of [client, other]) {
        const read = once(sockets[one === client ? 0 : 1]!, 'data');
        one.write(begin);
        await read;
      }
      const left = new Promise((resolve) => sockets[1]!.once('close', resolve));
      other.socket.resetAndDestroy();
      await left;
      timePasses(limitMs - 1);
      assert.deepEqual(late, []);
      // That a head is late is noticed within a tenth of its time.
      timePasses(1 + limitMs / 10);
      assert.deepEqual(late, [wording(`${part}-late`, { seconds: limitMs / 1000 })]);
      await client.until(() => client.closed);
    });
  }

  it('counts the time of each head for itself, however long the one before took', async () => {
    timeStands();
    const { cloud: server, plain, sockets } = await cloud();
    server.on('malformed', ({ message }) => assert.fail(message));
    const client = await RawClient.to(plain);
    while (sockets.length === 0) await new Promise(setImmediate);
    for (let at = 0; at < 3; at += 1) {
      const read = once(sockets[0]!, 'data');
      client.write('POST /dis');
      await read;
      timePasses(9_000);
      client.write(dispatch(BODY).slice('POST /dis'.length));
      assert.match((await client.answer()).head, /^HTTP\/1\.1 200 OK\r\n/);
      client.clear();
    }
  });

  it('has no limit for a request that is over, on a connection that stays', async () => {
    timeStands();
    const { cloud: server, plain } = await cloud({ requestLimits: { headMs: 100, bodyMs: 100 } });
    const late: unknown[] = [];
    server.on('malformed', (error) => late.push(error));
    const client = await RawClient.to(plain);
    for (const request of ['GET /x HTTP/1.1\r\nHost: x\r\n\r\n', dispatch(BODY), dispatch(BODY)]) {
      client.write(request);
      await client.answer();
      client.clear();
      timePasses(5000);
    }
    assert.deepEqual([late, client.closed], [[], false]);
  });

  it('keeps a device that asks several times on a connection, each time with its body behind the head', async () => {
    timeStands();
    const { plain } = await cloud({ requestLimits: { headMs: 100, bodyMs: 100 } });
    const client = await RawClient.to(plain);
    const [head = ''] = dispatch(BODY).split('{');
    for (let at = 0; at < 3; at += 1) {
      // It sends its body once the head has been read.
      client.write(head.replace('Host:', 'Expect: 100-continue\r\nHost:'));
      assert.match((await client.answer()).head, /^HTTP\/1\.1 100 Continue/);
      client.clear();
      client.write(BODY);
      assert.match((await client.answer()).head, /^HTTP\/1\.1 200 OK\r\n/);
      client.clear();
      timePasses(5000);
    }
    assert.equal(client.closed, false);
  });

  it('takes no message of a session for the head of a request', async () => {
    timeStands();
    const { plain } = await cloud({ requestLimits: { headMs: 100, bodyMs: 100 } });
    const { device } = await WebSocketDevice.open(await RawClient.to(plain));
    await device.register();
    timePasses(5000);
    const apikey = device.sessionKey;
    device.say({ apikey, action: 'date' });
    assert.equal((await device.answer())['error'], 0);
    assert.equal(device.wire.closed, false);
  });

  it('answers 403 to a dispatch that its device has not sent, and reports nothing', async () => {
    const asked: unknown[] = [];
    const { cloud: server, plain } = await cloud({
      admits: ({ deviceid }, peer, to) => asked.push([deviceid, peer, to]) === 0,
    });
    server.on('dispatched', () => assert.fail('it was taken for the device'));
    const client = await RawClient.to(plain);
    client.write(dispatch(BODY));
    await client.answer();
    assert.equal(client.text, refusal('403 Forbidden', 'this is another device'));
    assert.deepEqual(asked, [['100008db11', PEER, 'dispatch']]);
  });

  it('closes a session that does not register in time, and one whose device is refused', async () => {
    const asked: unknown[] = [];
    const { cloud: server, plain } = await cloud({
      connectionLimits: { registerMs: 200 },
      admits: ({ deviceid }, peer, to) => asked.push([deviceid, peer, to]) === 0,
    });
    const reasons: unknown[] = [];
    server.on('malformed', ({ code, values }, peer) => reasons.push([code, values, peer]));
    const { device: silent } = await WebSocketDevice.open(await RawClient.to(plain));
    const { device: refused } = await WebSocketDevice.open(await RawClient.to(plain));
    await refused.register();
    await silent.wire.until(() => silent.wire.closed);
    await refused.wire.until(() => refused.wire.closed);
    assert.deepEqual(asked, [[DEVICE_ID, PEER, 'register']]);
    const reason = wording('never-registered', { seconds: 0.2 });
    assert.deepEqual(reasons, Array(2).fill(['message-malformed', { peer: PEER, reason }, PEER]));
  });

  it('closes immediately with devices on every kind of connection, and the ports can be opened again', async () => {
    timeStands();
    const { cloud: server, plain, tls } = await cloud();
    const closed: string[] = [];
    const connections: DeviceConnection[] = [];
    server.on('connected', (connection) => {
      connections.push(connection);
      connection.on('closed', () => closed.push(connection.via));
    });
    const bare = await RawClient.to(plain);
    const dispatched = await overTls(tls);
    dispatched.write(dispatch(BODY));
    await dispatched.answer();
    const { device: old } = await WebSocketDevice.open(await RawClient.to(plain));
    const { device } = await WebSocketDevice.open(await overTls(tls));
    await device.becomeReady();
    server.close();
    assert.deepEqual(
      connections.map(({ open }) => open),
      [false, false],
    );
    await Promise.all([bare, dispatched, old.wire, device.wire].map((client) => client.until(() => client.closed)));
    assert.deepEqual(closed.sort(), ['plain', 'tls']);
  });
});
