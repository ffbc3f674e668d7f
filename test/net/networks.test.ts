import assert from 'node:assert/strict';
import { narrowestBind } from '../../lib/net/addresses';
import { isLocalPeer } from '../../lib/net/networks';

describe('net/networks', () => {
  const own = [
    { address: '192.168.1.5', netmask: '255.255.255.0' },
    { address: '10.42.0.1', netmask: '255.255.255.0' },
  ];

  it('takes this machine and its own networks for local', () => {
    for (const peer of ['192.168.1.77', '10.42.0.20', '127.0.0.1']) assert.equal(isLocalPeer(peer, own), true, peer);
  });

  it('takes no other peer for local, however private the address', () => {
    for (const peer of ['192.168.2.77', '10.0.0.1', '52.57.118.192', '0.0.0.0']) {
      assert.equal(isLocalPeer(peer, own), false, peer);
    }
    assert.equal(isLocalPeer('192.168.1.77', []), false);
  });

  it("listens on the address that is dialled alone, where it is this machine's", () => {
    assert.equal(narrowestBind('127.0.0.1', '0.0.0.0'), '127.0.0.1');
    assert.equal(narrowestBind('192.0.2.1', '0.0.0.0'), '0.0.0.0');
    assert.equal(narrowestBind(undefined, '127.0.0.1'), '127.0.0.1');
  });
});
