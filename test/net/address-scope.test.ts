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

  for (const [first, last, before, after] of [
    ['10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
    ['172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
    ['192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
    ['100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
    ['169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
    ['fc00::', 'fdff:ffff::', 'fbff::', 'fe00::'],
    ['fe80::', 'febf:ffff::', 'fe7f::', 'fec0::'],
  ] as const) {
    it(`knows ${first} to ${last} as private, and nothing beside`, () => {
      assert.deepEqual([first, last, before, after].map(scopeOf), ['private', 'private', 'public', 'public']);
    });
  }

  it('knows this machine by whole networks', () => {
    assert.deepEqual(['127.255.255.255', '0.255.255.255'].map(scopeOf), ['loopback', 'loopback']);
    assert.deepEqual(['126.255.255.255', '128.0.0.0', '1.0.0.0', '::2'].map(scopeOf), Array(4).fill('public'));
  });

  it('knows which scope is nearer', () => {
    assert.deepEqual([isNearer('loopback', 'private'), isNearer('private', 'public')], [true, true]);
    assert.deepEqual([isNearer('private', 'private'), isNearer('public', 'loopback')], [false, false]);
  });
});
