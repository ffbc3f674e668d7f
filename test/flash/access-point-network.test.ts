import assert from 'node:assert/strict';
import { requireItsNetwork } from '../../lib/flash/stage/provision/access-point-network';
import { AP_ADDRESS, AP_URL } from '../../lib/protocol/ap';
import { wording } from '../../lib/wordings/wording';
import { assertCode } from './refusals';

describe('flash/stage/access-point-network', () => {
  const from = (own: string | undefined) => async (towards?: string) => {
    assert.equal(towards, AP_ADDRESS);
    return own;
  };

  it('takes an access point at the default address only from inside its network', async () => {
    await requireItsNetwork(AP_URL, from('10.10.7.2'));
    for (const own of ['192.168.1.7', '10.10.70.2', '100.64.0.1', undefined]) {
      const { values } = await assertCode(requireItsNetwork(AP_URL, from(own)), 'ap-refused');
      const reason = own === undefined ? wording('other-network-unreached') : wording('other-network', { own });
      assert.deepEqual(values, { url: AP_URL, reason });
    }
  });

  it('takes the answer at an address that a person has given', async () => {
    await requireItsNetwork('http://127.0.0.1:10080', () => assert.fail());
  });

  it('asks the routes of this machine', async () => {
    // No test machine is in the network of an access point.
    await assertCode(requireItsNetwork(AP_URL), 'ap-refused');
  });
});
