import assert from 'node:assert/strict';
import { narrowestBind } from '../../lib/net/addresses';
import { cidr, isLocalPeer, overlap, type Network } from '../../lib/net/networks';

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

  const network = (text: string): Network => {
    const [address = '', netmask = ''] = text.split('/');
    return { address, netmask };
  };

  it('writes a network as people do', () => {
    for (const [text, written] of [
      ['192.168.1.77/255.255.255.0', '192.168.1.0/24'],
      ['10.1.239.3/255.255.240.0', '10.1.224.0/20'],
      ['10.1.2.3/255.0.0.0', '10.0.0.0/8'],
      ['192.168.1.131/255.255.255.248', '192.168.1.128/29'],
      ['192.0.2.7/255.255.255.255', '192.0.2.7/32'],
      ['192.0.2.7/0.0.0.0', '0.0.0.0/0'],
    ] as const) {
      assert.equal(cidr(network(text)), written);
    }
  });

  it('knows networks that have an address in common, whichever is the wider one', () => {
    for (const [one, other, isCommon] of [
      ['192.168.1.5/255.255.255.0', '192.168.1.200/255.255.255.0', true],
      ['192.168.1.5/255.255.255.0', '192.168.2.5/255.255.255.0', false],
      ['192.168.4.1/255.255.255.0', '192.168.0.9/255.255.0.0', true],
      ['192.168.1.5/255.255.255.128', '192.168.1.200/255.255.255.128', false],
      ['192.168.1.5/255.255.255.128', '192.168.1.200/255.255.255.0', true],
    ] as const) {
      assert.deepEqual(
        [overlap(network(one), network(other)), overlap(network(other), network(one))],
        [isCommon, isCommon],
        `${one} ${other}`,
      );
    }
  });

  it("listens on the address that is dialled alone, where it is this machine's", () => {
    assert.equal(narrowestBind('127.0.0.1', '0.0.0.0'), '127.0.0.1');
    assert.equal(narrowestBind('192.0.2.1', '0.0.0.0'), '0.0.0.0');
    assert.equal(narrowestBind(undefined, '127.0.0.1'), '127.0.0.1');
  });
});
