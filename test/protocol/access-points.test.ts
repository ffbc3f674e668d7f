import assert from 'node:assert/strict';
import { isAccessPointOf, isAccessPointOfDevice, kindOf } from '../../lib/protocol/access-points';

describe('protocol/access-points', () => {
  it('knows what an access point is by its name', () => {
    assert.deepEqual(kindOf('ITEAD-10000A1B2C'), { kind: 'stock', deviceid: '10000a1b2c' });
    const names = ['FinalStage', 'tasmota-A1B2C3-0967', 'tasmota_A1B2C3-0967', 'sonoff-0967', 'Lamp Fallback Hotspot'];
    assert.deepEqual(
      names.map((name) => kindOf(name).kind),
      ['finalstage', 'tasmota', 'tasmota', 'tasmota', 'esphome'],
    );
    const others = ['ITEAD-', 'ITEAD-10000a1b2', 'finalstage', 'sonoff-shop', 'tasmotaniac', 'home', ''];
    assert.ok(others.every((name) => kindOf(name).kind === 'other'));
  });

  it('knows the access point of a device by its MAC address', () => {
    assert.ok(isAccessPointOf('1A:FE:34:9C:9E:F6', '18:fe:34:9c:9e:f6'));
    assert.ok(isAccessPointOf('5E:CF:7F:A1:B2:C3', '5C:CF:7F:A1:B2:C3'));
    assert.ok(!isAccessPointOf('5E:CF:7F:A1:B2:C4', '5C:CF:7F:A1:B2:C3'));
    assert.ok(!isAccessPointOf('1A:FE:34:9C:9E:F6', '5C:CF:7F:9C:9E:F6'));
    assert.ok(!isAccessPointOf('', ''));
  });

  it('knows it best by the address that it had before, then by its MAC address, then by that of the link', () => {
    const [own, other] = ['5E:CF:7F:A1:B2:C3', '5E:CF:7F:FF:FF:FF'];
    const [mac, otherMac] = ['5C:CF:7F:A1:B2:C3', '5C:CF:7F:FF:FF:FF'];
    assert.equal(isAccessPointOfDevice(own, {}), undefined);
    for (const known of [{ linkMac: mac }, { mac, linkMac: otherMac }, { bssid: own, mac: otherMac }]) {
      assert.equal(isAccessPointOfDevice(own, known), true, JSON.stringify(known));
      assert.equal(isAccessPointOfDevice(other, known), false, JSON.stringify(known));
    }
  });
});
