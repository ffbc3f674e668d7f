import assert from 'node:assert/strict';
import { isNearer, scopeOf } from '../../lib/net/address-scope';

describe('net/address-scope', () => {
  for (const [scope, addresses] of [
    ['loopback', ['127.0.0.1', '127.8.9.10', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1']],
    [
      'private',
      ['10.1.2.3', '172.31.0.1', '192.168.4.1', '100.64.0.1', '169.254.1.1', 'fd00::1', 'fe80::1', '::ffff:10.0.0.1'],
    ],
    ['public', ['8.8.8.8', '172.32.0.1', '100.128.0.1', '192.169.0.1', '2001:db8::1', '::ffff:8.8.8.8']],
  ] as const) {
    for (const address of addresses) it(`knows ${address} as ${scope}`, () => assert.equal(scopeOf(address), scope));
  }

  it('knows which scope is nearer', () => {
    assert.deepEqual([isNearer('loopback', 'private'), isNearer('private', 'public')], [true, true]);
    assert.deepEqual([isNearer('private', 'private'), isNearer('public', 'loopback')], [false, false]);
  });
});
