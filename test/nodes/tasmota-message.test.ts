import assert from 'node:assert/strict';
import type { HostNode } from '../../nodes/shared/hosts';
import { MessageValues } from '../../nodes/shared/messages';
import { Values } from '../../nodes/shared/values';
import { planOf, readForm } from '../../nodes/sonota-tasmota-setup/message';

/** What planOf reads of a host. */
const HOST = { wifi: { ssid: undefined, password: undefined } } as HostNode;

function plan(form: object, message: Record<string, unknown>): ReturnType<typeof planOf> {
  return planOf(HOST, readForm(Values.ofForm(form)), new MessageValues(message));
}

describe('nodes: what sonota-tasmota-setup takes from its form and from a message', () => {
  it('is the Wi-Fi of the message, where the host has none', () => {
    const { ssid, password } = plan({}, { ssid: 'home', password: 'top secret' }).settings;
    assert.deepEqual([ssid, password], ['home', 'top secret']);
  });

  it('is the device as the nodes before have described it', () => {
    const addresses = { mac: '5C:CF:7F:A1:B2:C3', linkMac: '5C:CF:7F:A1:B2:C3', bssid: '5E:CF:7F:A1:B2:C3' };
    const device = { ...addresses, model: 'PSC-B01-GL', ip: '192.168.1.9' };
    assert.deepEqual(plan({}, { sonota: { ...device, percent: 100 } }).device, device);
    const nothing = { mac: undefined, linkMac: undefined, bssid: undefined, model: undefined, ip: undefined };
    assert.deepEqual(plan({}, {}).device, nothing);
  });

  for (const [what, form, message, homeUrl] of [
    ['the form', { address: '192.168.1.20/page' }, { address: '192.168.1.21' }, 'http://192.168.1.20'],
    ['the message', {}, { address: '192.168.1.21' }, 'http://192.168.1.21'],
    [
      'the node that has found it',
      {},
      { payload: { kind: 'tasmota', url: 'http://192.168.1.22/' } },
      'http://192.168.1.22',
    ],
    [
      'nobody, where the message has that of its stock firmware',
      {},
      { address: '192.168.1.9:8081', sonota: { ip: '192.168.1.9' } },
      undefined,
    ],
    [
      'the message, beside that of its stock firmware',
      {},
      { address: '192.168.1.21', sonota: { ip: '192.168.1.9' } },
      'http://192.168.1.21',
    ],
    [
      'the message, in a rehearsal',
      {},
      { address: '127.0.0.1:81', sonota: { ip: '127.0.0.1' } },
      'http://127.0.0.1:81',
    ],
    ['nobody, in its access point', {}, { payload: { kind: 'tasmota', url: 'http://192.168.4.1/' } }, undefined],
    ['nobody, where it was nothing', {}, { payload: { kind: 'silent', url: 'http://192.168.1.22/' } }, undefined],
  ] as const) {
    it(`is the address at home that it has from ${what}`, () => {
      assert.equal(plan(form, message).homeUrl, homeUrl);
    });
  }

  const own = { NAME: 'Mine', GPIO: [1] };
  for (const [what, form, tasmota, template] of [
    ['the form’s before the message’s', { template: '6' }, { template: '7' }, '6'],
    ['the message’s, as a number', {}, { template: 7 }, '7'],
    ['the message’s, as an object', {}, { template: own }, JSON.stringify(own)],
    ['none', {}, {}, undefined],
  ] as const) {
    it(`is a template: ${what}`, () => {
      assert.equal(plan(form, { tasmota }).settings.template, template);
    });
  }

  it('is the broker, at the port of every broker by default', () => {
    const tasmota = { mqttHost: '192.168.1.3' };
    const expected = { host: '192.168.1.2', port: 1883, user: 'me', password: 'secret' };
    const form = { mqttHost: '192.168.1.2', mqttPort: '', mqttUser: 'me', mqttPassword: 'secret' };
    assert.deepEqual(plan(form, { tasmota }).settings.mqtt, expected);
    assert.deepEqual(plan({ mqttPort: '8883' }, { tasmota }).settings.mqtt, {
      ...{ host: '192.168.1.3', port: 8883, user: undefined, password: undefined },
    });
    assert.equal(plan({ mqttUser: 'me' }, {}).settings.mqtt, undefined);
  });

  it('is a topic and a name with the id of the device', () => {
    const { topic, name } = plan(
      { topic: 'sonoff_{deviceid}' },
      { deviceid: '1000a1b2c3', tasmota: { topic: 'other', name: 'Lamp {deviceid}' } },
    ).settings;
    assert.deepEqual([topic, name], ['sonoff_1000a1b2c3', 'Lamp 1000a1b2c3']);
    assert.equal(plan({ topic: 'sonoff_{deviceid}' }, {}).settings.topic, 'sonoff_unknown');
  });

  it('is each field of its form, for what it is called', () => {
    const form = {
      ...{ url: '192.168.4.9:81', address: '192.168.1.20', topic: 'washer', deviceName: 'Washer', template: '6' },
      ...{ mqttHost: '192.168.1.2', mqttPort: '8883', mqttUser: ' me ', mqttPassword: ' mqtt ', timeout: '42' },
      webPassword: ' web ',
    };
    const device = { mac: undefined, linkMac: undefined, bssid: undefined, model: undefined, ip: undefined };
    const message = { ssid: 'home', password: 'top secret', tasmota: { topic: 'other', name: 'Other', template: '7' } };
    assert.deepEqual(plan(form, message), {
      ...{ device, apUrl: 'http://192.168.4.9:81', homeUrl: 'http://192.168.1.20', timeoutSeconds: 42 },
      settings: {
        ...{ ssid: 'home', password: 'top secret', topic: 'washer', name: 'Washer', template: '6' },
        mqtt: { host: '192.168.1.2', port: 8883, user: ' me ', password: ' mqtt ' },
        webPassword: ' web ',
      },
    });
  });

  it('is nothing where neither says anything', () => {
    const none = { ssid: undefined, password: undefined, topic: undefined, name: undefined, template: undefined };
    assert.deepEqual(plan({}, {}).settings, { ...none, mqtt: undefined, webPassword: undefined });
    const empty = { mqttHost: '192.168.1.2', mqttUser: '', mqttPassword: '', webPassword: '' };
    const { mqtt, webPassword } = plan(empty, {}).settings;
    assert.deepEqual(
      [mqtt, webPassword],
      [{ host: '192.168.1.2', port: 1883, user: undefined, password: undefined }, undefined],
    );
  });

  it('is the Wi-Fi of the host before that of the message', () => {
    const host = { wifi: { ssid: 'home', password: 'top secret' } } as HostNode;
    const said = new MessageValues({ ssid: 'other', password: 'another secret' });
    const { ssid, password } = planOf(host, readForm(Values.ofForm({})), said).settings;
    assert.deepEqual([ssid, password], ['home', 'top secret']);
  });

  it('is five minutes, and the access point of a Tasmota, unless the form says otherwise', () => {
    const { timeoutSeconds, apUrl } = plan({}, {});
    assert.deepEqual([timeoutSeconds, apUrl], [300, 'http://192.168.4.1']);
  });

  for (const [kind, firmware] of [
    ['esphome', 'ESPHome'],
    ['espurna', 'ESPurna'],
    ['other', 'something else'],
  ] as const) {
    it(`is refused where the node before has found ${firmware}`, () => {
      const payload = { kind, url: 'http://192.168.1.9' };
      assert.throws(() => plan({}, { payload }), {
        code: 'tasmota-other-firmware',
        values: { url: payload.url, firmware },
      });
    });
  }

  it('is not refused for a payload of another node, which has a kind but no address', () => {
    for (const payload of [{ kind: 'other' }, { kind: 'esphome', url: 1 }, { kind: 'espurna', url: null }]) {
      assert.equal(plan({}, { payload }).homeUrl, undefined);
    }
  });
});
