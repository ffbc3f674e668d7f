import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { json } from 'node:stream/consumers';
import { FlashError } from '../../lib/errors';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { localIPv4 } from '../../lib/net/addresses';
import { probeTcp } from '../../lib/net/probe';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { processFolder } from '../shared/process-folder';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { freePort } from '../shared/ports';
import { THIS_MACHINE } from '../../lib/flash/host/environment';
import { FlashHost } from '../../lib/flash/host/host';
import { sharedPorts } from '../../lib/flash/host/shared-listener';
import { Job } from '../../lib/flash/job/job';
import { PATIENCE } from '../../lib/flash/verdict/patience';
import { WAITS } from '../../lib/flash/stage/waits';
import { bundleOf } from '../../lib/flash/job/evidence-bundle';
import { NewFirmwarePresence } from '../../lib/flash/stage/new-firmware-presence';
import { closeBenches, FIRMWARE, ON_LOOPBACK, openBench } from './bench';
import { closeAll, RawClient } from '../server/serving';
import { storeTestIdentity } from '../shared/test-identity';
import { quoted } from '../../lib/wordings/wording';

const ownFolder = processFolder('host-facts');

const DEVICE = '1000a1b2c3';

describe('flash: what a host and its stages take for true', () => {
  afterEach(closeBenches);

  it('calls an address remembered that it found itself, and none that a person has set', async () => {
    const folder = await mkdtemp(join(ownFolder, 'address-'));
    await writeFile(join(folder, 'home-address.json'), '{"address":"192.0.2.5"}');
    const ports = { bind: '127.0.0.1', httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
    const [found, set] = ['', '192.0.2.9'].map((address) => new FlashHost({ ...ports, address }, folder));
    // Its own of now, where this machine is on a home network.
    assert.ok(found?.address !== undefined && found.isAddressRemembered);
    assert.deepEqual([set?.address, set?.isAddressRemembered], ['192.0.2.9', false]);
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

  it('has no address of its own for a device that is simulated on this machine, and all of them for another', async () => {
    const { host } = await openBench();
    const own = localIPv4().map(({ name, address }) => ({ name, address }));
    assert.deepEqual(
      ['http://127.0.0.1:8080', 'http://127.0.0.9', 'http://10.10.7.1'].map((url) => host.ownAddresses(url)),
      [[], [], own],
    );
  });

  it('listens for a while after a failure that can be tried again, and without end for what is open', async () => {
    const { host } = await openBench();
    const { retryableMs } = host.waits;
    assert.equal(host.neededUntil(), retryableMs);
    const [first, second, done] = ['1', '2', '3'].map((id) => {
      const job = host.jobs.jobFor('finalstage', `100000000${id}`);
      job.enter('finalstage');
      return job;
    }) as [Job, Job, Job];
    assert.equal(host.neededUntil(), Infinity);
    for (const job of [first, second]) job.fail('finalstage-timeout');
    done.leave('finalstage');
    assert.equal(host.neededUntil(), retryableMs, 'nothing is kept of these failures');
    const message = { id: 'x', nodeId: 'node', stage: 'finalstage', message: {} } as const;
    timeStands(['Date'], 5_000_000);
    try {
      host.runs.failures.add(first, message);
      timePasses(1000);
      host.runs.failures.add(done, message);
      assert.equal(host.neededUntil(), 5_000_000 + retryableMs);
    } finally {
      timeGoesOn();
    }
    host.queue.pause();
    host.queue.add({});
    assert.equal(host.neededUntil(), Infinity, 'a queue that is held may go on at any time');
    host.queue.attach('queue', { atOnce: 1, attempts: 1, start: () => true });
    host.queue.resume();
    assert.deepEqual([host.queue.snapshot().waiting, host.queue.snapshot().running], [0, 1]);
    assert.equal(host.neededUntil(), Infinity, 'what has left the queue has not begun yet');
  });

  it('does not listen with a form that cannot be read, and says what is wrong with it', async () => {
    const problem = new FlashError('value-invalid', { name: 'httpsPort', reason: quoted('it is "abc"') });
    const host = new FlashHost({ ...ON_LOOPBACK, problem }, undefined);
    try {
      await assert.rejects(host.open(), { code: 'value-invalid' });
      assert.deepEqual([host.isListening, host.trouble?.code], [false, 'value-invalid']);
      await host.apply(ON_LOOPBACK);
      await host.open();
      assert.deepEqual([host.isListening, host.trouble], [true, undefined]);
    } finally {
      await host.close();
    }
  });

  it('gives FinalStage nothing before a restart would know of it', async () => {
    const folder = await mkdtemp(join(ownFolder, 'kept-'));
    await storeTestIdentity(folder);
    const host = new FlashHost(ON_LOOPBACK, folder, 'host');
    try {
      await host.open();
      const job = host.jobs.jobFor('finalstage', DEVICE);
      job.enter('finalstage');
      job.firmware = await loadFirmware(FIRMWARE, { signal: new AbortController().signal });
      const session = (job.finalStage = new FinalStageSession());
      session.peer = '127.0.0.1';
      let written = (): void => undefined;
      const onDisk = new Promise<void>((resolve) => (written = resolve));
      host.whenStored = () => onDisk;
      const requested = once(session, 'dialled');
      const client = await RawClient.to(host.ports.http);
      client.write('GET /ota/image_arduino.bin HTTP/1.0\r\nHost: 192.168.4.2:8080\r\nConnection: close\r\n\r\n');
      await requested;
      while (session.deliveries.final === undefined) await nextTurn();
      const other = await RawClient.to(host.ports.http);
      other.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await other.answer();
      assert.equal(client.text, '');
      written();
      assert.ok((await client.answer()).body.equals(FIRMWARE.final));
      client.socket.end();
    } finally {
      await closeAll();
      await host.close({ forget: true });
    }
  });

  it('listens where FinalStage dials as soon as it listens at all, where a device may be there', async () => {
    const finalStagePort = await freePort();
    const host = new FlashHost({ ...ON_LOOPBACK, finalStagePort }, undefined);
    try {
      const dials = (): Promise<string> =>
        probeTcp('127.0.0.1', finalStagePort, { signal: new AbortController().signal, limitMs: 60_000 });
      await host.open();
      assert.equal(await dials(), 'refused');
      await host.stopListening();
      const job = host.jobs.jobFor('finalstage', DEVICE);
      job.finalStage = new FinalStageSession();
      await host.open();
      assert.equal(await dials(), 'accepted');
    } finally {
      await host.close();
    }
  });

  it('is on this machine as it is, where nothing else is given in', async () => {
    const host = new FlashHost(ON_LOOPBACK, undefined);
    try {
      assert.deepEqual(host.waits, WAITS);
      assert.deepEqual(host.jobs.jobFor('cloud', DEVICE).evidence.patience, PATIENCE);
      assert.deepEqual(host.unlockPorts, { http: 80, dns: 53 });
      assert.equal(await host.linkMacOf('127.0.0.1'), undefined);
      assert.deepEqual(['127.0.0.1', '192.0.2.1'].map(THIS_MACHINE.isOwnAddress), [true, false]);
      assert.deepEqual([host.bind, host.label()], ['127.0.0.1', { host: '?', tab: '?' }]);
    } finally {
      await host.close();
    }
  });

  it('asks the machine that is given which MAC address another one has, and which peers are itself', async () => {
    const bench = await openBench();
    const { host, around } = bench;
    around.linkMacOf = async (address) => `of ${address}`;
    assert.equal(await host.linkMacOf('192.0.2.7'), 'of 192.0.2.7');
    const device = { deviceid: DEVICE, apikey: 'own', model: 'PSA-BHA-GL', romVersion: '2.0.1' };
    const peers = ['192.0.2.7', '192.0.2.8'];
    for (let n = 0; n < 64; n += 1) {
      for (const peer of peers) {
        const one = { ...device, deviceid: `${peer} ${n}` };
        const session = { peer, device: one, sessionKey: one.deviceid, close: () => undefined };
        host.devices.add(Object.assign(new EventEmitter(), session) as unknown as DeviceConnection);
      }
    }
    around.isOwnAddress = (peer) => peer === '192.0.2.8';
    assert.deepEqual(
      peers.map((peer) => host.devices.admits(device, peer, 'register')),
      [false, true],
    );
  });

  it('says in its log what is wrong with a port that is open, or fails behind it', async () => {
    const { host } = await openBench();
    const said: string[] = [];
    host.log = (level, text) => void said.push(`${level}: ${text}`);
    host['listener']?.['servers'].emit('trouble', new Error('too many open files'));
    host['listener']?.['images'].emit('failed', new Error('it cannot be noted'), '127.0.0.1');
    assert.deepEqual(said, ['warn: too many open files', 'warn: it cannot be noted']);
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

  it('has its jobs again after a close, and none of them where it was to forget them', async () => {
    const folder = await mkdtemp(join(ownFolder, 'closed-'));
    const made: FlashHost[] = [];
    const start = (): FlashHost => {
      const host = new FlashHost({ ...ON_LOOPBACK, httpsPort: 1, legacyPort: 2, httpPort: 3 }, folder, 'host');
      made.push(host);
      return host;
    };
    try {
      const first = start();
      assert.deepEqual(first.ports, { https: 1, legacy: 2, http: 3 }, 'as they are set');
      const job = first.jobs.jobFor('finalstage', DEVICE);
      job.enter('finalstage');
      job.finalStage = new FinalStageSession();
      await first.close();
      const second = start();
      assert.equal(second.jobs.latest(DEVICE)?.id, job.id);
      await second.close({ forget: true });
      assert.equal(start().jobs.latest(DEVICE), undefined);
    } finally {
      await Promise.all(made.map((host) => host.close()));
    }
  });

  it('calls it no leak when many nodes and stages listen', async () => {
    const { host } = await openBench();
    const { jobs, devices, runs, finalStageLock } = host;
    const { evidence } = jobs.jobFor('cloud', DEVICE);
    const all = { host, jobs, devices, directory: devices.directory, runs, finalStageLock, evidence, sharedPorts };
    for (const [name, emitter] of Object.entries(all)) assert.equal(emitter.getMaxListeners(), 0, name);
  });

  it('gives a device the address that is set, not the one on which it came', async () => {
    const { host } = await openBench({ address: '192.0.2.9' });
    const statement = { deviceid: DEVICE, apikey: randomUUID(), model: 'PSA-BHA-GL', romVersion: '2.0.1' };
    const url = `http://127.0.0.1:${host.ports.legacy}/dispatch/device`;
    const asked = request(url, { method: 'POST', headers: { 'Content-Type': 'application/json' } });
    asked.end(JSON.stringify({ accept: 'ws;2', version: 2, ts: 1, ...statement }));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    assert.equal(((await json(answer)) as Record<string, unknown>)['IP'], '192.0.2.9');
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

  it('records in its evidence whatever number a stage has found', () => {
    const job = new Job('cloud', DEVICE);
    job.enter('cloud');
    job.found('cloud', { at: 1e300 });
    const bundle = bundleOf(job, { versions: {}, secrets: [] });
    assert.match(bundle, /"at":1e\+300/);
  });
});
