import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { DialledAddress } from '../../lib/flash/host/dialled-address';
import type { LocalAddress } from '../../lib/net/addresses';
import type { HomeChoice } from '../../lib/net/home-network';
import { wording, type Wording } from '../../lib/wordings/wording';

const OWN = '192.0.2.7';
const NONE: HomeChoice = { home: undefined, candidates: [] };

describe('flash/host/dialled-address', () => {
  function dialled(set: string, current?: string, choice: HomeChoice = NONE): DialledAddress {
    return new DialledAddress(() => set, { current, choice });
  }

  /** Why a device cannot be given it. */
  function refusal(address: DialledAddress): Wording | undefined {
    try {
      address.require();
    } catch (error) {
      assert.ok(error instanceof FlashError);
      assert.equal(error.code, 'address-invalid');
      return error.values.reason;
    }
    return undefined;
  }

  it('is the one that a person has set, else that of this machine at home', () => {
    const seen = ['', '192.0.2.9', OWN].map((set) => {
      const { current, isSet, isRemembered } = dialled(set, OWN);
      return { current, isSet, isRemembered };
    });
    assert.deepEqual(seen, [
      { current: OWN, isSet: false, isRemembered: true },
      { current: '192.0.2.9', isSet: true, isRemembered: false },
      { current: OWN, isSet: true, isRemembered: true },
    ]);
    const { current, isSet, isRemembered } = dialled('');
    assert.deepEqual([current, isSet, isRemembered], [undefined, false, false]);
  });

  it('is given to a device where it can be at home, though devices have a network of the same numbers', () => {
    for (const address of [OWN, '10.10.7.3', '192.168.4.1', '127.0.0.1']) {
      assert.equal(dialled(address).require(), address);
    }
    assert.equal(dialled('', OWN).require(), OWN);
  });

  it("is given to no device where this machine has it in a device's own network, or where it is no IPv4", () => {
    for (const address of ['10.10.7.2', '192.168.4.2']) {
      assert.deepEqual(refusal(dialled(address)), wording('address-of-guest', { address }));
    }
    for (const address of ['host.local', '192.0.2', '192.0.2.256', 'fe80::1']) {
      assert.deepEqual(refusal(dialled(address)), wording('address-not-ipv4', { address }));
    }
  });

  it('says why there is none', () => {
    const candidates: LocalAddress[] = [
      { name: 'eth0', address: OWN, netmask: '255.255.255.0', kind: 'lan' },
      { name: 'eth1', address: '198.51.100.7', netmask: '255.255.255.0', kind: 'lan' },
    ];
    assert.deepEqual(refusal(dialled('')), wording('address-none'));
    assert.deepEqual(
      refusal(dialled('', undefined, { home: undefined, candidates })),
      wording('address-several', { list: '192.0.2.7 (eth0), 198.51.100.7 (eth1)' }),
    );
  });
});
