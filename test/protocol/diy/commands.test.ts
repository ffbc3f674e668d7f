import assert from 'node:assert/strict';
import { BODY_LIMIT, bodyOf, deviceidLadder, pathOf, type DiyCommand } from '../../../lib/protocol/diy/commands';

const ID = '1000e4c17c';
const SUM = 'AB'.repeat(32);
const flash = (downloadUrl: string, sha256sum = SUM): DiyCommand => ({ name: 'ota_flash', downloadUrl, sha256sum });

describe('protocol/diy/commands', () => {
  for (const [command, body] of [
    [{ name: 'info' }, `{"deviceid":"${ID}","data":{}}`],
    [{ name: 'ota_unlock' }, `{"deviceid":"${ID}","data":{}}`],
    [{ name: 'signal_strength' }, `{"deviceid":"${ID}","data":{}}`],
    [{ name: 'switch', switch: 'on' }, `{"deviceid":"${ID}","data":{"switch":"on"}}`],
    [
      { name: 'wifi', ssid: 'home', password: 'pa"ss' },
      `{"deviceid":"${ID}","data":{"ssid":"home","password":"pa\\"ss"}}`,
    ],
    [
      flash('http://192.168.1.5:80/a.bin'),
      `{"deviceid":"${ID}","data":{"downloadUrl":"http://192.168.1.5:80/a.bin","sha256sum":"${SUM.toLowerCase()}"}}`,
    ],
  ] as const) {
    it(`writes ${command.name}`, () => {
      assert.equal(bodyOf(command, ID), body);
      assert.equal(pathOf(command.name), `/zeroconf/${command.name}`);
    });
  }

  it('leaves the id out, or leaves it empty, on demand', () => {
    assert.equal(bodyOf({ name: 'info' }, undefined), '{"data":{}}');
    assert.equal(bodyOf({ name: 'info' }, ''), '{"deviceid":"","data":{}}');
  });

  it('names the true id first and an empty one last', () => {
    assert.deepEqual(deviceidLadder(ID), [ID, undefined, '']);
    assert.deepEqual(deviceidLadder(undefined), [undefined, '']);
  });

  for (const url of [
    'http://192.168.1.5/a.bin',
    'http://nodered.local:8080/a.bin',
    'https://192.168.1.5:8443/a.bin',
    'http://192.168.1.5:8080/',
    'http://192.168.1.5:8080/a.bin?x=1',
    'http://192.168.1.5:8080/a/b.bin',
    'http://192.168.1.5:8080/a%20b.bin',
    `http://192.168.1.5:8080/${'a'.repeat(65)}`,
    'http://user@192.168.1.5:8080/a.bin',
  ]) {
    it(`names no device the address ${url}`, () => assert.throws(() => bodyOf(flash(url), ID), TypeError));
  }

  it('sends no digest that is none', () => {
    for (const sum of ['', 'ab'.repeat(31), `${'ab'.repeat(31)}zz`]) {
      assert.throws(() => bodyOf(flash('http://192.168.1.5:80/a.bin', sum), ID), TypeError);
    }
  });

  it('sends no more than the device reads at a time', () => {
    const longest = { name: 'wifi', ssid: 's'.repeat(31), password: 'p'.repeat(BODY_LIMIT - 31 - 58) } as const;
    assert.equal(bodyOf({ ...longest, password: '' }, ID).length, 31 + 58);
    assert.equal(bodyOf(longest, ID).length, BODY_LIMIT);
    assert.throws(() => bodyOf({ ...longest, password: `${longest.password}p` }, ID), TypeError);
  });
});
