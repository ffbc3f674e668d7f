import assert from 'node:assert/strict';
import { once } from 'node:events';
import { AddressWatch } from '../../lib/net/address-watch';
import {
  inSameNetwork,
  isAtLoopback,
  isLoopback,
  isOwnAddress,
  localIPv4,
  ownIPv4,
  plainAddress,
  routedAddress,
  type LocalAddress,
} from '../../lib/net/addresses';
import { timers } from '../shared/left-behind';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

describe('addresses', () => {
  it('distinguishes networks, also where the sign bit is set', () => {
    assert.equal(inSameNetwork('192.168.4.2', '192.168.4.254', '255.255.255.0'), true);
    assert.equal(inSameNetwork('192.168.4.2', '192.168.5.2', '255.255.255.0'), false);
    assert.equal(inSameNetwork('10.0.0.1', '10.255.0.1', '255.0.0.0'), true);
    assert.equal(inSameNetwork('200.1.1.1', '72.1.1.1', '255.255.255.0'), false);
  });

  it('writes a peer as people do', () => {
    assert.equal(plainAddress('::ffff:192.168.1.5'), '192.168.1.5');
    assert.equal(plainAddress('::FFFF:192.168.1.5'), '192.168.1.5');
    assert.equal(plainAddress('::ffff:c0a8:105'), '::ffff:c0a8:105');
    assert.equal(plainAddress('192.168.1.5'), '192.168.1.5');
    assert.equal(plainAddress('fe80::1'), 'fe80::1');
    assert.equal(plainAddress(undefined), 'unknown');
  });

  it('lists the addresses of this machine without its loopback', () => {
    for (const { address, netmask } of localIPv4()) {
      assert.match(`${address} ${netmask}`, /^(\d+\.){3}\d+ (\d+\.){3}\d+$/);
      assert.ok(!address.startsWith('127.'));
    }
  });

  it('lists the same without the kinds', () => {
    const withKinds = localIPv4();
    assert.deepEqual(
      ownIPv4(),
      withKinds.map(({ name, address, netmask }) => ({ name, address, netmask })),
    );
    assert.ok(withKinds.every(({ address }) => isOwnAddress(address)));
    assert.deepEqual([isOwnAddress('127.0.0.1'), isOwnAddress('192.0.2.1')], [true, false]);
  });

  it('asks the routing table without sending anything', async () => {
    const routed = await routedAddress();
    if (routed !== undefined) assert.ok(localIPv4().some(({ address }) => address === routed));
    assert.equal(await routedAddress('127.0.0.1'), '127.0.0.1');
  });

  it('knows this machine by a name and a network', () => {
    for (const host of ['localhost', '127.0.0.1', '127.255.0.9']) {
      assert.deepEqual([isLoopback(host), isAtLoopback(`http://${host}:8080/x`)], [true, true], host);
    }
    for (const host of ['localhost.example', 'x127.0.0.1', '127.0.0.1.example', '128.0.0.1', '192.168.1.5']) {
      assert.equal(isLoopback(host), false, host);
    }
    assert.equal(isAtLoopback('http://192.168.1.5/localhost'), false);
    assert.throws(() => isAtLoopback('localhost'), TypeError);
  });
});

describe('AddressWatch', () => {
  it('reports a change, and nothing else', async () => {
    let addresses: LocalAddress[] = [];
    let looks = 0;
    const look = (): LocalAddress[] => {
      looks += 1;
      return addresses;
    };
    const watch = new AddressWatch(look, 5);
    const changes: (readonly LocalAddress[])[] = [];
    watch.on('changed', (seen) => changes.push(seen));
    const before = timers();
    watch.start();
    watch.start();
    assert.equal(timers(), before, 'it keeps no process alive');
    const alive = setInterval(() => undefined, 1000);
    const arrived = once(watch, 'changed');
    while (looks < 4) await new Promise(setImmediate);
    assert.deepEqual(changes, []);
    addresses = [{ name: 'wlan0', address: '10.10.7.2', netmask: '255.255.255.0', kind: 'lan' }];
    await arrived;
    const seen = looks;
    while (looks < seen + 3) await new Promise(setImmediate);
    assert.deepEqual(changes, [addresses], 'once');
    watch.stop();
    clearInterval(alive);
  });

  it('looks once a second, and watches again after a stop from what is there then', () => {
    timeStands(['setInterval']);
    try {
      const one: LocalAddress = { name: 'wlan0', address: '10.10.7.2', netmask: '255.255.255.0', kind: 'lan' };
      let addresses = [one];
      const watch = new AddressWatch(() => addresses);
      const changes: unknown[] = [];
      watch.on('changed', (seen) => changes.push(seen));
      watch.start();
      addresses = [];
      timePasses(999);
      assert.deepEqual(changes, []);
      timePasses(1);
      assert.deepEqual(changes, [[]]);
      watch.stop();
      addresses = [one];
      timePasses(10_000);
      watch.start();
      timePasses(10_000);
      assert.deepEqual(changes, [[]]);
      addresses = [];
      timePasses(1000);
      assert.deepEqual(changes, [[], []]);
      watch.stop();
    } finally {
      timeGoesOn();
    }
  });
});
