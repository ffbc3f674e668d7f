import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Socket } from 'node:net';
import { mock } from 'node:test';
import { unacknowledgedBytes } from '../../lib/net/unacknowledged';
import type { OtaRequest } from '../../lib/protocol/ota-request';
import { ImageServer, type ImageServerOptions, type TransferOutcome } from '../../lib/server/image-server';
import { timers } from '../shared/left-behind';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { afterwards, closeAll, PEER, RawClient, serve } from './serving';
import { wording, type Wording } from '../../lib/wordings/wording';

/** 10 000 bytes of which no two stretches look alike. */
const IMAGE = Buffer.from(Uint8Array.from({ length: 10_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff));

const DEVICE = 'User-Agent: itead-device\r\n\r\n';
const ranged = (range: string): string =>
  `GET /image?deviceid=100008db17&ts=1270216262&sign=00 HTTP/1.1\r\nHost: dl.itead.cn\r\nRange: ${range}\r\n${DEVICE}`;
const UNRANGED = `GET /image HTTP/1.1\r\nHost: dl.itead.cn\r\n${DEVICE}`;
const FINALSTAGE =
  'GET /image HTTP/1.0\r\nHost: 192.168.4.2:8080\r\nUser-Agent: ESP8266HTTPClient\r\nConnection: close\r\n\r\n';

/** The whole of a refusal: no header more than a device reads. */
const refusal = (status: string, word: string, connection = 'keep-alive', header = ''): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\n${header}Content-Length: ${word.length + 1}\r\n` +
  `Connection: ${connection}\r\n\r\n${word}\n`;

/** An image server on a free port that grants IMAGE to every client, and what its observer received. */
async function imageServer(options: Partial<ImageServerOptions> & { image?: Buffer; kept?: Promise<void> } = {}) {
  const { image = IMAGE, kept, ...rest } = options;
  const requests: OtaRequest[] = [];
  const peers: string[] = [];
  const sockets: Socket[] = [];
  const sent: [number, number][] = [];
  const stalls: number[] = [];
  const outcomes: TransferOutcome[] = [];
  let tell: () => void = () => undefined;
  const server = new ImageServer({
    find: () => ({
      bytes: image,
      observer: {
        request: (request, peer) => {
          requests.push(request);
          peers.push(peer);
          return kept;
        },
        sent: (from, to) => {
          sent.push([from, to]);
          tell();
        },
        stalled: (bytes) => {
          stalls.push(bytes);
          tell();
        },
        ended: (outcome) => {
          outcomes.push(outcome);
          tell();
        },
      },
    }),
    ...rest,
  });
  const news = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => (tell = resolve));
  };
  const port = await serve({ handle: (socket) => (sockets.push(socket), server.handle(socket)) });
  return { server, port, requests, peers, sockets, sent, stalls, outcomes, news };
}

describe('ImageServer', () => {
  afterEach(timeGoesOn);
  afterEach(closeAll);

  it('refuses a page in a browser, whatever it asks for', async () => {
    const { server, port } = await imageServer({ find: () => assert.fail('it was asked for') });
    const peers: string[] = [];
    server.on('browser', (peer) => peers.push(peer));
    server.on('request', () => assert.fail('it was reported as a request'));
    for (const request of [ranged('bytes=0-4095'), UNRANGED, FINALSTAGE]) {
      const client = await RawClient.to(port);
      client.write(request.replace('Host:', 'Origin: http://evil.example\r\nHost:'));
      await client.answer();
      const connection = request === FINALSTAGE ? 'close' : 'keep-alive';
      assert.equal(client.text, refusal('403 Forbidden', 'not for browsers', connection));
    }
    assert.deepEqual(peers, [PEER, PEER, PEER]);
  });

  for (const [request, otaClass] of [
    [ranged('bytes=0-9'), 'range'],
    [UNRANGED, 'no-range'],
    [FINALSTAGE, 'finalstage'],
  ] as const) {
    it(`tells an observer of a ${otaClass} request before its first byte, then what went out, then its end`, async () => {
      const calls: unknown[] = [];
      const observer = {
        request: (asked: OtaRequest, peer: string) => void calls.push(['request', asked.class, peer]),
        sent: (...range: number[]) => void calls.push(['sent', ...range]),
        ended: (outcome: TransferOutcome) => void calls.push(['ended', outcome]),
      };
      const { server, port } = await imageServer({ find: () => ({ bytes: IMAGE.subarray(0, 10), observer }) });
      const idle = once(server, 'idle');
      const client = await RawClient.to(port);
      client.write(request);
      await client.answer();
      if (otaClass === 'finalstage') client.socket.end();
      assert.deepEqual(await idle, [otaClass]);
      const outcome = { complete: true, bytes: 10, ...(otaClass === 'finalstage' ? { closedByDevice: true } : {}) };
      assert.deepEqual(calls, [
        ['request', otaClass, PEER],
        ['sent', 0, 10],
        ['ended', outcome],
      ]);
    });
  }

  it('tells its owner what is asked for and by whom, before it is decided on', async () => {
    const calls: unknown[] = [];
    const observer = {
      request: ({ path }: OtaRequest, peer: string) => void calls.push(['granted', path, peer]),
      sent: () => undefined,
      ended: () => undefined,
    };
    const { server, port } = await imageServer({
      find: ({ path }, peer) => (calls.push(['find', path, peer]), { bytes: IMAGE, observer }),
    });
    server.on('request', ({ path }, peer) => calls.push(['request', path, peer]));
    const client = await RawClient.to(port);
    client.write(ranged('bytes=0-9'));
    await client.answer();
    assert.deepEqual(
      calls,
      ['request', 'find', 'granted'].map((call) => [call, '/image', PEER]),
    );
  });

  describe('for a device that asks for ranges', () => {
    it('answers a range in one write, byte for byte as the device parses it', async () => {
      const { port, outcomes, sent, news } = await imageServer();
      const client = await RawClient.to(port);
      client.write(ranged('bytes=0-4095'));
      const { head, body } = await client.answer();
      assert.equal(
        head,
        'HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\n' +
          'Content-Range: bytes 0-4095/10000\r\nContent-Length: 4096\r\nConnection: keep-alive',
      );
      assert.deepEqual(body, IMAGE.subarray(0, 4096));
      assert.equal(client.segments.length, 1);
      assert.ok(client.bytes.length <= 5120);
      await news(() => outcomes.length === 1);
      assert.deepEqual(outcomes, [{ complete: true, bytes: 4096 }]);
      assert.deepEqual(sent, [[0, 4096]]);
    });

    it('serves a whole file on one connection, the last range clipped to its end', async () => {
      const { port, requests } = await imageServer();
      const client = await RawClient.to(port);
      const parts: Buffer[] = [];
      for (const range of ['bytes=0-4095', 'bytes=4096-8191', 'bytes=8192-12287']) {
        client.clear();
        client.write(ranged(range));
        const { head, body } = await client.answer();
        assert.match(head, /^HTTP\/1\.1 206 /);
        parts.push(body);
        if (range === 'bytes=8192-12287') assert.match(head, /Content-Range: bytes 8192-9999\/10000\r\n/);
      }
      assert.deepEqual(Buffer.concat(parts), IMAGE);
      assert.equal(client.closed, false);
      assert.equal(requests[0]?.class, 'range');
      assert.equal(requests[0]?.randPosition, 3);
    });

    it('clips a range that would not fit the buffer of a device', async () => {
      const { port } = await imageServer();
      const client = await RawClient.to(port);
      client.write(ranged('bytes=100-9999'));
      const { head, body } = await client.answer();
      assert.match(head, /Content-Range: bytes 100-4195\/10000\r\n/);
      assert.equal(body.length, 4096);
    });

    for (const range of ['bytes=10000-14095', 'bytes=0-', 'bytes=-5', 'bytes=0-1,4-5', 'lines=1-2']) {
      it(`answers 416 to ${range}, never a 200 that would make a device loop`, async () => {
        const { server, port, outcomes, news } = await imageServer();
        server.on('failed', assert.ifError);
        const client = await RawClient.to(port);
        client.write(ranged(range));
        await client.answer();
        const [status, length] = ['416 Range Not Satisfiable', 'Content-Range: bytes */10000\r\n'];
        assert.equal(client.text, refusal(status, 'range not satisfiable', 'keep-alive', length));
        const error = 'it asked for bytes that the file does not have';
        assert.deepEqual(outcomes, [{ complete: false, bytes: 0, error }]);
        // It continues, on the same connection.
        client.clear();
        client.write(ranged('bytes=0-9'));
        assert.match((await client.answer()).head, /^HTTP\/1\.1 206 /);
        await news(() => outcomes.length === 2);
        assert.deepEqual(outcomes[1], { complete: true, bytes: 10 });
      });
    }

    it('closes for a client that asks for that, or that has closed its own direction', async () => {
      const { port } = await imageServer();
      const polite = await RawClient.to(port);
      polite.write(ranged('bytes=0-9').replace('Range', 'Connection: close\r\nRange'));
      await polite.until(() => polite.closed);
      assert.match(polite.text, /^HTTP\/1\.1 206 .*Connection: close\r\n\r\n/s);
      const halfClosed = await RawClient.to(port);
      halfClosed.socket.end(ranged('bytes=0-9'));
      await halfClosed.until(() => halfClosed.closed);
      assert.match(halfClosed.text, /^HTTP\/1\.1 206 /);
    });

    it("leaves what comes to node's parser, without a turn through the stream", async () => {
      const { server } = await imageServer();
      const events: unknown[] = [];
      const port = await serve({
        handle: (socket) => {
          server.handle(socket);
          const emit = socket.emit.bind(socket) as (...all: unknown[]) => boolean;
          mock.method(socket, 'emit', (...all: unknown[]) => {
            events.push(all[0]);
            return emit(...all);
          });
        },
      });
      const client = await RawClient.to(port);
      for (const range of ['bytes=0-9', 'bytes=10-19']) {
        client.write(ranged(range));
        await client.answer();
        client.clear();
      }
      client.socket.end();
      await client.until(() => client.closed);
      assert.deepEqual([events.includes('data'), events.includes('end')], [false, true]);
    });

    it('lets go of a bare connection as soon as it is closed, as FinalStage makes them to see whether we are here', async () => {
      const { port } = await imageServer();
      const probe = await RawClient.to(port);
      probe.socket.end();
      await probe.until(() => probe.closed);
      assert.equal(probe.text, '');
    });

    it('keeps the connection of a device that thinks, for longer than that of an unknown peer', async () => {
      const { port } = await imageServer({ requestLimits: { quietMs: 50 }, idleLimitMs: 600_000 });
      const device = await RawClient.to(port);
      device.write(ranged('bytes=0-4095'));
      await device.answer();
      const quiet = await RawClient.to(port);
      await quiet.until(() => quiet.closed);
      assert.equal(device.closed, false);
    });

    it('gives an unknown peer a minute, and one with an image ten, however often it is answered', async () => {
      const { port, sockets } = await imageServer();
      const client = await RawClient.to(port);
      client.write('HEAD /image HTTP/1.1\r\n\r\n');
      await client.until(() => client.text.includes('\r\n\r\n'));
      assert.equal(sockets[0]?.timeout, 60_000);
      client.clear();
      client.write(ranged('bytes=0-4095'));
      await client.answer();
      assert.equal(sockets[0]?.timeout, 600_000);
    });

    it('drops a device that is idle for too long', async () => {
      const { port } = await imageServer({ idleLimitMs: 50 });
      const client = await RawClient.to(port);
      client.write(ranged('bytes=0-4095'));
      assert.equal((await client.answer()).body.length, 4096);
      await client.until(() => client.closed);
    });
  });

  describe('for a device that asks for the whole file', () => {
    it('sends the header with 10 bytes, pauses, and continues in small packets at the pace', async () => {
      timeStands();
      const { port, outcomes, sent, news } = await imageServer({ image: IMAGE.subarray(0, 4210) });
      const client = await RawClient.to(port);
      client.write(UNRANGED);
      for (const [packets, waitMs] of [1000, 300, 300].entries()) {
        await client.until(() => client.segments.length > packets);
        await news(() => sent.length > packets);
        await turn();
        timePasses(waitMs - 1);
        await turn();
        assert.equal(sent.length, packets + 1, `within ${waitMs} ms`);
        timePasses(1);
      }
      const { head, body } = await client.answer();
      assert.equal(
        head,
        'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 4210\r\nConnection: keep-alive',
      );
      assert.deepEqual(body, IMAGE.subarray(0, 4210));
      const headLength = head.length + 4;
      assert.deepEqual(
        client.segments.map(({ length }) => length),
        [headLength + 10, 1400, 1400, 1400],
      );
      await news(() => outcomes.length === 1);
      assert.deepEqual(outcomes, [{ complete: true, bytes: 4210 }]);
      assert.deepEqual(sent, [
        [0, 10],
        [10, 1410],
        [1410, 2810],
        [2810, 4210],
      ]);
      // The answer is over for the device, too.
      client.clear();
      client.write(ranged('bytes=0-9'));
      assert.match((await client.answer()).head, /^HTTP\/1\.1 206 /);
    });

    it('waits for nothing behind the last byte', async () => {
      timeStands();
      for (const size of [7, 10]) {
        const { port, outcomes, sent, news } = await imageServer({ image: IMAGE.subarray(0, size) });
        const client = await RawClient.to(port);
        client.write(UNRANGED);
        assert.deepEqual((await client.answer()).body, IMAGE.subarray(0, size));
        await news(() => outcomes.length === 1);
        assert.deepEqual([sent, outcomes], [[[0, size]], [{ complete: true, bytes: size }]]);
      }
    });

    it('stops when the device leaves, and says how far it got', async () => {
      timeStands();
      const { server, port, outcomes, news, sent } = await imageServer();
      const client = await RawClient.to(port);
      client.write(UNRANGED);
      await news(() => sent.length > 0);
      assert.equal(server.transfersOnWire['no-range'], 1);
      client.socket.resetAndDestroy();
      await news(() => outcomes.length === 1);
      assert.deepEqual(outcomes, [{ complete: false, bytes: 10, error: 'the connection was lost' }]);
      assert.equal(server.transfersOnWire.total, 0);
    });
  });

  describe('for FinalStage', () => {
    /** More than the kernel takes in one go. */
    const BIG = Buffer.alloc(1_000_000, 'sonota');

    it('sends everything with a length and no ranges, and knows that it arrived and that the device closed', async () => {
      const { server, port, outcomes, sent, news } = await imageServer();
      const client = await RawClient.to(port, { allowHalfOpen: true });
      client.write(FINALSTAGE.replace('\r\n\r\n', '\r\nRange: bytes=0-4095\r\n\r\n'));
      const { head, body } = await client.answer();
      assert.equal(
        head,
        'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 10000\r\nConnection: close',
      );
      assert.deepEqual(body, IMAGE);
      await news(() => sent.at(-1)?.[1] === 10_000);
      assert.equal(outcomes.length, 0, 'the device has not closed yet');
      assert.equal(server.transfersOnWire.finalstage, 1);
      assert.equal(client.ended, false, 'a device may take our close for a lost connection');
      client.socket.end();
      await news(() => outcomes.length === 1);
      assert.deepEqual(outcomes, [{ complete: true, bytes: 10_000, closedByDevice: true }]);
      assert.equal(sent.at(-1)?.[1], 10_000);
      await client.until(() => client.closed);
    });

    it('tells of every byte once, in order, and of nothing after the end', async () => {
      const warnings: string[] = [];
      const onWarning = ({ name }: Error): void => void warnings.push(name);
      process.on('warning', onWarning);
      afterwards(() => void process.off('warning', onWarning));
      // Mocha sets its own timer once the test has returned its promise.
      await turn();
      const before = timers();
      const { port, outcomes, sent, news } = await imageServer({ image: BIG });
      const client = await RawClient.to(port);
      client.write(FINALSTAGE);
      await client.answer();
      client.socket.end();
      await news(() => outcomes.length === 1);
      assert.deepEqual(
        sent.map(([from]) => from),
        [0, ...sent.slice(0, -1).map(([, to]) => to)],
      );
      assert.equal(sent.at(-1)?.[1], BIG.length);
      assert.equal(timers(), before, 'the kernel is no longer asked');
      assert.deepEqual(warnings, [], 'no listener is left behind by each of 62 parts');
    });

    it('sends nothing before its observer is ready for what the device does then', async () => {
      let keep = (): void => undefined;
      const kept = new Promise<void>((resolve) => (keep = resolve));
      const { server, port } = await imageServer({ kept });
      const requested = once(server, 'request');
      const client = await RawClient.to(port);
      client.write(FINALSTAGE);
      await requested;
      const other = await RawClient.to(port);
      other.write(ranged('bytes=0-4095'));
      await other.answer();
      assert.equal(client.segments.length, 0);
      keep();
      assert.deepEqual((await client.answer()).body, IMAGE);
    });

    it('lets it finish whatever it sends meanwhile, whatever the connection carried before', async () => {
      timeStands();
      let keep = (): void => undefined;
      const kept = new Promise<void>((resolve) => (keep = resolve));
      const { server, port } = await imageServer({ kept, requestLimits: { headMs: 100, bodyMs: 100 } });
      server.on('malformed', ({ text }) => assert.fail(text));
      const client = await RawClient.to(port);
      client.write(ranged('bytes=0-9').replace('Range', 'Content-Length: 3\r\nRange'));
      await client.answer();
      client.clear();
      const requested = once(server, 'request');
      client.write(`abc${FINALSTAGE.replace('close', 'keep-alive')}GET`);
      await requested;
      client.write(' /');
      const other = await RawClient.to(port);
      other.write(ranged('bytes=0-9'));
      await other.answer();
      timePasses(5000);
      keep();
      assert.deepEqual((await client.answer()).body, IMAGE);
    });

    for (const connection of ['close', 'keep-alive']) {
      it(`does not mind stray bytes behind its request (Connection: ${connection})`, async () => {
        const { server, port, outcomes, news } = await imageServer({ image: BIG });
        server.on('malformed', ({ text }) => assert.fail(text));
        const client = await RawClient.to(port, { allowHalfOpen: true });
        client.write(`${FINALSTAGE.replace('close', connection)}\r\nX`);
        await client.until(() => client.segments.length > 0);
        client.socket.pause();
        client.write('\0');
        client.write(Buffer.alloc(10_000, 0xff));
        client.socket.resume();
        assert.equal((await client.answer()).body.compare(BIG), 0);
        client.socket.end('\n.');
        await news(() => outcomes.length === 1);
        assert.deepEqual(outcomes, [{ complete: true, bytes: BIG.length, closedByDevice: true }]);
        await client.until(() => client.closed);
        assert.equal(client.error, undefined);
      });
    }

    it('gives a device that erases all the time that it takes', async () => {
      const { port, outcomes } = await imageServer({ image: BIG, idleLimitMs: 50 });
      const client = await RawClient.to(port);
      client.write(FINALSTAGE);
      await client.until(() => client.segments.length > 0);
      client.socket.pause();
      // The limit of a connection that moved while it waits counts twice.
      for (let times = 0; times < 4; times++) {
        const other = await RawClient.to(port);
        other.write(ranged('bytes=0-4095'));
        await other.until(() => other.closed);
      }
      client.socket.resume();
      assert.equal((await client.answer()).body.length, BIG.length);
      assert.deepEqual(
        outcomes.map(({ bytes }) => bytes),
        [4096, 4096, 4096, 4096],
        'it was not given up',
      );
    });

    it('lets the host wait until nothing is on the wire', async () => {
      const { server, port, sent, news } = await imageServer();
      const client = await RawClient.to(port);
      client.write(FINALSTAGE);
      await client.answer();
      let quiet = false;
      const waiting = server.whenFinalStageQuiet().then(() => (quiet = true));
      await news(() => sent.at(-1)?.[1] === 10_000);
      assert.equal(quiet, false);
      client.socket.end();
      await waiting;
      assert.equal(server.transfersOnWire.total, 0);
    });

    it('lets the host wait for FinalStage alone, whatever else is on the wire or comes to its end', async () => {
      const { server, port, sent, news } = await imageServer({ image: BIG });
      const slow = await RawClient.to(port);
      slow.write(UNRANGED);
      await news(() => sent.length === 1);
      await server.whenFinalStageQuiet();
      assert.deepEqual(server.transfersOnWire, { range: 0, 'no-range': 1, finalstage: 0, total: 1 });
      const device = await RawClient.to(port);
      device.socket.pause();
      device.write(FINALSTAGE);
      await once(server, 'request');
      let isQuiet = false;
      const waiting = server.whenFinalStageQuiet().then(() => (isQuiet = true));
      const over = once(server, 'idle');
      const ranging = await RawClient.to(port);
      ranging.write(ranged('bytes=0-9'));
      await ranging.answer();
      assert.deepEqual(await over, ['range']);
      await turn();
      assert.equal(isQuiet, false);
      device.socket.resetAndDestroy();
      await waiting;
      assert.deepEqual(server.transfersOnWire, { range: 0, 'no-range': 1, finalstage: 0, total: 1 });
    });

    it('ends as complete when the device has everything but restarts without closing', async () => {
      const { server, port, outcomes, news } = await imageServer({ closeLimitMs: 50 });
      const handle = server.handle.bind(server);
      let own: Socket | undefined;
      server.handle = (socket, connection) => handle((own = socket), connection);
      const client = await RawClient.to(port, { allowHalfOpen: true });
      client.write(FINALSTAGE);
      await news(() => outcomes.length === 1);
      assert.deepEqual(outcomes, [{ complete: true, bytes: 10_000, closedByDevice: false }]);
      assert.ok(own?.destroyed, 'no connection waits for a device that never closes it');
      await client.until(() => client.closed || client.ended);
    });

    describe('in a time that stands', () => {
      let restore: () => void;
      let now = 0;

      beforeEach(() => {
        timeStands();
        const clock = mock.method(performance, 'now', () => now);
        restore = () => clock.mock.restore();
      });
      afterEach(() => restore());

      async function pass(ms: number): Promise<void> {
        for (let left = ms; left > 0; left -= 100) {
          now += 100;
          timePasses(100);
          for (let turns = 0; turns < 5; turns += 1) await turn();
        }
      }

      it('closes its direction for a receiver that reads until the end, once it has had 5 s', async () => {
        const { port, outcomes, news, sent } = await imageServer();
        const client = await RawClient.to(port, { allowHalfOpen: true });
        client.write(FINALSTAGE);
        await client.answer();
        while (sent.at(-1)?.[1] !== 10_000) await pass(100);
        await pass(4700);
        assert.deepEqual([client.ended, outcomes], [false, []]);
        await pass(500);
        await client.until(() => client.ended);
        assert.deepEqual(outcomes, []);
        client.socket.end();
        const isOver = news(() => outcomes.length === 1);
        while (outcomes.length === 0) await pass(100);
        await isOver;
        assert.deepEqual(outcomes, [{ complete: true, bytes: 10_000, closedByDevice: true }]);
      });

      it('reports a stall once nothing has gone forward for half a minute', async () => {
        const { port, sent, stalls } = await imageServer({ unacknowledged: () => 6000 });
        const client = await RawClient.to(port);
        client.write(FINALSTAGE);
        while (sent.length === 0) await pass(100);
        await pass(29_900);
        assert.deepEqual(stalls, []);
        await pass(100);
        assert.deepEqual(stalls, [4000]);
      });

      it('waits for the close without a limit, and closes nothing itself, where the kernel tells nothing', async () => {
        const { port, outcomes, sent, news } = await imageServer({ unacknowledged: () => undefined });
        const client = await RawClient.to(port, { allowHalfOpen: true });
        client.write(FINALSTAGE);
        await client.answer();
        while (sent.at(-1)?.[1] !== 10_000) await pass(100);
        await pass(40_000);
        assert.deepEqual([client.ended, outcomes], [false, []]);
        client.socket.end();
        const isOver = news(() => outcomes.length === 1);
        while (outcomes.length === 0) await pass(100);
        await isOver;
        assert.deepEqual(outcomes, [{ complete: true, bytes: 10_000, closedByDevice: true }]);
      });

      it('waits for the close of a device that has everything for half a minute', async () => {
        const { port, outcomes, sent } = await imageServer();
        const client = await RawClient.to(port, { allowHalfOpen: true });
        client.write(FINALSTAGE);
        await client.answer();
        while (sent.at(-1)?.[1] !== 10_000) await pass(100);
        await pass(29_500);
        assert.deepEqual(outcomes, []);
        await pass(1000);
        assert.deepEqual(outcomes, [{ complete: true, bytes: 10_000, closedByDevice: false }]);
      });

      it('is not complete when the reset comes some time after the close', async function () {
        if (process.platform !== 'linux') return this.skip();
        const image = Buffer.alloc(100_000, 'sonota');
        const { port, outcomes, sent, sockets } = await imageServer({ image });
        const client = await RawClient.to(port);
        client.socket.pause();
        client.write(FINALSTAGE);
        while (sent.at(-1)?.[1] !== image.length) await pass(100);
        const [own] = sockets as [Socket];
        let isClosed = false;
        own.once('end', () => (isClosed = true));
        client.socket.end();
        while (!isClosed) await turn();
        await pass(200);
        assert.deepEqual(outcomes, []);
        client.socket.destroy();
        while (unacknowledgedBytes(own) !== undefined) await turn();
        await pass(300);
        const error = 'the device broke off the connection';
        assert.deepEqual(outcomes, [{ complete: false, bytes: 100_000, closedByDevice: true, error }]);
      });
    });

    it('has the kernel look after a connection on which nothing moves', async () => {
      // No other way shows it within hours.
      const setKeepAlive = mock.method(Socket.prototype, 'setKeepAlive');
      try {
        const { port } = await imageServer();
        const client = await RawClient.to(port);
        client.write(FINALSTAGE);
        await client.answer();
        const set = setKeepAlive.mock.calls.map((call) => call.arguments);
        assert.deepEqual(set, [[true, 30_000]]);
      } finally {
        setKeepAlive.mock.restore();
      }
    });

    it('is not complete when the device breaks off while bytes are still handed over', async () => {
      const image = Buffer.alloc(20_000_000);
      const { port, outcomes, news } = await imageServer({ image });
      const client = await RawClient.to(port);
      client.write(FINALSTAGE);
      await client.until(() => client.segments.length > 0);
      client.socket.resetAndDestroy();
      await news(() => outcomes.length > 0);
      const [{ complete, bytes, closedByDevice, error }] = outcomes as [TransferOutcome];
      assert.deepEqual([complete, closedByDevice, error], [false, true, 'the device broke off the connection']);
      assert.ok(bytes < image.length);
    });

    for (const [code, isByDevice] of [
      ['ECONNRESET', true],
      ['EPIPE', true],
      ['ETIMEDOUT', false],
      ['EHOSTUNREACH', false],
    ] as const) {
      it(`${isByDevice ? 'takes' : 'does not take'} ${code} for a word of the device`, async () => {
        const { port, sockets, outcomes, news } = await imageServer({ image: Buffer.alloc(20_000_000) });
        const client = await RawClient.to(port);
        client.write(FINALSTAGE);
        await client.until(() => client.segments.length > 0);
        client.socket.pause();
        sockets[0]?.destroy(Object.assign(new Error('no more'), { code }));
        await news(() => outcomes.length > 0);
        const { bytes, ...how } = outcomes[0]!;
        const error = isByDevice ? 'the device broke off the connection' : 'the connection was lost';
        assert.deepEqual(how, { complete: false, closedByDevice: isByDevice, error });
        assert.ok(bytes < 20_000_000);
      });
    }

    it('is not complete when the device breaks off with bytes on the way', async () => {
      const { port, outcomes, news, sent } = await imageServer({ image: BIG });
      const client = await RawClient.to(port);
      client.socket.once('data', () => {
        client.socket.pause();
        setImmediate(() => client.socket.resetAndDestroy());
      });
      client.write(FINALSTAGE);
      await news(() => outcomes.length === 1);
      const [outcome] = outcomes;
      assert.equal(outcome?.complete, false);
      assert.equal(outcome.error, 'the device broke off the connection');
      assert.ok(outcome.bytes < BIG.length);
      assert.equal(outcome.bytes, sent.at(-1)?.[1] ?? 0);
    });

    for (const leave of ['a reset', 'a close and then a reset']) {
      it(`is not complete when a device that has acknowledged everything leaves unread bytes, with ${leave}`, async () => {
        // More than Node itself reads ahead of a client that does not ask, less than its kernel takes.
        const image = Buffer.alloc(100_000, 'sonota');
        const { port, outcomes, sent, news } = await imageServer({ image });
        const client = await RawClient.to(port);
        client.socket.pause();
        client.write(FINALSTAGE);
        await news(() => sent.at(-1)?.[1] === image.length);
        if (leave !== 'a reset') await new Promise<void>((resolve) => client.socket.end(resolve));
        // The kernel sends the reset, since there are bytes that were not read.
        client.socket.destroy();
        await news(() => outcomes.length === 1);
        const error = 'the device broke off the connection';
        assert.deepEqual(outcomes, [{ complete: false, bytes: 100_000, closedByDevice: true, error }]);
      });
    }

    it('reports a stall while the device takes nothing, and still completes when it continues', async () => {
      let held = 6000;
      const unacknowledged = (socket: Socket): number | undefined => held || unacknowledgedBytes(socket);
      const { port, outcomes, stalls, news } = await imageServer({ unacknowledged, stallLimitMs: 150 });
      const client = await RawClient.to(port);
      client.write(FINALSTAGE);
      await news(() => stalls.length === 2);
      assert.deepEqual(stalls, [4000, 4000]);
      assert.equal(outcomes.length, 0);
      held = 0;
      assert.deepEqual((await client.answer()).body, IMAGE);
      client.socket.end();
      await news(() => outcomes.length === 1);
      assert.equal(outcomes[0]?.complete, true);
    });

    it('drops a stalled transfer when its device asks again', async () => {
      let stuck: Socket | undefined;
      const unacknowledged = (socket: Socket): number | undefined =>
        socket === (stuck ??= socket) ? 6000 : unacknowledgedBytes(socket);
      const { server, port, outcomes, stalls, news } = await imageServer({ unacknowledged, stallLimitMs: 150 });
      const first = await RawClient.to(port);
      first.write(FINALSTAGE);
      await news(() => stalls.length > 0);
      const second = await RawClient.to(port);
      second.write(FINALSTAGE);
      await news(() => outcomes.length === 1);
      const error = 'the connection was lost';
      assert.deepEqual(outcomes, [{ complete: false, bytes: 4000, closedByDevice: false, error }]);
      await second.answer();
      second.socket.end();
      await news(() => outcomes.length === 2);
      assert.equal(outcomes[1]?.complete, true);
      assert.equal(server.transfersOnWire.total, 0);
    });

    it('leaves a stalled transfer alone while another device asks', async () => {
      let stuck: Socket | undefined;
      const unacknowledged = (socket: Socket): number | undefined =>
        socket === (stuck ??= socket) ? 6000 : unacknowledgedBytes(socket);
      const { server, port, outcomes, stalls, news } = await imageServer({ unacknowledged, stallLimitMs: 150 });
      const first = await RawClient.to(port);
      first.write(FINALSTAGE);
      await news(() => stalls.length > 0);
      const second = await RawClient.to(port, { localAddress: '127.0.0.8' });
      second.write(FINALSTAGE);
      await second.answer();
      second.socket.end();
      await news(() => outcomes.length === 1);
      assert.deepEqual(outcomes, [{ complete: true, bytes: 10_000, closedByDevice: true }]);
      assert.deepEqual([first.closed, server.transfersOnWire.finalstage], [false, 1]);
    });

    it('leaves a transfer alone that continues while another device asks', async () => {
      const { server, port } = await imageServer({ image: BIG });
      const first = await RawClient.to(port);
      first.socket.pause();
      first.write(FINALSTAGE);
      await once(server, 'request');
      const second = await RawClient.to(port);
      second.write(FINALSTAGE);
      await second.answer();
      assert.equal(server.transfersOnWire.finalstage, 2);
    });

    describe('on a system whose kernel does not tell what was acknowledged', () => {
      const unacknowledged = (): undefined => undefined;

      it('is complete when the device closes in good order', async () => {
        // Nothing but its close shows that the device has everything, so there is no limit for it.
        const { port, outcomes, news } = await imageServer({ unacknowledged, closeLimitMs: 0 });
        const client = await RawClient.to(port);
        client.write(FINALSTAGE);
        await client.answer();
        client.socket.end();
        await news(() => outcomes.length === 1);
        assert.deepEqual(outcomes, [{ complete: true, bytes: 10_000, closedByDevice: true }]);
      });

      it('is not complete when a reset follows the close', async () => {
        const { port, outcomes, sent, news } = await imageServer({ unacknowledged, image: Buffer.alloc(100_000) });
        const client = await RawClient.to(port);
        client.socket.pause();
        client.write(FINALSTAGE);
        await news(() => sent.at(-1)?.[1] === 100_000);
        await new Promise<void>((resolve) => client.socket.end(resolve));
        client.socket.destroy();
        await news(() => outcomes.length === 1);
        const error = 'the device broke off the connection';
        assert.deepEqual(outcomes, [{ complete: false, bytes: 100_000, closedByDevice: true, error }]);
      });
    });
  });

  describe('with what no device should send', () => {
    it('refuses in a few words and keeps the connection', async () => {
      const { port } = await imageServer({ find: () => ({ status: 403, reason: 'for another device' }) });
      const client = await RawClient.to(port);
      client.write(ranged('bytes=0-4095'));
      await client.answer();
      assert.equal(client.text, refusal('403 Forbidden', 'for another device'));
      assert.equal(client.closed, false);
    });

    it('drops a connection that says nothing, or whose request was refused', async () => {
      const find = (): { status: 404; reason: string } => ({ status: 404, reason: 'nothing here' });
      const { port } = await imageServer({ find, requestLimits: { quietMs: 60 } });
      const [silent, refused] = await Promise.all([RawClient.to(port), RawClient.to(port)]);
      refused.write(ranged('bytes=0-4095'));
      await refused.answer();
      await Promise.all([silent, refused].map((client) => client.until(() => client.closed)));
    });

    for (const [part, limits, begin] of [
      ['head', { headMs: 200 }, 'GET /ima'],
      ['body', { bodyMs: 200 }, 'GET /image HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\nContent-Length: 9999\r\n\r\n'],
    ] as const) {
      it(`gives up a request whose ${part} comes a byte at a time`, async () => {
        const { server, port } = await imageServer({ requestLimits: limits });
        const malformed = once(server, 'malformed');
        const client = await RawClient.to(port);
        client.write(begin);
        const drip = setInterval(() => client.write('a'), 20);
        afterwards(() => clearInterval(drip));
        await client.until(() => client.closed);
        const what = wording(part === 'head' ? 'head-late' : 'body-late', { seconds: 0.2 });
        assert.deepEqual(await malformed, [what, PEER]);
      });
    }

    for (const method of ['HEAD', 'POST', 'OPTIONS', 'DELETE']) {
      it(`answers 405 to ${method}`, async () => {
        const { server, port, requests } = await imageServer();
        const malformed = once(server, 'malformed');
        const client = await RawClient.to(port);
        client.write(`${method} /image HTTP/1.1\r\nHost: dl.itead.cn\r\nConnection: close\r\n\r\n`);
        await client.until(() => client.closed);
        const answer = refusal('405 Method Not Allowed', 'only GET', 'close', 'Allow: GET\r\n');
        assert.equal(client.text, method === 'HEAD' ? answer.slice(0, -'only GET\n'.length) : answer);
        assert.deepEqual(await malformed, [wording('method-unknown', { method }), PEER]);
        assert.equal(requests.length, 0);
      });
    }

    it('survives garbage, an upgrade, a CONNECT, a request in mid-air and a second one before the first answer', async () => {
      const { server, port } = await imageServer();
      const complaints: string[] = [];
      server.on('malformed', (reason, peer) => complaints.push(`${peer}: ${reason.text}`));
      const garbage = [
        Buffer.from('160302003301', 'hex'),
        Buffer.alloc(70_000, 0xff),
        'GET / HTTP/9.9\r\n\r\n',
        `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
        'CONNECT /image HTTP/1.1\r\nHost: x\r\n\r\n',
        UNRANGED + UNRANGED,
      ];
      for (const bytes of garbage) {
        const client = await RawClient.to(port);
        client.write(bytes);
        await client.until(() => client.closed || client.ended || client.text.includes('400 Bad Request'));
      }
      const halfway = await RawClient.to(port);
      halfway.write('GET /image HT');
      halfway.socket.resetAndDestroy();
      await halfway.until(() => halfway.closed);
      const upgrading = await RawClient.to(port);
      upgrading.write(
        `GET /image HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
      );
      assert.match((await upgrading.answer()).head, /^HTTP\/1\.1 206 /);
      const [again] = complaints.splice(4, 1);
      assert.equal(again, `${PEER}: it asks again before it has its answer`);
      for (const complaint of complaints) assert.match(complaint, /^127\.0\.0\.9: what it sent is not HTTP \(HPE_/);
    });

    it('takes a connection that is lost in the middle of a request for no message', async () => {
      const { server, port, sockets } = await imageServer();
      server.on('malformed', (reason) => assert.fail(reason.text));
      const client = await RawClient.to(port);
      client.write(`${ranged('bytes=0-9')}`);
      await client.answer();
      const [own] = sockets as [Socket];
      const isOver = new Promise((resolve) => own.once('close', resolve));
      const read = once(own, 'data');
      client.write('GET /ima');
      await read;
      client.socket.resetAndDestroy();
      await isOver;
    });

    it('takes a request that a reset cuts off for no message', async () => {
      const { server, port, sockets } = await imageServer();
      server.on('malformed', (reason, peer) => assert.fail(`${peer}: ${reason.text}`));
      for (const part of ['GET /ima', ranged('bytes=0-9').replace('Range', 'Content-Length: 9\r\nRange')]) {
        const client = await RawClient.to(port);
        while (sockets.length === 0) await turn();
        const [own] = sockets.splice(0) as [Socket];
        const isOver = new Promise((resolve) => own.once('close', resolve));
        client.write(part);
        client.socket.resetAndDestroy();
        await isOver;
      }
    });

    it('answers 500 where the owner fails, and reports that', async () => {
      const { server, port } = await imageServer({
        find: () => {
          throw new Error('no such thing');
        },
      });
      const failed = once(server, 'failed');
      const client = await RawClient.to(port);
      client.write(ranged('bytes=0-4095'));
      await client.answer();
      assert.equal(client.text, refusal('500 Internal Server Error', 'failed'));
      const [error, peer] = (await failed) as [unknown, string];
      assert.deepEqual([String(error), peer], ['Error: no such thing', PEER]);
    });
  });

  it('lets go of a connection whose observer fails, and reports that', async () => {
    const observer = {
      request: () => {
        throw new Error('it cannot be noted');
      },
      sent: () => undefined,
      ended: () => undefined,
    };
    const { server, port } = await imageServer({ find: () => ({ bytes: IMAGE, observer }) });
    for (const request of [ranged('bytes=0-4095'), UNRANGED, FINALSTAGE]) {
      const failed = once(server, 'failed');
      const client = await RawClient.to(port);
      client.write(request);
      const [error, peer] = (await failed) as [unknown, string];
      assert.deepEqual([String(error), peer], ['Error: it cannot be noted', PEER]);
      await client.until(() => client.closed);
      assert.deepEqual([client.text, server.transfersOnWire.total], ['', 0]);
    }
  });

  it('sends nothing to FinalStage where what the device does then cannot be noted', async () => {
    const outcomes: TransferOutcome[] = [];
    const observer = {
      request: () => Promise.reject(new Error('no disk')),
      sent: () => assert.fail('nothing was to be sent'),
      ended: (outcome: TransferOutcome) => void outcomes.push(outcome),
    };
    const { server, port } = await imageServer({ find: () => ({ bytes: IMAGE, observer }) });
    const failed = once(server, 'failed');
    const client = await RawClient.to(port);
    client.write(FINALSTAGE);
    const [error, peer] = (await failed) as [unknown, string];
    assert.deepEqual([String(error), peer], ['Error: no disk', PEER]);
    await client.until(() => client.closed);
    assert.deepEqual([client.text, outcomes, server.transfersOnWire.total], ['', [], 0]);
  });

  for (const [otaClass, request, position] of [
    ['range', ranged('bytes=4096-8191'), 4096],
    ['no-range', UNRANGED, 0],
    ['finalstage', FINALSTAGE, 0],
  ] as const) {
    const byDevice = otaClass === 'finalstage' ? { closedByDevice: false } : {};

    it(`says of a ${otaClass} request whose connection is gone before its first byte that nothing went out`, async () => {
      const observed: unknown[] = [];
      const observer = {
        sent: (...range: number[]) => observed.push(range),
        ended: (outcome: TransferOutcome) => observed.push(outcome),
      };
      const { server, port } = await imageServer({
        find: () => (server.close(), { bytes: IMAGE, observer }),
      });
      const idle = once(server, 'idle');
      const client = await RawClient.to(port);
      client.write(request);
      assert.deepEqual(await idle, [otaClass]);
      const lost = { complete: false, bytes: position, ...byDevice, error: 'the connection was lost' };
      assert.deepEqual(observed, [lost]);
      assert.deepEqual([client.text, server.transfersOnWire.total], ['', 0]);
    });

    it(`answers a ${otaClass} request to its end though its observer fails with each part, and reports that`, async () => {
      const failing = (what: string) => (): void => {
        throw new Error(what);
      };
      const observer = { sent: failing('not noted'), ended: failing('no end') };
      const bytes = IMAGE.subarray(0, 10);
      const { server, port } = await imageServer({ find: () => ({ bytes, observer }) });
      const failures: unknown[] = [];
      server.on('failed', (error, peer) => failures.push([String(error), peer]));
      const ends = once(server, 'idle');
      const client = await RawClient.to(port);
      client.write(request.replace('4096-8191', '0-9'));
      assert.deepEqual((await client.answer()).body, bytes);
      if (otaClass === 'finalstage') client.socket.end();
      assert.deepEqual(await ends, [otaClass]);
      assert.deepEqual(
        failures,
        ['Error: not noted', 'Error: no end'].map((error) => [error, PEER]),
      );
      assert.equal(server.transfersOnWire.total, 0);
    });
  }

  it('completes a transfer to FinalStage though its observer fails at a stall', async () => {
    let held = 6000;
    const outcomes: TransferOutcome[] = [];
    const observer = {
      sent: () => undefined,
      stalled: () => {
        throw new Error('no stall');
      },
      ended: (outcome: TransferOutcome) => void outcomes.push(outcome),
    };
    const { server, port } = await imageServer({
      find: () => ({ bytes: IMAGE, observer }),
      unacknowledged: (socket) => held || unacknowledgedBytes(socket),
      stallLimitMs: 150,
    });
    const failed = once(server, 'failed');
    const client = await RawClient.to(port);
    client.write(FINALSTAGE);
    const [error, peer] = (await failed) as [unknown, string];
    assert.deepEqual([String(error), peer], ['Error: no stall', PEER]);
    held = 0;
    const idle = once(server, 'idle');
    assert.deepEqual((await client.answer()).body, IMAGE);
    client.socket.end();
    await idle;
    assert.deepEqual(outcomes, [{ complete: true, bytes: 10_000, closedByDevice: true }]);
  });

  describe('for devices whose HTTP no parser takes', () => {
    const SLASHLESS = 'GET tasmota-lite.bin?ts=1 HTTP/1.1\r\nRange: bytes=0-4095\r\n\r\n';
    const isOwn = (target: string): boolean => target === 'tasmota-lite.bin';

    it('serves a request without a Host header', async () => {
      const { port } = await imageServer();
      const client = await RawClient.to(port);
      client.write('GET /image HTTP/1.1\r\nRange: bytes=0-4095\r\n\r\n');
      assert.match((await client.answer()).head, /^HTTP\/1\.1 206 Partial Content\r\n/);
    });

    it('serves a target without a leading slash that it knows, again and again on one connection', async () => {
      const { port, requests, outcomes, news } = await imageServer({ ownsTarget: isOwn });
      const client = await RawClient.to(port);
      for (const [index, first] of [0, 4096, 8192].entries()) {
        client.clear();
        client.write(SLASHLESS.replace('0-4095', `${first}-${first + 4095}`));
        const { head, body } = await client.answer();
        assert.match(head, /^HTTP\/1\.1 206 Partial Content\r\n/);
        assert.match(head, new RegExp(`Content-Range: bytes ${first}-`));
        assert.deepEqual(body, IMAGE.subarray(first, first + 4096));
        assert.equal(client.segments.length, 1, 'in one write');
        await news(() => outcomes.length > index);
      }
      assert.deepEqual(
        requests.map(({ path, ts, class: otaClass }) => [path, ts, otaClass]),
        Array(3).fill(['tasmota-lite.bin', 1, 'range']),
      );
    });

    it('closes behind a refusal to a client that keeps no connection', async () => {
      const { port } = await imageServer({ ownsTarget: isOwn, find: () => ({ status: 403, reason: 'not for you' }) });
      const client = await RawClient.to(port);
      client.write(SLASHLESS.replace('HTTP/1.1', 'HTTP/1.0'));
      assert.match((await client.answer()).head, /^HTTP\/1\.1 403 /);
      await client.until(() => client.closed);
    });

    it('does not serve a second one before the first has its answer', async () => {
      const { port, requests } = await imageServer({ ownsTarget: isOwn });
      const client = await RawClient.to(port);
      client.write(UNRANGED);
      await client.until(() => client.segments.length > 0);
      client.write(SLASHLESS);
      await client.until(() => client.closed);
      assert.deepEqual(
        requests.map(({ path }) => path),
        ['/image'],
      );
    });

    it('closes for the same target where no provider knows it, and for half a head', async () => {
      const { server, port, requests } = await imageServer({ ownsTarget: isOwn });
      const reasons: string[] = [];
      server.on('malformed', (reason) => reasons.push(reason.text));
      for (const text of [SLASHLESS.replace('lite', 'full'), SLASHLESS.slice(0, -2)]) {
        const client = await RawClient.to(port);
        client.write(text);
        await client.until(() => client.closed);
        assert.equal(client.text, '');
      }
      assert.deepEqual(reasons, Array(2).fill('what it sent is not HTTP (HPE_INVALID_URL)'));
      assert.deepEqual(requests, []);
    });
  });

  describe('for what a device reports by a POST', () => {
    const HEAD = 'POST /api/device/otaFlash HTTP/1.1\r\nHost: 192.0.2.1\r\n';
    const BODY = '{"error":0}';

    async function reportServer() {
      const taken: string[] = [];
      const made = await imageServer({
        image: IMAGE.subarray(0, 10),
        takerOf: (path, peer) =>
          path === '/api/device/otaFlash' && peer === PEER
            ? (body) => ({ error: 0, count: taken.push(body), text: 'é' })
            : undefined,
      });
      return { ...made, taken };
    }

    it('takes a head of up to 8 KiB, and reads no longer one', async () => {
      const { port, server } = await reportServer();
      const head = (length: number): string => `GET /x HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(length)}\r\n\r\n`;
      const client = await RawClient.to(port);
      client.write(head(7900));
      assert.match((await client.answer()).head, /^HTTP\/1\.1 200 OK/);
      const malformed = once(server, 'malformed');
      const other = await RawClient.to(port);
      other.write(head(8300));
      await malformed;
      await other.until(() => other.closed);
      assert.equal(other.text, '');
    });

    it('takes nothing of who only reads the address', async () => {
      const { port, taken } = await reportServer();
      const client = await RawClient.to(port);
      client.write('GET /api/device/otaFlash HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
      const { head } = await client.answer();
      assert.match(head, /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/octet-stream\r\n/);
      assert.deepEqual(taken, []);
    });

    for (const [what, pieces, isKept] of [
      ['a body of a stated length', [`${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`], true],
      ['a body in pieces', [`${HEAD}Content-Length: ${BODY.length}\r\n\r\n{"err`, 'or":0}'], true],
      [
        'a body in chunks',
        [`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, `5\r\n{"err\r\n`, `6\r\nor":0}\r\n0\r\n\r\n`],
        true,
      ],
      ['a body behind a query', [`${HEAD.replace(' HTTP', '?x=1 HTTP')}Content-Length: 11\r\n\r\n${BODY}`], true],
      ['a body that its head does not announce', [`${HEAD}\r\n${BODY}`], false],
      ['such a body in a packet of its own', [`${HEAD}\r\n`, BODY], false],
    ] as const) {
      it(`takes ${what}`, async () => {
        const { port, taken, sockets } = await reportServer();
        const client = await RawClient.to(port);
        for (const piece of pieces) {
          client.write(piece);
          await turn();
        }
        await client.answer();
        assert.equal(
          client.bytes.toString('utf8'),
          'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 33\r\n' +
            `Connection: ${isKept ? 'keep-alive' : 'close'}\r\n\r\n{"error":0,"count":1,"text":"é"}`,
        );
        assert.deepEqual(taken, [BODY]);
        if (!isKept) {
          const [own] = sockets as [Socket];
          if (!own.closed) await new Promise((resolve) => own.once('close', resolve));
          assert.deepEqual(taken, [BODY], 'its end is no second report');
          return await client.until(() => client.closed);
        }
        client.clear();
        client.write(`${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`);
        await client.answer();
        assert.deepEqual(taken, [BODY, BODY]);
      });
    }

    it('takes no body at all when the device ends its side', async () => {
      const { port, taken } = await reportServer();
      const client = await RawClient.to(port, { allowHalfOpen: true });
      client.write(`${HEAD}\r\n`);
      client.socket.end();
      assert.match((await client.answer()).head, /^HTTP\/1\.1 200 OK/);
      assert.deepEqual(taken, ['']);
    });

    it('refuses what is not waited for, and drops what is too long', async () => {
      const { server, port, taken } = await reportServer();
      const refused = once(server, 'malformed');
      const stranger = await RawClient.to(port);
      stranger.write(HEAD.replace('otaFlash', 'other') + 'Content-Length: 0\r\n\r\n');
      await stranger.answer();
      assert.equal(stranger.text, refusal('405 Method Not Allowed', 'only GET', 'keep-alive', 'Allow: GET\r\n'));
      const [{ text }, peer] = (await refused) as [Wording, string];
      assert.deepEqual([text, peer], ['its method is POST', PEER]);
      // No more of it is read, however much is announced.
      for (const announced of ['Content-Length: 1000000\r\n', '']) {
        const malformed = once(server, 'malformed');
        const long = await RawClient.to(port);
        long.write(`${HEAD}${announced}\r\n${'x'.repeat(4097)}`);
        assert.deepEqual(await malformed, [wording('posts-too-much'), PEER]);
        await long.until(() => long.closed);
        assert.deepEqual([taken, long.text], [[], '']);
      }
      const longest = await RawClient.to(port);
      longest.write(`${HEAD}Content-Length: 4096\r\n\r\n${'x'.repeat(4096)}`);
      assert.match((await longest.answer()).head, /^HTTP\/1\.1 200 /);
    });

    it('takes one body a report, nothing of a connection that is lost in the middle, and survives its taker', async () => {
      const { server, port, taken } = await reportServer();
      const twice = await RawClient.to(port);
      twice.write(`${HEAD}\r\n`);
      await turn();
      twice.write(BODY);
      await twice.answer();
      twice.write('{"error":1}');
      await twice.until(() => twice.closed);
      assert.deepEqual(taken.splice(0), [BODY]);
      const lost = await RawClient.to(port);
      lost.write(`${HEAD}Content-Length: ${BODY.length}\r\n\r\n{"err`);
      await turn();
      lost.socket.resetAndDestroy();
      await lost.until(() => lost.closed);
      const next = await RawClient.to(port);
      next.write(`${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`);
      await next.answer();
      assert.deepEqual(taken, [BODY]);
      server.on('failed', assert.ifError);
      const { port: other } = await imageServer({
        takerOf: () => () => {
          throw new Error('not now');
        },
      });
      const failing = await RawClient.to(other);
      failing.write(`${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`);
      await failing.answer();
      assert.equal(failing.text, refusal('500 Internal Server Error', 'failed'));
    });

    it('refuses a page in a browser', async () => {
      const { port, taken } = await reportServer();
      const client = await RawClient.to(port);
      client.write(`${HEAD}Origin: http://evil.example\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);
      assert.match((await client.answer()).head, /^HTTP\/1\.1 403 /);
      assert.deepEqual(taken, []);
    });
  });

  it('closes immediately, with transfers of every class under way', async () => {
    timeStands();
    const { server, port, outcomes } = await imageServer({ image: Buffer.alloc(5_000_000) });
    const clients = await Promise.all([0, 1, 2, 3].map(() => RawClient.to(port)));
    for (const [index, request] of [ranged('bytes=0-4095'), UNRANGED, FINALSTAGE].entries())
      clients[index]?.write(request);
    await Promise.all(clients.slice(0, 3).map((client) => client.until(() => client.segments.length > 0)));
    server.close();
    await Promise.all(clients.map((client) => client.until(() => client.closed)));
    while (server.transfersOnWire.total > 0) await once(server, 'idle');
    assert.equal(outcomes.length, 3);
  });
});
