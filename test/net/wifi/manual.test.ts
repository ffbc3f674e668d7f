import assert from 'node:assert/strict';
import { ManualDriver } from '../../../lib/net/wifi/manual';
import { assertCode } from '../../flash/refusals';

const FINALSTAGE = { ssid: 'FinalStage', peer: '192.168.4.1' };

describe('net/wifi/manual', () => {
  let answer: 'accepted' | 'refused' | 'silent' = 'silent';
  const own = { name: 'wlan0', address: '192.168.4.2', netmask: '255.255.255.0', kind: 'lan' } as const;
  const driver = new ManualDriver({ addresses: () => [own], probe: async () => answer });

  beforeEach(() => {
    answer = 'silent';
  });

  it('sees that a person has joined when a host answers there', async () => {
    const joining = driver.join(FINALSTAGE, { signal: new AbortController().signal });
    answer = 'refused';
    assert.deepEqual(await joining, {
      ssid: 'FinalStage',
      bssid: undefined,
      address: '192.168.4.2',
      interfaceName: 'wlan0',
    });
    await driver.leave();
    assert.equal(driver.joined, undefined);
  });

  it('waits no longer than its limit', async () => {
    const { signal } = new AbortController();
    await assertCode(driver.join(FINALSTAGE, { signal, limitMs: 50 }), 'wifi-timeout');
  });

  it('is cancelled while it waits', async () => {
    const cancel = new AbortController();
    const joining = driver.join(FINALSTAGE, { signal: cancel.signal });
    cancel.abort();
    await assertCode(joining, 'cancelled');
  });

  it('cannot look around', async () => {
    await assertCode(driver.scan(), 'wifi-unavailable');
  });
});
