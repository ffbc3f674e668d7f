import assert from 'node:assert/strict';
import {
  checkSettings,
  chooseModule,
  homeCommands,
  wifiCommands,
  type TasmotaSettings,
} from '../../lib/tasmota/settings';
import { wording } from '../../lib/wordings/wording';

const NOTHING: TasmotaSettings = {
  ...{ ssid: undefined, password: undefined, mqtt: undefined, topic: undefined },
  ...{ name: undefined, template: undefined, webPassword: undefined },
};
const BROKER = { host: '192.168.1.2', port: 1883 };
const OWN = '{"NAME":"Mine","GPIO":[1,1],"FLAG":0,"BASE":18}';

describe('tasmota: what a Tasmota is to be given', () => {
  for (const [what, wishes] of [
    ['everything', { ...NOTHING, ssid: 'home', password: '12345', mqtt: { ...BROKER, user: 'me', password: 'x' } }],
    ['an open Wi-Fi', { ...NOTHING, ssid: 'home', password: '' }],
    ['a template', { ...NOTHING, template: OWN }],
    ['a module', { ...NOTHING, template: '43' }],
    ['the module that it has', { ...NOTHING, template: 'keep' }],
  ] as const) {
    it(`is taken: ${what}`, () => assert.doesNotThrow(() => checkSettings(wishes)));
  }

  for (const [what, wish] of [
    ['a Wi-Fi name that it cannot keep', { ssid: ' ' }],
    ['a Wi-Fi password of 4 characters', { password: '1234' }],
    ['a Wi-Fi password that means something else', { password: 'word of the past ' }],
    ['a broker that it cannot keep', { mqtt: { ...BROKER, host: '"' } }],
    ['a user that it cannot keep', { mqtt: { ...BROKER, user: '0' } }],
    ['a password of the broker that it cannot keep', { mqtt: { ...BROKER, password: '1' } }],
    ['a web password that it cannot keep', { webPassword: '1' }],
    ['a name that it cannot keep', { name: '1' }],
    ['a topic that it cannot keep', { topic: 'my lamp' }],
    ['a module that there cannot be', { template: '1000' }],
    ['JSON that is no template', { template: '{"NAME":"Mine"}' }],
    ['a template without a list', { template: '{"NAME":"Mine","GPIO":1}' }],
    ['text', { template: 'Basic' }],
  ] as const) {
    it(`is refused: ${what}`, () => {
      assert.throws(() => checkSettings({ ...NOTHING, ...wish }), { code: 'tasmota-setting-unusable' });
    });
  }

  it('is the Wi-Fi alone at first, with a door that stays open where it is wrong', () => {
    assert.deepEqual(wifiCommands({ ...NOTHING, ssid: 'home', password: 'top secret' }), [
      ['WifiConfig', 2],
      ['SSID1', 'home'],
      ['Password1', 'top secret'],
    ]);
    assert.deepEqual(wifiCommands({ ...NOTHING, ssid: 'home', password: '' }).at(-1), ['Password1', '"']);
    for (const [wifi, what] of [
      [{ password: 'top secret' }, 'wifi-name'],
      [{ ssid: 'home' }, 'wifi-password'],
    ] as const) {
      const error = { code: 'wifi-credentials-missing', values: { what: wording(what) } };
      assert.throws(() => wifiCommands({ ...NOTHING, ...wifi }), error);
    }
  });

  it('is everything else at home, in one order, and the door closed again', () => {
    const wishes = { ...NOTHING, topic: 'lamp', name: 'Lamp', webPassword: 'sesame', mqtt: BROKER };
    const choice = chooseModule({ ...wishes, template: '6' }, undefined);
    assert.deepEqual(homeCommands(wishes, { choice, hasDeviceName: true, wifiConfig: 4 }), [
      ['WifiConfig', 4],
      ['Module', 6],
      ['Topic', 'lamp'],
      ['DeviceName', 'Lamp'],
      ['FriendlyName1', 'Lamp'],
      ['MqttHost', BROKER.host],
      ['MqttPort', BROKER.port],
      ['MqttUser', '"'],
      ['MqttPassword', '"'],
      ['WebPassword', 'sesame'],
    ]);
    const kept = chooseModule({ ...NOTHING, template: 'keep' }, undefined);
    assert.deepEqual(homeCommands(NOTHING, { choice: kept, hasDeviceName: true, wifiConfig: undefined }), []);
    assert.deepEqual(
      homeCommands({ ...NOTHING, name: 'Lamp' }, { choice: kept, hasDeviceName: false, wifiConfig: undefined }),
      [['FriendlyName1', 'Lamp']],
    );
  });

  it('is the module of the model, by default', () => {
    assert.deepEqual(chooseModule(NOTHING, 'PSC-B01-GL'), {
      ...{ commands: [['Module', 6]], module: 6, name: 'Sonoff Pow' },
    });
    assert.deepEqual(chooseModule({ ...NOTHING, template: OWN }, 'PSC-B01-GL'), {
      commands: [
        ['Template', OWN],
        ['Module', 0],
      ],
      module: 0,
    });
    const unknown = chooseModule(NOTHING, 'no such model');
    assert.deepEqual(unknown.commands, []);
    assert.equal('warning' in unknown && unknown.warning?.code, 'template-unknown');
  });
});
