import * as assert from 'node:assert';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as net from 'node:net';
import { type Answer as DnsRecord, decode, encode, type Question, type TxtAnswer } from 'dns-packet';
import multicastDns from 'multicast-dns';
import { freePort } from '../shared/ports';
import { Flash } from './sonoff/flash';
import { connect } from './sonoff/reader';
import { reportTo } from './sonoff/report';
import { Announcer } from './sonoff-diy/announcer';
import { DiyMode, type Flasher } from './sonoff-diy/diy-mode';
import { download, DOWNLOAD_ADDRESS } from './sonoff-diy/download';
import { makeDiyIdentity } from './sonoff-diy/identity';
import { LanServer } from './sonoff-diy/lan-server';
import { readDiyOffer } from './sonoff-diy/offer';

const ID = '10000a1b2c';
const identity = () =>
  makeDiyIdentity({ deviceid: ID, apikey: 'k'.repeat(36), ssid: 'home', mac: '5C:CF:7F:12:34:56' });

/** A judge must be judged first: what the lab's device refuses, so that its consent means something. */
describe("the lab's Sonoff in DIY mode", () => {
  const servers: { close(): unknown }[] = [];
  const sockets: net.Socket[] = [];
  let faults: string[] = [];
  let reasons: string[] = [];
  let reportAgain: () => void;
  beforeEach(() => {
    faults = [];
    reasons = [];
    reportAgain = reportTo((line) => {
      const { event, what, reason } = JSON.parse(line) as { event: string; what?: string; reason?: string };
      if (event === 'fault') faults.push(what ?? '');
      if (event === 'download-failed') reasons.push(reason ?? '');
    });
  });
  afterEach(() => {
    reportAgain();
    sockets.splice(0).forEach((socket) => socket.destroy());
    servers.splice(0).forEach((server) => server.close());
  });

  async function lan(flasher: Flasher = (_, reply) => reply(0)): Promise<number> {
    const mode = new DiyMode(identity(), flasher);
    const server = new LanServer((request) => mode.answer(request));
    servers.push(server);
    return await server.listen('127.0.0.1', 0);
  }

  async function dial(port: number): Promise<net.Socket> {
    const socket = await connect('127.0.0.1', port, 2000);
    sockets.push(socket);
    return socket;
  }

  /** The whole answer to these bytes; undefined where the connection is reset. */
  async function send(port: number, bytes: string): Promise<string | undefined> {
    const socket = net.connect(port, '127.0.0.1');
    sockets.push(socket);
    let text = '';
    let isReset = false;
    socket.on('data', (data: Buffer) => (text += data.toString()));
    socket.on('error', () => (isReset = true));
    socket.write(bytes);
    await new Promise((resolve) => socket.on('close', resolve));
    return isReset ? undefined : text;
  }

  const post = (command: string, body: object, spelled = 'Content-Length'): string => {
    const text = JSON.stringify(body);
    return `POST /zeroconf/${command} HTTP/1.1\r\n${spelled}: ${text.length}\r\n\r\n${text}`;
  };

  async function ask(port: number, command: string, body: object): Promise<Record<string, unknown>> {
    const answer = await send(port, post(command, body));
    assert.match(answer ?? '', /^HTTP\/1\.1 200 OK\r\nServer: openresty\r\n/);
    return JSON.parse(answer!.slice(answer!.indexOf('\r\n\r\n'))) as Record<string, unknown>;
  }

  it('answers commands of its own id, and of none', async () => {
    const port = await lan();
    const info = await ask(port, 'info', { deviceid: ID, data: {} });
    assert.deepStrictEqual([info['error'], (info['data'] as Record<string, unknown>)['otaUnlock']], [0, false]);
    assert.strictEqual((await ask(port, 'info', { data: {} }))['error'], 0);
    assert.strictEqual((await ask(port, 'info', { deviceid: '1000000000', data: {} }))['error'], 404);
    assert.strictEqual(await send(port, post('info', { deviceid: '', data: {} })), undefined);
  });

  it('refuses a command without data, and one that it does not know', async () => {
    const port = await lan();
    assert.strictEqual((await ask(port, 'info', { deviceid: ID }))['error'], 422);
    assert.strictEqual((await ask(port, 'reboot', { deviceid: ID, data: {} }))['error'], 422);
    assert.strictEqual((await ask(port, 'switch', { data: { switch: 'toggle' } }))['error'], 422);
    assert.strictEqual((await ask(port, 'switch', { data: { switch: 'on' } }))['error'], 0);
  });

  it('finds fault with a request that comes soon after a reply', async () => {
    const port = await lan();
    await ask(port, 'info', { data: {} });
    assert.deepStrictEqual(faults, []);
    // The second is not the first: there may be a pause on a busy machine, but not between all of twenty.
    for (let n = 0; n < 20; n++) await ask(port, 'info', { data: {} });
    assert.match(faults[0] ?? '', /^info \d+ ms after a reply$/);
  });

  it('takes new firmware only when it is unlocked, and only by the right names', async () => {
    const port = await lan();
    const data = { downloadUrl: 'http://10.0.0.1:8080/a.bin', sha256sum: 'a'.repeat(64) };
    assert.strictEqual((await ask(port, 'ota_flash', { data }))['error'], 403);
    assert.strictEqual((await ask(port, 'ota_unlock', { data: {} }))['error'], 0);
    assert.strictEqual((await ask(port, 'ota_flash', { data }))['error'], 0);
    const wrong = { downloadURL: data.downloadUrl, sha256sum: data.sha256sum };
    assert.strictEqual((await ask(port, 'ota_flash', { data: wrong }))['error'], 422);
  });

  for (const [what, bytes] of [
    ['no Content-Length', 'POST /zeroconf/info HTTP/1.1\r\n\r\n{"data":{}}'],
    ['another path', post('info', { data: {} }).replace('zeroconf', 'zero')],
    ['broken JSON', 'POST /zeroconf/info HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"data":{'],
    ['more than 1024 bytes', post('info', { data: {}, filler: 'x'.repeat(1000) })],
  ] as const) {
    it(`answers nothing to ${what}, and resets who comes meanwhile`, async () => {
      const port = await lan();
      const hanging = await dial(port);
      hanging.on('data', () => assert.fail('an answer'));
      hanging.write(bytes);
      assert.strictEqual(await send(port, post('info', { data: {} })), undefined);
      assert.strictEqual(hanging.destroyed, false);
      assert.strictEqual(faults.length, 1);
      hanging.resetAndDestroy();
    });
  }

  it('finds Content-Length without regard to case, and its body in a packet of its own', async () => {
    const port = await lan();
    assert.ok(await send(port, post('info', { data: {} }, 'content-length')));
    const socket = await dial(port);
    const [head, body] = post('info', { data: {} }).split('{"data"') as [string, string];
    socket.write(head, () => socket.write(`{"data"${body}`));
    assert.match(String(await once(socket, 'data')), /"error":0/);
  });

  it('takes no URL without a port', () => {
    const sha256sum = 'a'.repeat(64);
    assert.strictEqual(readDiyOffer({ downloadUrl: 'http://10.0.0.1/a.bin', sha256sum }), undefined);
    assert.strictEqual(readDiyOffer({ downloadUrl: 'https://10.0.0.1:443/a.bin', sha256sum }), undefined);
    assert.strictEqual(readDiyOffer({ downloadUrl: 'http://10.0.0.1:80/a.bin', sha256sum })?.port, 80);
    assert.strictEqual(faults.length, 1);
    readDiyOffer({ downloadUrl: `http://${'h'.repeat(30)}:80/a.bin`, sha256sum });
    assert.strictEqual(faults.length, 2);
  });

  it('answers each question of mDNS with one record, and sends all four only unasked', async () => {
    const port = await freePort();
    const listener = multicastDns({ interface: '127.0.0.1', bind: '0.0.0.0', port });
    servers.push({ close: () => listener.destroy() });
    await once(listener, 'ready');
    const mode = new DiyMode(identity(), (_, reply) => reply(0));
    const announcer = new Announcer(identity(), '127.0.0.1', () => mode, port);
    servers.push({ close: () => announcer.stop() });
    const answers = async (act: () => unknown): Promise<DnsRecord[]> => {
      const heard = once(listener, 'response') as Promise<[{ answers: DnsRecord[] }]>;
      await act();
      return (await heard)[0].answers;
    };
    const all = await answers(() => announcer.announce());
    assert.deepStrictEqual(
      all.map(({ type }) => type),
      ['PTR', 'SRV', 'TXT', 'A'],
    );
    for (const { name, type } of all) {
      const question = { name: name.toUpperCase(), type } as Question;
      const alone = await answers(() => listener.query([question]));
      assert.deepStrictEqual(
        alone.map((record) => [record.type, record.name]),
        [[type, name]],
      );
    }
    const text = (all[2] as TxtAnswer).data as Buffer[];
    assert.ok(text.map(String).includes(`id=${ID}`));
    assert.ok(!text.some((pair) => String(pair).startsWith('encrypt')));
  });

  it('answers a question from another port than that of mDNS to that port alone', async () => {
    const port = await freePort();
    const mode = new DiyMode(identity(), (_, reply) => reply(0));
    const announcer = new Announcer(identity(), '127.0.0.1', () => mode, port);
    servers.push({ close: () => announcer.stop() });
    await announcer.announce();
    const asker = createSocket('udp4');
    servers.push(asker);
    asker.bind(0, '127.0.0.1');
    await once(asker, 'listening');
    const question = { name: '_ewelink._tcp.local', type: 'PTR' } as const;
    asker.send(encode({ type: 'query', id: 7, questions: [question] }), port, '127.0.0.1');
    const [bytes] = (await once(asker, 'message')) as [Buffer];
    const { id, answers } = decode(bytes);
    assert.deepStrictEqual([id, answers?.length], [7, 1]);
  });

  /** A download from a server that answers each request with what `reply` makes of the range's first byte. */
  async function downloadFrom(digest: string, reply: (first: number, socket: net.Socket) => void) {
    const requests: string[] = [];
    const server = net.createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (bytes: Buffer) => {
        requests.push(bytes.toString());
        reply(Number(/bytes=(\d+)-/.exec(bytes.toString())?.[1]), socket);
      });
    });
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const offer = { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port, path: '/a.bin', digest };
    const replies: number[] = [];
    const flash = Flash.stock();
    const { result } = await download(identity(), flash, offer, (code) => replies.push(code));
    return { result, replies, requests, flash };
  }

  const image = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
  /** Of `image`. */
  const DIGEST = '69dbee893909fa17d1be397e0c07691336fe42049c29d403467d3d4a1fc3b5a1';
  const piece = (
    first: number,
    status = '206 Partial Content',
    names = ['Content-Range', 'Content-Length'],
  ): Buffer => {
    const body = image.subarray(first, first + 4096);
    const range = `bytes ${first}-${first + body.length - 1}/${image.length}`;
    const head = `HTTP/1.1 ${status}\r\n${names[0]}: ${range}\r\n${names[1]}: ${body.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), body]);
  };

  it('downloads range by range, with the sequence of rand() as ts', async () => {
    const { result, replies, requests, flash } = await downloadFrom(DIGEST, (first, socket) =>
      socket.write(piece(first)),
    );
    assert.deepStrictEqual([result, replies], [0, [0]]);
    assert.deepStrictEqual(flash.bytes.subarray(DOWNLOAD_ADDRESS, DOWNLOAD_ADDRESS + 5000), image);
    const asked = requests.map((text) => [/&ts=(\d+)&/.exec(text)?.[1], /Range: (.*)\r\n/.exec(text)?.[1]]);
    assert.deepStrictEqual(asked, [
      ['1481765933', 'bytes=0-4095'],
      ['1085377743', 'bytes=4096-8191'],
    ]);
  });

  it('reports a digest that differs, upper case among them, with 409', async () => {
    const digest = DIGEST.toUpperCase();
    const { result, replies } = await downloadFrom(digest, (first, socket) => socket.write(piece(first)));
    assert.deepStrictEqual([result, replies], [409, [0]]);
  });

  const edited = (from: string | RegExp, to: string): Buffer =>
    Buffer.from(piece(0).toString('latin1').replace(from, to), 'latin1');
  const headBytes = piece(0).indexOf('\r\n\r\n') + 4;

  for (const [what, bytes, code, reason] of [
    ['the whole file', piece(0, '200 OK'), 424, /^not a 206/],
    ['names in lower case', piece(0, undefined, ['content-range', 'content-length']), 424, /^no Content-Range/],
    ['a length in lower case', piece(0, undefined, ['Content-Range', 'content-length']), 424, /^no Content-Length/],
    ['a header without its piece', piece(0).subarray(0, headBytes), 424, /^a header without/],
    ['half a header', piece(0).subarray(0, 40), 424, /more than one piece/],
    ['a piece over 4096 bytes', edited('Length: 4096', 'Length: 4097'), 424, /^no Content-Length up to/],
    ['a long header', edited('\r\n', `\r\nX: ${'x'.repeat(1000)}\r\n`), 424, /^a reply over/],
    ['a range that is too short', edited('Length: 4096', 'Length: 4000').subarray(0, -96), 424, /^another range/],
    ['more bytes than announced', Buffer.concat([piece(0), Buffer.alloc(1)]), 424, /^more bytes/],
    ['an image that is too large', edited('/5000', '/520193'), 413, /^an image of 520193/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { result, replies } = await downloadFrom(DIGEST, (_, socket) => socket.write(bytes));
      assert.deepStrictEqual([result, replies], [undefined, [code]]);
      assert.match(reasons[0] ?? '', reason);
    });
  }

  it('dials again when the server closes, and reports 404 when a later range fails', async () => {
    const closing = await downloadFrom(DIGEST, (first, socket) => socket.end(piece(first)));
    assert.strictEqual(closing.result, 0);
    const failing = await downloadFrom(DIGEST, (first, socket) =>
      socket.write(piece(first, first ? '200 OK' : undefined)),
    );
    assert.deepStrictEqual([failing.result, failing.replies], [404, [0]]);
  });
});
