import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import tls, { createServer, type ConnectionOptions } from 'node:tls';
import { PortListener } from '../../lib/server/port-listener';
import { TlsFront, type Secured } from '../../lib/server/tls-front';
import { type TlsIdentity } from '../../lib/server/tls-identity';
import { handshakeAsDevice, selfTestTls } from '../../lib/server/tls-self-test';
import { wording } from '../../lib/wordings/wording';
import { assertLeavesNothing } from '../shared/left-behind';
import { freePort } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { testIdentity } from '../shared/test-identity';

describe('server/tls-self-test', () => {
  let identity: TlsIdentity;

  afterEach(timeGoesOn);
  before(async () => {
    identity = await testIdentity();
  });

  it('finds nothing wrong with a Node.js that speaks TLS 1.1', async () => {
    assert.equal(await selfTestTls(identity), undefined);
    await assertLeavesNothing(() => selfTestTls(identity));
  });

  it('speaks as the older of the two TLS stacks of devices does', async () => {
    const front = new TlsFront(identity, (socket) => socket.end());
    const secured: Secured[] = [];
    front.on('secured', (connection) => secured.push(connection));
    assert.equal(await handshakeAsDevice((socket) => front.handle(socket)), undefined);
    front.close();
    assert.deepEqual(secured, [{ peer: '127.0.0.1', protocol: 'TLSv1.1', cipher: 'AES128-SHA' }]);
  });

  describe('where the connection itself', () => {
    afterEach(() => mock.restoreAll());

    for (const [what, thrown, code] of [
      ['a code', Object.assign(new Error('no'), { code: 'ERR_SSL_NO_CIPHER_MATCH' }), 'ERR_SSL_NO_CIPHER_MATCH'],
      ['words', new Error('no cipher match'), 'no cipher match'],
    ] as const) {
      it(`is not even tried by this Node.js, says so with its ${what}`, async () => {
        mock.method(tls, 'connect', () => {
          throw thrown;
        });
        const error = await selfTestTls(identity);
        const values = { peer: wording('this-machine'), reason: wording('tls-unspoken', { code }) };
        assert.deepEqual([error?.code, error?.values], ['tls-refused', values]);
      });
    }

    it('cannot be made, blames no TLS', async () => {
      const port = await freePort();
      const { connect } = tls;
      mock.method(tls, 'connect', (options: ConnectionOptions) => connect({ ...options, port }));
      assert.equal(await selfTestTls(identity), undefined);
    });

    it('has no port, blames no TLS', async () => {
      mock.method(PortListener.prototype, 'listen', () => Promise.reject(new Error('no loopback')));
      assert.equal(await selfTestTls(identity), undefined);
    });
  });

  // The behaviour of a hardened OpenSSL, played by one that is configured so.
  for (const [how, options] of [
    ['TLS 1.2 at least', { minVersion: 'TLSv1.2' }],
    ['no ciphers without forward secrecy', { minVersion: 'TLSv1', ciphers: 'ECDHE-RSA-AES128-SHA:@SECLEVEL=0' }],
  ] as const) {
    it(`says tls-refused where the OpenSSL wants ${how}`, async () => {
      const server = createServer({ ...identity, ...options });
      server.on('tlsClientError', (_error, socket) => socket.destroy());
      const error = await handshakeAsDevice((socket: Socket) => void server.emit('connection', socket));
      assert.equal(error?.code, 'tls-refused');
      assert.match(error.message, /this machine itself.*\((ERR_SSL|ECONNRESET)/);
      assert.match(error.message, /official Node\.js/);
    });
  }

  it('does not wait without end for a handshake', async () => {
    let accepted = (): void => undefined;
    const isAccepted = new Promise<void>((resolve) => (accepted = resolve));
    timeStands();
    const outcome = handshakeAsDevice(() => accepted());
    await isAccepted;
    for (let turns = 0; turns < 10; turns += 1) await nextTurn();
    timePasses(4999);
    let isOver = false;
    void outcome.then(() => (isOver = true));
    for (let turns = 0; turns < 10; turns += 1) await nextTurn();
    assert.equal(isOver, false);
    timePasses(1);
    assert.deepEqual((await outcome)?.values, { peer: wording('this-machine'), reason: wording('tls-slow') });
  });

  it('says tls-refused where the OpenSSL does not take our settings at all', async () => {
    const error = await handshakeAsDevice(() => void createServer({ ...identity, ciphers: 'NO-SUCH-CIPHER' }));
    assert.equal(error?.code, 'tls-refused');
  });
});
