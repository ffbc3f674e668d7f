import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { type TlsIdentity } from '../../lib/server/tls-identity';
import { handshakeAsDevice, SELF_TEST_LIMIT_MS, selfTestTls } from '../../lib/server/tls-self-test';
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
    timePasses(SELF_TEST_LIMIT_MS);
    assert.match(String((await outcome)?.message), /too long/);
  });

  it('says tls-refused where the OpenSSL does not take our settings at all', async () => {
    const error = await handshakeAsDevice(() => void createServer({ ...identity, ciphers: 'NO-SUCH-CIPHER' }));
    assert.equal(error?.code, 'tls-refused');
  });
});
