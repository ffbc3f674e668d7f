import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { NamedHost } from '../../../lib/flash/tasmota/named-host';

describe('flash/tasmota/named-host', () => {
  it('gives at once what is known, while a name is asked for that takes its time', async () => {
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
});
