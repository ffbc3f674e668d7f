import assert from 'node:assert/strict';
import { Devices } from '../../lib/flash/devices/devices';
import { ImageAuthorizer } from '../../lib/flash/images/image-authorizer';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { digestOf } from '../../lib/image';
import { localIPv4 } from '../../lib/net/addresses';
import { parseOtaRequest } from '../../lib/protocol/ota-request';
import type { ImageGrant, ImageRefusal } from '../../lib/server/transfer';

describe('flash/images/probe-images', () => {
  const authorizer = new ImageAuthorizer(new JobRegistry(), new Devices());
  const find = (url: string, peer: string): ImageGrant | ImageRefusal =>
    authorizer.find(parseOtaRequest({ method: 'GET', url, httpVersion: '1.1', headers: {} }), peer);
  const NOTHING = { status: 404, reason: 'there is nothing here' };

  it('are for this machine alone, each at an address of its own, until they are withdrawn', () => {
    const [one, other] = [authorizer.probes.offer(), authorizer.probes.offer()];
    assert.match(one.path, /^\/sonota\/self-test\/[\da-f]{32}\.bin$/);
    assert.notEqual(one.path, other.path);
    assert.notEqual(one.sha256, other.sha256);
    for (const peer of ['127.0.0.1', ...localIPv4().map(({ address }) => address)]) {
      const found = find(one.path, peer);
      assert.ok('bytes' in found, peer);
      assert.deepEqual([digestOf(found.bytes), found.bytes.length, one.size], [one.sha256, 10_000, 10_000]);
      found.observer.sent(0, 1);
      found.observer.ended({ complete: true, bytes: 10_000 });
    }
    assert.deepEqual(find(one.path, '192.0.2.7'), { status: 403, reason: 'this is for the machine itself' });
    one.withdraw();
    assert.deepEqual(find(one.path, '127.0.0.1'), NOTHING);
    assert.ok('bytes' in find(other.path, '127.0.0.1'));
    other.withdraw();
    assert.deepEqual(find(other.path, '127.0.0.1'), NOTHING);
  });
});
