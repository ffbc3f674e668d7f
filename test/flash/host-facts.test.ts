import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { FlashError } from '../../lib/errors';
import { FlashHost } from '../../lib/flash/host/host';
import { Job } from '../../lib/flash/job/job';
import { bundleOf } from '../../lib/flash/job/evidence-bundle';
import { NewFirmwarePresence } from '../../lib/flash/stage/new-firmware-presence';
import { closeBenches, ON_LOOPBACK, openBench } from './bench';

const DEVICE = '1000a1b2c3';

describe('flash: what a host and its stages take for true', () => {
  afterEach(closeBenches);

  it('calls an address remembered that it found itself, and none that a person has set', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-address-'));
    try {
      await writeFile(join(folder, 'home-address.json'), '{"address":"192.0.2.5"}');
      const ports = { bind: '127.0.0.1', httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
      const [found, set] = ['', '192.0.2.9'].map((address) => new FlashHost({ ...ports, address }, folder));
      // Its own of now, where this machine is on a home network.
      assert.ok(found?.address !== undefined && found.isAddressRemembered);
      assert.deepEqual([set?.address, set?.isAddressRemembered], ['192.0.2.9', false]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('says why there is no address to tell a device', () => {
    const host = new FlashHost({ ...ON_LOOPBACK, address: '' }, undefined);
    const candidates = [
      { name: 'eth0', address: '192.0.2.7' },
      { name: 'eth1', address: '198.51.100.7' },
    ];
    for (const [seen, reason] of [
      [[], /^none is set, and this machine has no address on a home network/],
      [candidates, /192\.0\.2\.7 \(eth0\), 198\.51\.100\.7 \(eth1\)/],
    ] as const) {
      Object.assign(host, { home: { current: undefined, choice: { candidates: seen } } });
      assert.throws(
        () => host.addressToDial(),
        (error) =>
          error instanceof FlashError &&
          error.code === 'address-invalid' &&
          reason.test(String(error.values['reason'])),
      );
    }
  });

  it('has no Wi-Fi to join for a device that is simulated on this machine', async () => {
    const { host } = await openBench();
    assert.deepEqual(
      ['http://127.0.0.1:8080', 'http://127.0.0.9', 'http://10.10.7.1', 'http://192.168.4.1'].map((url) =>
        host.hasWifi(url),
      ),
      [false, false, true, true],
    );
  });

  it('says in its log what is wrong with a port that is open', async () => {
    const { host } = await openBench();
    const said: string[] = [];
    host.log = (level, text) => void said.push(`${level}: ${text}`);
    host['listener']?.['servers'].emit('trouble', new Error('too many open files'));
    assert.deepEqual(said, ['warn: too many open files']);
  });

  it('sends a device without TLS to the plain port, and one with TLS to the other', async () => {
    const bench = await openBench();
    for (const [transport, via, deviceid] of [
      ['plain', 'plain', '1000000001'],
      ['range', 'tls', '1000000002'],
    ] as const) {
      const known = { model: 'PSA-BHA-GL', romVersion: '2.0.1' };
      const device = await bench.device({ transport, deviceid, ...(via === 'plain' ? known : {}) });
      await device.start();
      const { found } = await bench.begin('cloud', { deviceid }).outcome;
      assert.equal(found['via'], via);
      const seen = bench.host.jobs.latest(deviceid)?.evidence.all ?? [];
      const dispatches = seen.filter((one) => one.kind === 'dispatched');
      assert.deepEqual(
        dispatches.map(({ count, isProven }) => [count, isProven]),
        [[undefined, undefined]],
        'each dispatch counts once, and proves nothing where no access point stated the key',
      );
    }
  });

  it('names in its answer to a dispatch the port on which it came', async () => {
    const { host } = await openBench();
    const statement = { deviceid: DEVICE, apikey: randomUUID(), model: 'PSA-BHA-GL', romVersion: '2.0.1' };
    const url = `http://127.0.0.1:${host.ports.legacy}/dispatch/device`;
    const asked = request(url, { method: 'POST', headers: { 'Content-Type': 'application/json' } });
    asked.end(JSON.stringify({ accept: 'ws;2', version: 2, ts: 1, ...statement }));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    // A device without TLS could do nothing with the other one.
    const { IP, port } = (await json(answer)) as Record<string, unknown>;
    assert.deepEqual([IP, port], ['127.0.0.1', host.ports.legacy]);
  });

  it('knows that it is in the network of the new firmware by any of its addresses', async () => {
    const presence = new NewFirmwarePresence([{ url: 'http://192.168.4.1', isAccessPoint: true }], {
      mac: undefined,
      ownAddresses: () => [
        { name: 'eth0', address: '192.168.1.2' },
        { name: 'wlan0', address: '192.168.4.2' },
      ],
      mayBeOurs: () => false,
    });
    try {
      assert.equal(presence.isJoined, false, 'it has not looked yet');
      presence.start();
      assert.equal(presence.isJoined, true);
    } finally {
      presence.stop();
    }
    const away = new NewFirmwarePresence([{ url: 'http://192.168.4.1', isAccessPoint: true }], {
      mac: undefined,
      ownAddresses: () => [{ name: 'eth0', address: '192.168.1.2' }],
      mayBeOurs: () => assert.fail('nothing is asked there from outside'),
    });
    away.start();
    await once(away, 'looked');
    away.stop();
    assert.deepEqual(away.sightings, [{ url: 'http://192.168.4.1', result: 'not-joined' }]);
  });

  it('tells its evidence whatever number a stage has found', () => {
    const job = new Job('cloud', DEVICE);
    job.enter('cloud');
    job.found('cloud', { at: 1e300 });
    const bundle = bundleOf(job, { versions: {}, secrets: [] });
    assert.match(bundle, /"at":1e\+300/);
  });
});
