import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { FlashError } from '../../../lib/errors';
import { NetworkManagerDriver } from '../../../lib/net/wifi/networkmanager/driver';
import { assertCode } from '../../flash/refusals';
import { DBusMock, whyNoDBusMock } from './dbusmock';
import { PrivateBus, whyNoBus } from './private-bus';

const ITEAD = { ssid: 'ITEAD-1000a1b2c3', bssid: '5E:CF:7F:A1:B2:C3' };
const never = new AbortController().signal;

describe("net/wifi/networkmanager against dbusmock's NetworkManager", () => {
  let bus: PrivateBus | undefined;
  let nm: DBusMock;
  let driver: NetworkManagerDriver;

  before(async function () {
    const reason = whyNoBus() ?? whyNoDBusMock();
    if (reason !== undefined) {
      console.log(`    skipped: ${reason}`);
      return this.skip();
    }
    bus = await PrivateBus.start();
    nm = await DBusMock.start();
    await nm.addAccessPoint(ITEAD.ssid, ITEAD.bssid);
    await nm.addAccessPoint('FinalStage', '5E:CF:7F:FF:FF:FF', { isOpen: true });
    driver = new NetworkManagerDriver('wlan0', { findLimitMs: 300 });
  });

  after(async () => {
    driver?.close();
    await nm?.stop();
    await bus?.stop();
  });

  it('names what is in reach', async () => {
    const found = await driver.scan({ signal: never });
    assert.deepEqual(found, [
      { ...ITEAD, signal: 82, frequency: 2437, security: 'psk' },
      { ssid: 'FinalStage', bssid: '5E:CF:7F:FF:FF:FF', signal: 82, frequency: 2437, security: 'open' },
    ]);
  });

  it('makes a profile whose types it takes, and takes it away', async () => {
    const joined = await driver.join({ ...ITEAD, psk: '12345678' }, { signal: never });
    assert.deepEqual(joined, { ...ITEAD, address: '10.10.7.2', interfaceName: 'wlan0' });
    const [profile, ...others] = await nm.profiles();
    assert.equal(others.length, 0);
    assert.equal(profile?.['connection']?.['autoconnect'], false);
    assert.equal(profile?.['ipv4']?.['never-default'], true);
    assert.equal(String(profile?.['802-11-wireless']?.['ssid']), ITEAD.ssid);
    await driver.leave({ signal: never });
    assert.deepEqual(await nm.profiles(), []);
  });

  it('reports that the network is lost, and what is not there', async () => {
    await driver.join({ ...ITEAD, psk: '12345678' }, { signal: never });
    const lost = once(driver, 'lost');
    await nm.disconnect();
    const [error] = (await lost) as [FlashError];
    assert.equal(error.code, 'wifi-lost');
    await driver.leave({ signal: never });
    await assertCode(driver.join({ ssid: 'ITEAD-1000ffffff' }, { signal: never }), 'wifi-not-found');
    assert.deepEqual(await nm.profiles(), []);
  });
});
