import assert from 'node:assert/strict';
import { commandPath, checkSetting, checkTopic, linesFor, readAnswer, readFacts } from '../../lib/protocol/tasmota';

describe('protocol: Tasmota', () => {
  it('asks for a command in a path, with the web password where it is wanted', () => {
    assert.equal(commandPath('Status 0'), '/cm?cmnd=Status%200');
    assert.equal(commandPath('Topic a&b', 'x y'), '/cm?user=admin&password=x%20y&cmnd=Topic%20a%26b');
  });

  it('puts everything into one backlog with one restart at its end', () => {
    assert.deepEqual(
      linesFor([
        ['Module', 8],
        ['Topic', 'plug'],
      ]),
      ['Backlog Module 8; Topic plug; Restart 1'],
    );
    const template = '{"NAME":"x","GPIO":[1,2],"FLAG":0,"BASE":18}';
    assert.deepEqual(linesFor([['Template', template]]), [`Backlog Template ${template}; Restart 1`]);
  });

  it('sends alone what a backlog would misread, while another one holds the restart', () => {
    const commands = [
      ['SSID1', 'home'],
      ['Password1', 'a;b'],
      ['MqttPassword', 'c{d'],
    ] as const;
    assert.deepEqual(linesFor(commands), [
      'Backlog Delay 100; WifiConfig',
      'Password1 a;b',
      'MqttPassword c{d',
      'Backlog SSID1 home; Restart 1',
    ]);
  });

  it('sends no line that an old version would not read', () => {
    const many = Array.from({ length: 12 }, (_, index) => [`Mem${index + 1}`, 'x'.repeat(100)] as const);
    const lines = linesFor(many);
    assert.ok(lines.length > 3);
    for (const line of lines) assert.ok(line.length < 520);
    assert.equal(lines[0], 'Backlog Delay 100; WifiConfig');
    assert.equal(lines.join(' ').match(/Mem\d+/g)?.length, 12);
  });

  it('reads what a device reports itself', () => {
    const facts = readFacts({
      Status: { Module: 8, DeviceName: 'Desk', FriendlyName: ['Lamp'], Topic: 'lamp' },
      StatusPRM: { BootCount: 7 },
      StatusFWR: { Version: '14.1.0(lite)' },
      StatusNET: { Hostname: 'lamp-0967', Mac: '5c:cf:7f:01:02:03', WifiConfig: 4 },
      StatusMQT: { MqttHost: 'broker', MqttPort: 1883, MqttUser: 'me', MqttCount: 2 },
    });
    assert.deepEqual(facts, {
      version: '14.1.0',
      mac: '5C:CF:7F:01:02:03',
      hostname: 'lamp-0967',
      bootCount: 7,
      wifiConfig: 4,
      module: 8,
      topic: 'lamp',
      deviceName: 'Desk',
      friendlyName: 'Lamp',
      mqtt: { host: 'broker', port: 1883, user: 'me', connects: 2 },
    });
    // Before 8.4, and with MQTT switched off.
    const old = readFacts({ Status: { Module: '8', FriendlyName: 'Lamp' }, StatusNET: 'none' });
    assert.deepEqual(
      [old?.deviceName, old?.friendlyName, old?.module, old?.mqtt.connects],
      [undefined, 'Lamp', undefined, 0],
    );
    assert.equal(readFacts({ WARNING: 'Need user=<username>&password=<password>' }), undefined);
  });

  it('takes no answer that is none, and nothing into the prototypes', () => {
    for (const body of ['', '<html>', '[1]', 'null', `{"a":"${'x'.repeat(40_000)}"}`]) {
      assert.equal(readAnswer(body), undefined, body.slice(0, 20));
    }
    assert.equal(Object.keys(readAnswer('{"__proto__":{"x":1},"Status":{}}') ?? {}).join(), 'Status');
  });

  it('refuses what Tasmota would not store as it is', () => {
    for (const value of ['0', '1', '2', '"', ' a', 'a ', 'a\nb', 'x'.repeat(129)]) {
      assert.throws(() => checkSetting('tasmota-name', value), { code: 'tasmota-setting-unusable' });
    }
    for (const value of ['3', 'a b', '10', 'Küche', 'a;b{c']) checkSetting('tasmota-name', value);
    for (const value of ['a b', 'a/b', 'a+', 'a#', 'a;b', '%06X']) {
      assert.throws(() => checkTopic(value), { code: 'tasmota-setting-unusable' });
    }
    checkTopic('sonoff_10000a1b2c');
    assert.throws(
      () => checkSetting('home-wifi-password', 'secret word '),
      (error: Error) => !error.message.includes('secret'),
    );
  });
});
