import assert from 'node:assert/strict';
import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { globalAgent, type Agent, type ClientRequest, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createServer as createTcpServer, isIP, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { displayUrl, get, mayPass, reasonOf, type GetOptions } from '../../lib/client/http-get';
import { RequestRefused } from '../../lib/client/refusal';
import { Route } from '../../lib/client/route';
import type { AddressScope } from '../../lib/net/address-scope';
import { useHttpServers } from '../shared/http-server';
import { assertRefused } from '../shared/refusal';
import { testIdentity } from '../shared/test-identity';
import { quoted, wording } from '../../lib/wordings/wording';

/** Leads to 127.0.0.1 as well. */
const MAPPED = '::ffff:127.0.0.1';
const OPTIONS = { what: wording('image-final'), headers: { 'x-ours': 'yes' }, signal: new AbortController().signal };

const redirectTo =
  (location: string, status = 302): RequestListener =>
  (_, response) =>
    response.writeHead(status, { location }).end('elsewhere');

const isRefusal = (reason: RegExp) => (thrown: unknown) =>
  thrown instanceof RequestRefused && reason.test(thrown.message);

/** @param options whatever differs from the usual */
async function bodyOf(address: string, options: Partial<GetOptions> = {}): Promise<string> {
  return await text((await get(address, { ...OPTIONS, ...options })).body);
}

/** @param names the answers to each name, one after the other; whatever else is asked for is an address */
function routeWhere(names: Record<string, string[]>, scopes: Record<string, AddressScope>): Route {
  return new Route(
    async (name) => {
      const address = name in names ? (names[name]?.shift() ?? 'asked too often') : name;
      return [{ address, family: isIP(address) }];
    },
    (address) => scopes[address] ?? 'loopback',
  );
}

describe('client/http-get', () => {
  const { serve } = useHttpServers();

  /** Takes note of each request's headers. */
  async function target(): Promise<{ url: string; seen: IncomingHttpHeaders[] }> {
    const seen: IncomingHttpHeaders[] = [];
    const url = await serve(({ headers }, response) => {
      seen.push(headers);
      response.end('here');
    });
    return { url, seen };
  }

  describe('from https', () => {
    let secure: Server;
    let location = '';
    const trusts = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];

    before(async () => {
      // Our own certificate names no host; which it is does not matter here.
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      secure = createServer(await testIdentity(), (request, response) => {
        if (request.url === '/elsewhere.bin') response.end('here');
        else redirectTo(location)(request, response);
      });
      secure.listen(0, '127.0.0.1');
      await once(secure, 'listening');
    });
    after(() => {
      if (trusts === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = trusts;
      secure.closeAllConnections();
      secure.close();
    });
    const secureUrl = (): string => `https://127.0.0.1:${(secure.address() as AddressInfo).port}/image.bin`;

    it('is taken from no server whose certificate cannot be verified', async () => {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      try {
        const thrown: unknown = await get(secureUrl(), OPTIONS).catch((error: unknown) => error);
        assert.match(reasonOf(thrown).text, /^its certificate is self-signed$/);
      } finally {
        process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      }
    });

    it('is redirected to https', async () => {
      location = '/elsewhere.bin';
      assert.equal(await bodyOf(secureUrl()), 'here');
    });

    it('is never redirected to http, where a peer on the way could put another image in', async () => {
      const { url, seen } = await target();
      location = url;
      await assert.rejects(get(secureUrl(), OPTIONS), isRefusal(/from https to http/));
      assert.equal(seen.length, 0);
    });
  });

  it('asks as it was told to, for the path with its query, and gives the whole answer', async () => {
    const asked: unknown[] = [];
    const url = await serve(({ method, url: path, headers }, response) => {
      asked.push([method, path, headers]);
      response.writeHead(404, 'Not Here', { 'x-theirs': 'yes' }).end('nothing');
    });
    const { status, statusText, headers, body } = await get(`${url}/a/b.bin?of=it#part`, OPTIONS);
    assert.deepEqual([status, statusText, headers['x-theirs'], await text(body)], [404, 'Not Here', 'yes', 'nothing']);
    const { host } = new URL(url);
    const sent = { host, accept: '*/*', 'user-agent': 'node', 'x-ours': 'yes', connection: 'close' };
    assert.deepEqual(asked, [['GET', '/a/b.bin?of=it', sent]]);
  });

  for (const [encoding, pack] of [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['of-its-own', (bytes: Buffer) => bytes],
  ] as const) {
    it(`unpacks what comes as ${encoding}, as far as that is known`, async () => {
      const url = await serve((_, response) =>
        response.writeHead(200, { 'content-encoding': encoding }).end(pack(Buffer.from('the image'))),
      );
      assert.equal(await bodyOf(url), 'the image');
    });
  }

  for (const packed of [false, true]) {
    it(`outlives an answer that breaks off while it is not read${packed ? ', packed' : ''}`, async () => {
      const url = await serve((_, response) => {
        response.writeHead(200, { 'content-length': 1000, ...(packed ? { 'content-encoding': 'gzip' } : {}) });
        response.write(gzipSync('a'), () => response.destroy());
      });
      const { body } = await get(url, OPTIONS);
      await new Promise((resolve) => body.once('close', resolve).resume());
    });
  }

  describe('while it connects', () => {
    const made: ClientRequest[] = [];
    const onRequest = (message: unknown): void => void made.push((message as { request: ClientRequest }).request);

    beforeEach(() => {
      made.length = 0;
      subscribe('http.client.request.start', onRequest);
    });
    afterEach(() => unsubscribe('http.client.request.start', onRequest));

    it('gives up what does not answer in 10 s, and says so', async () => {
      let asked = (): void => undefined;
      const isAsked = new Promise<void>((resolve) => (asked = resolve));
      const route = new Route(() => (asked(), new Promise(() => undefined)));
      const getting = get('http://far.test/', { ...OPTIONS, route });
      await isAsked;
      const [request] = made;
      assert.equal((request as ClientRequest & { timeout: number }).timeout, 10_000);
      // Node's own timer, which cannot be made to run out.
      request?.emit('timeout');
      const thrown: unknown = await getting.catch((error: unknown) => error);
      assert.deepEqual(reasonOf(thrown), wording('nothing-answered'));
    });

    it('has no limit of its own once the connection stands', async () => {
      const url = await serve((_, response) => {
        made[0]?.emit('timeout');
        response.end('here');
      });
      assert.equal(await bodyOf(url), 'here');
    });

    it('uses connections of its own, and those of Node where only they know the proxy', async () => {
      const { url } = await target();
      const before = process.env['NODE_USE_ENV_PROXY'];
      try {
        for (const setting of ['0', '1']) {
          process.env['NODE_USE_ENV_PROXY'] = setting;
          await bodyOf(url);
        }
      } finally {
        if (before === undefined) delete process.env['NODE_USE_ENV_PROXY'];
        else process.env['NODE_USE_ENV_PROXY'] = before;
      }
      assert.deepEqual(
        made.map((request) => (request as ClientRequest & { agent: Agent }).agent === globalAgent),
        [false, true],
      );
    });
  });

  for (const status of [301, 302, 303, 307, 308]) {
    it(`follows a ${status}, with the headers that it was given`, async () => {
      const { url, seen } = await target();
      const response = await get(await serve(redirectTo(`${url}/moved`, status)), OPTIONS);
      assert.equal(await text(response.body), 'here');
      assert.equal(seen[0]?.['x-ours'], 'yes');
    });
  }

  it('follows an address that is relative to the one before', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/a/b') redirectTo('../c')(request, response);
      else response.end(request.url);
    });
    assert.equal(await bodyOf(`${url}/a/b`), '/c');
  });

  it('sends user and password to their own origin, also after a redirect, and nowhere else', async () => {
    const { url: elsewhere, seen } = await target();
    const own: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      own.push(request.headers.authorization);
      redirectTo(request.url === '/first' ? '/second' : elsewhere)(request, response);
    });
    await bodyOf(`${url.replace('//', '//an%40n:p%40ss@')}/first`);
    const basic = `Basic ${Buffer.from('an@n:p@ss').toString('base64')}`;
    assert.deepEqual(own, [basic, basic]);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.authorization, undefined);
  });

  for (const [what, user, plain] of [
    ['user', 'ann@', 'ann:'],
    ['password', ':secret@', ':secret'],
  ] as const) {
    it(`sends a ${what} alone, too`, async () => {
      const { url, seen } = await target();
      await bodyOf(url.replace('//', `//${user}`));
      assert.equal(seen[0]?.authorization, `Basic ${Buffer.from(plain).toString('base64')}`);
    });
  }

  for (const [from, to, words] of [
    ['public', 'private', 'to a private network'],
    ['public', 'loopback', 'to this machine'],
    ['private', 'loopback', 'to this machine'],
  ] as const) {
    it(`is never redirected from a ${from} address ${words}`, async () => {
      const { url, seen } = await target();
      const server = await serve(redirectTo(url.replace('127.0.0.1', 'next.test')));
      const route = routeWhere({ 'next.test': [MAPPED] }, { '127.0.0.1': from, [MAPPED]: to });
      await assert.rejects(get(server, { ...OPTIONS, route }), isRefusal(new RegExp(`it redirects ${words}`)));
      assert.equal(seen.length, 0);
    });
  }

  for (const [from, to] of [
    ['private', 'public'],
    ['private', 'private'],
    ['public', 'public'],
  ] as const) {
    it(`follows a redirect from a ${from} to a ${to} address`, async () => {
      const { url } = await target();
      const server = await serve(redirectTo(url.replace('127.0.0.1', 'next.test')));
      const route = routeWhere({ 'next.test': [MAPPED] }, { '127.0.0.1': from, [MAPPED]: to });
      assert.equal(await bodyOf(server, { route }), 'here');
    });
  }

  it('dials the address that was checked, whatever a name server answers later (DNS rebinding)', async () => {
    const near = await target();
    const server = await serve((request, response) => {
      if (request.headers.host?.startsWith('far.test'))
        redirectTo(near.url.replace('127.0.0.1', 'next.test'))(request, response);
      else response.end('here');
    });
    const route = routeWhere(
      { 'far.test': ['127.0.0.1', '127.0.0.1'], 'next.test': ['127.0.0.2', '127.0.0.1'] },
      { '127.0.0.1': 'public', '127.0.0.2': 'public' },
    );
    await assert.rejects(get(server.replace('127.0.0.1', 'far.test'), { ...OPTIONS, route }), { code: 'ECONNREFUSED' });
    assert.equal(near.seen.length, 0);
  });

  it('dials a host that it stays with at the same address', async () => {
    const hosts: (string | undefined)[] = [];
    const server = await serve((request, response) => {
      hosts.push(request.headers.host);
      if (request.url === '/first') redirectTo('/second')(request, response);
      else response.end('here');
    });
    const route = routeWhere({ 'far.test': ['127.0.0.1', '127.0.0.2'] }, { '127.0.0.1': 'public' });
    const url = server.replace('127.0.0.1', 'far.test');
    assert.equal(await bodyOf(`${url}/first`, { route }), 'here');
    assert.deepEqual(hosts, [new URL(url).host, new URL(url).host]);
  });

  it('takes a name for as near as the nearest of its addresses', async () => {
    const addresses: Record<string, string[]> = { far: ['203.0.113.1'], both: ['203.0.113.2', '192.168.1.5'] };
    const route = new Route(async (name) => (addresses[name] ?? []).map((address) => ({ address, family: 4 })));
    await route.to('far');
    await assert.rejects(route.to('both'), isRefusal(/to a private network/));
  });

  it('is never redirected from a public address to a nearer one without a name', async () => {
    const { url, seen } = await target();
    const server = await serve(redirectTo(url));
    const route = routeWhere({ 'far.test': [MAPPED] }, { [MAPPED]: 'public' });
    const away = get(server.replace('127.0.0.1', 'far.test'), { ...OPTIONS, route });
    await assert.rejects(away, isRefusal(/to this machine/));
    assert.equal(seen.length, 0);
  });

  it('dials an IPv6 address in brackets, and is redirected to none that is nearer', async () => {
    const { url, seen } = await target();
    const bracketed = url.replace('127.0.0.1', `[${MAPPED}]`);
    assert.equal(await bodyOf(bracketed), 'here');
    assert.equal(seen[0]?.host, new URL(bracketed).host);
    const server = await serve(redirectTo(bracketed));
    const route = routeWhere({ 'far.test': ['127.0.0.1'] }, { '127.0.0.1': 'public' });
    const away = get(server.replace('127.0.0.1', 'far.test'), { ...OPTIONS, route });
    await assert.rejects(away, isRefusal(/to this machine/));
    assert.equal(seen.length, 1);
  });

  it('keeps no connection to what only redirects', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const { url } = await target();
    const redirecting = await serve((request, response) => {
      closed = once(request.socket, 'close');
      response.writeHead(302, { location: url }).write('a page that never ends');
    });
    assert.equal(await bodyOf(redirecting), 'here');
    await closed;
  });

  describe('dialled by its name', () => {
    const ADDRESSES = [
      { address: '192.0.2.7', family: 4 },
      { address: '2001:db8::7', family: 6 },
    ];
    /** As Node's sockets ask. */
    const lookUp = (route: Route, name: string, asked: string, all: boolean): Promise<unknown[]> =>
      new Promise((resolve) => route.lookupOf(name)(asked, { all }, (...answer) => resolve(answer)));

    it('has all of its addresses, or the first with its family', async () => {
      const route = new Route(() => Promise.resolve(ADDRESSES));
      assert.deepEqual(await lookUp(route, 'a', 'a', true), [null, ADDRESSES]);
      assert.deepEqual(await lookUp(route, 'a', 'a', false), [null, '192.0.2.7', 4]);
    });

    it('leads to the proxy where that is asked for, which is no host of the route', async () => {
      const route = new Route(() => assert.fail('nobody asks for the host'));
      assert.deepEqual(await lookUp(route, 'a', '127.0.0.1', true), [null, [{ address: '127.0.0.1', family: 4 }]]);
    });

    it('fails as its name does', async () => {
      const error = Object.assign(new Error('not known'), { code: 'ENOTFOUND' });
      const [thrown] = await lookUp(new Route(() => Promise.reject(error)), 'a', 'a', true);
      assert.equal(thrown, error);
    });
  });

  it('gives up after five redirects', async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      requests++;
      redirectTo('/again')(request, response);
    });
    const { values } = await assertRefused(get(`${url}/?secret=1`, OPTIONS), 'fetch-redirected', /^(?!.*secret)/);
    assert.deepEqual(values, { what: OPTIONS.what, source: `${url}/`, times: 5 });
    assert.equal(requests, 6);
  });

  it('refuses what is no address, no http, and a redirect to nowhere', async () => {
    await assert.rejects(get('no address', OPTIONS), isRefusal(/no address/));
    await assert.rejects(get('file:///etc/passwd', OPTIONS), isRefusal(/only http and https addresses .* not file/));
    const toFile = await serve(redirectTo('file:///etc/passwd'));
    await assert.rejects(get(toFile, OPTIONS), isRefusal(/not file/));
    await assert.rejects(get('http://:80', OPTIONS), isRefusal(/no address/));
    const toNowhere = await serve((_, response) => response.writeHead(302).end());
    await assert.rejects(get(toNowhere, OPTIONS), isRefusal(/to nowhere/));
  });

  for (const [what, answer] of [
    ['is of another protocol', 'SSH-2.0-x\r\n\r\n'],
    ['changes to another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ] as const) {
    it(`says that an answer is not HTTP which ${what}`, async () => {
      const server = createTcpServer((socket) => {
        socket.end(answer, () => socket.destroy());
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const { port } = server.address() as AddressInfo;
        const thrown: unknown = await get(`http://127.0.0.1:${port}/`, OPTIONS).catch((error: unknown) => error);
        assert.equal(reasonOf(thrown).text, 'the answer is not HTTP');
      } finally {
        server.close();
      }
    });
  }

  for (const [code, reason] of [
    ['ECONNREFUSED', 'nothing listens there'],
    ['ECONNRESET', 'the connection broke off'],
    ['ENOTFOUND', 'its name is not known'],
    ['EAI_AGAIN', 'its name could not be looked up'],
    ['EHOSTUNREACH', 'there is no way to that network'],
    ['ENETUNREACH', 'there is no way to that network'],
    ['ETIMEDOUT', 'nothing answered'],
    ['CERT_HAS_EXPIRED', 'its certificate has expired'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is self-signed'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is self-signed'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate cannot be verified'],
    ['HPE_INVALID_CONSTANT', 'the answer is not HTTP'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
    ['ESOMETHING', 'ESOMETHING'],
  ] as const) {
    it(`says of ${code} that ${reason}`, () => {
      assert.equal(reasonOf(Object.assign(new Error('a'), { code })).text, reason);
    });
  }

  it('says in its own words what has no code, and whatever else was thrown', () => {
    assert.deepEqual([reasonOf(new Error('it rains')), reasonOf('snow')], [quoted('it rains'), quoted('snow')]);
    assert.equal(reasonOf(new RequestRefused(wording('redirects-nowhere'))).text, 'it redirects to nowhere');
  });

  it('tries again only after what may not come again', () => {
    const thrown = (code: string): Error => Object.assign(new Error('x'), { code });
    assert.deepEqual(
      ['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT'].map((code) => mayPass(thrown(code))),
      [true, true, false, false, false],
    );
    assert.equal(mayPass('ECONNRESET'), false);
  });

  it('shows an address without what may be a secret in it', () => {
    assert.equal(displayUrl('https://me:secret@host:8443/a.bin?token=secret#x'), 'https://host:8443/a.bin');
    assert.equal(displayUrl('no address, but secret'), 'that address');
  });
});
