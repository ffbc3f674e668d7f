import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mock } from 'node:test';
import { NamedHost } from '../../lib/tasmota/named-host';

describe('tasmota/named-host', () => {
  afterEach(() => mock.restoreAll());

  it('gives what it knows while it asks again, which it does every 3 s', async () => {
    let now = 0;
    mock.method(performance, 'now', () => now);
    let asked = 0;
    const host = new NamedHost('washer', async () => `192.168.1.${++asked}`);
    assert.deepEqual(host.urls, []);
    await new Promise((resolve) => setImmediate(resolve));
    const known = ['http://192.168.1.1', 'http://192.168.1.2'];
    now = 2999;
    assert.deepEqual([host.urls, asked], [known, 2]);
    now = 3000;
    assert.deepEqual([host.urls, asked], [known, 4]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(host.urls, ['http://192.168.1.3', 'http://192.168.1.4']);
  });

  it('gives immediately what is known, while a name is asked for that takes its time', async () => {
    const dns = new EventEmitter();
    const asked: string[] = [];
    const host = new NamedHost('tasmota-A1B2C3-0967', async (name) => {
      asked.push(name);
      const [address] = (await once(dns, name)) as [string | undefined];
      if (address === undefined) throw new Error('nobody knows it');
      return address;
    });
    assert.deepEqual(host.urls, []);
    assert.deepEqual(host.urls, []);
    assert.deepEqual(asked, ['tasmota-A1B2C3-0967', 'tasmota-A1B2C3-0967.local'], 'it is asked for once');
    dns.emit('tasmota-A1B2C3-0967.local', '192.168.1.9');
    dns.emit('tasmota-A1B2C3-0967', undefined);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(host.urls, ['http://192.168.1.9']);
  });

  it('asks the system for a name, by default', async () => {
    const host = new NamedHost('localhost');
    assert.deepEqual(host.urls, []);
    while (host.urls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(host.urls, ['http://127.0.0.1']);
  });
});
