import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlashError } from '../../lib/errors';
import { DeviceKeys } from '../../lib/flash/devices/device-keys';
import { homeNetworkIn } from '../../lib/flash/host/home-memory';
import { FlashHost } from '../../lib/flash/host/host';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { loadTlsIdentity } from '../../lib/server/tls-identity';
import { quoted, wording } from '../../lib/wordings/wording';
import { freePort, occupy } from '../shared/ports';
import { processFolder } from '../shared/process-folder';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { storeTestIdentity } from '../shared/test-identity';
import { closeBenches, ON_LOOPBACK, openBench } from './bench';
import { assertCode } from './refusals';

const DEVICE = '1000a1b2c3';
/** A host writes to its place after it is closed, too: where this machine is at home. */
const ownFolder = processFolder('host-state');
const DAY_MS = 24 * 60 * 60_000;

describe('flash/host: its state', () => {
  let folder: string;
  const hosts: FlashHost[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(ownFolder, 'state-'));
    await storeTestIdentity(folder);
  });
  afterEach(timeGoesOn);
  afterEach(closeBenches);
  afterEach(() => Promise.all(hosts.splice(0).map((host) => host.close())));

  function make(settings = ON_LOOPBACK, id?: string): FlashHost {
    const host = new FlashHost(settings, folder, id);
    hosts.push(host);
    return host;
  }

  /** How often the host emits this, counted from zero in each call. */
  function counting(host: FlashHost, event: 'state' | 'need'): () => number {
    let count = 0;
    host.on(event, () => (count += 1));
    return () => {
      const counted = count;
      count = 0;
      return counted;
    };
  }

  it('is reported once where it starts to listen, cannot, or stops', async () => {
    const httpPort = await freePort();
    const holder = await occupy(httpPort);
    const host = make({ ...ON_LOOPBACK, httpPort });
    const states = counting(host, 'state');
    await assertCode(host.open(), 'port-in-use');
    assert.deepEqual([host.trouble?.code, host.isListening, states()], ['port-in-use', false, 1]);
    await host.stopListening();
    assert.deepEqual([host.trouble, states()], [undefined, 1], 'why it could not matters no longer');
    await host.stopListening();
    assert.equal(states(), 0);
    await holder.release();
    await host.open();
    assert.deepEqual([host.trouble, host.isListening, states()], [undefined, true, 1]);
    await host.open();
    assert.equal(states(), 0);
    await host.stopListening(() => false);
    assert.deepEqual([host.isListening, states()], [true, 0]);
    await host.stopListening();
    assert.deepEqual([host.isListening, states()], [false, 1]);
  });

  it('listens altogether as soon as a stage needs the port of FinalStage', async () => {
    const finalStagePort = await freePort();
    const host = make({ ...ON_LOOPBACK, finalStagePort });
    await host.openFinalStagePort();
    assert.equal(host.isListening, true);
    await assert.rejects(occupy(finalStagePort), { code: 'EADDRINUSE' });
    await host.stopListening();
    await (await occupy(finalStagePort)).release();
  });

  it('is logged: where it listens, and that it does so without effect', async () => {
    const host = make();
    const logged: unknown[] = [];
    host.log = (...line) => void logged.push(line);
    await host.open();
    const { https, legacy, http } = host.ports;
    const listening = wording('log-listening', { bind: '127.0.0.1', https, legacy, http });
    assert.deepEqual(logged.splice(0), [['info', listening.text, listening]]);
    await host.stopListening();
    const refused = new FlashError('tls-refused', { peer: '127.0.0.1', reason: quoted('no RSA') });
    host.testTls = () => Promise.resolve(refused);
    await host.open();
    assert.deepEqual([host.isListening, host.trouble], [true, refused]);
    assert.deepEqual(logged[0], ['warn', refused.message, refused]);
    assert.equal((logged[1] as string[])[0], 'info');
    await host.stopListening();
    assert.equal(host.trouble, undefined);
  });

  it('is logged as to another trouble than before, and once for the same', async () => {
    const httpPort = await freePort();
    const holder = await occupy(httpPort);
    const host = make({ ...ON_LOOPBACK, httpPort });
    const logged: unknown[] = [];
    host.log = (...line) => void logged.push(line);
    const { message } = await assertCode(host.open(), 'port-in-use');
    await assertCode(host.open(), 'port-in-use');
    assert.deepEqual(logged.splice(0), [['warn', message, host.trouble]]);
    await holder.release();
    const problem = new FlashError('value-invalid', { name: 'httpsPort', reason: quoted('it is "abc"') });
    await host.apply({ ...ON_LOOPBACK, problem });
    await assertCode(host.open(), 'value-invalid');
    assert.deepEqual(logged, [['warn', problem.message, problem]]);
  });

  it('is prepared once: what it had to say before it had a log is said, and what it left on the Wi-Fi removed', async () => {
    const host = make();
    let cleaned = 0;
    host.radio.clean = () => Promise.resolve(void (cleaned += 1));
    host.writeLine('warn', 'early');
    const logged: unknown[] = [];
    host.log = (...line) => void logged.push(line);
    assert.deepEqual([logged.length, cleaned], [0, 0]);
    host.prepare();
    host.prepare();
    host.writeLine('info', 'late');
    host.radio.log('warn', 'of the Wi-Fi');
    host.library.store.onTrouble('of its images');
    assert.deepEqual(logged, [
      ['warn', 'early'],
      ['info', 'late'],
      ['warn', 'of the Wi-Fi'],
      ['warn', 'of its images'],
    ]);
    assert.equal(cleaned, 1);
  });

  it('knows its place at home before it listens, and looks again each time that it starts', async () => {
    const home = homeNetworkIn(folder, () => undefined);
    const listened: boolean[] = [];
    const host = make();
    home.update = async () => {
      // Listening takes less.
      for (let times = 0; times < 5; times += 1) await loadTlsIdentity(folder);
      listened.push(host.isListening);
      return undefined;
    };
    await host.open();
    assert.deepEqual(listened, [false]);
    await host.open();
    assert.equal(listened.length, 1, 'it listens already');
    await host.stopListening();
    await host.open();
    assert.deepEqual(listened, [false, false]);
  });

  it('has the address that its devices were told for as long as one is flashed, and none to say once it is closed', async () => {
    const told = '203.0.113.7';
    await writeFile(join(folder, 'home-address.json'), JSON.stringify({ address: told, name: 'eth9' }));
    const home = homeNetworkIn(folder, () => undefined);
    const host = make({ ...ON_LOOPBACK, address: '' });
    host.jobs.jobFor('cloud', '1000000001').fail('cancelled');
    const job = host.jobs.jobFor('cloud', DEVICE);
    await home.update();
    assert.deepEqual(
      [host.address, host.homeChoice],
      [told, { home: { address: told, name: 'eth9' }, reason: 'remembered' }],
    );
    assert.deepEqual([host.isAddressSet, host.isAddressRemembered, host.addressToDial()], [false, true, told]);
    let asked = 0;
    Object.defineProperty(job, 'isOpen', { get: () => ((asked += 1), true) });
    await home.update();
    assert.equal(asked, 1);
    await host.close();
    asked = 0;
    await home.update();
    assert.equal(asked, 0);
  });

  it('reports that its need to listen may have changed, and not that bytes flow', async () => {
    const { host } = await openBench();
    const needs = counting(host, 'need');
    const job = host.jobs.jobFor('cloud', DEVICE);
    job.enter('cloud');
    assert.equal(needs(), 1);
    job.onChange(false);
    host.queue.emit('changed', false);
    assert.equal(needs(), 0);
    host.queue.pause();
    assert.equal(needs(), 1);
    host.devices.emit('gone', {} as DeviceConnection);
    assert.equal(needs(), 1);
  });

  it('is swept every five seconds while it listens: each host that holds its ports open is asked what it needs', async () => {
    timeStands(['setInterval']);
    const host = make();
    const job = host.jobs.jobFor('finalstage', DEVICE);
    job.finalStage = new FinalStageSession(new Date(Date.now() - DAY_MS));
    timePasses(10_000);
    assert.ok(job.finalStage, 'it does not listen');
    await host.open();
    timePasses(4999);
    assert.ok(job.finalStage);
    const needed = once(host, 'need');
    timePasses(1);
    assert.equal(job.finalStage, undefined);
    await needed;
    await host.stopListening();
    job.finalStage = new FinalStageSession(new Date(Date.now() - DAY_MS));
    timePasses(60_000);
    assert.ok(job.finalStage, 'it has stopped');
  });

  it('asks after a sweep what is needed though no job has changed', async () => {
    const { host } = await openBench({}, { sweepMs: 1 });
    await once(host, 'need');
  });

  it('ends jobs of devices that do not come back as soon as another stage starts', async () => {
    const bench = await openBench({}, { sweepMs: DAY_MS });
    const stale = bench.host.jobs.jobFor('cloud', '1000000001');
    stale.enter('cloud');
    bench.around.now = () => Date.now() + DAY_MS + 1;
    await bench.begin('finalstage', { deviceid: DEVICE, url: 'http://127.0.0.1:1' }).job();
    assert.deepEqual([stale.stage, stale.error], ['failed', 'job-expired']);
  });

  it('keeps nothing of a flash that failed before it reached any device', async () => {
    const host = make();
    const failed = once(host.runs, 'failed');
    const traceless = once(host.runs, 'left-no-trace');
    host.runs.begin({
      nodeId: 'node',
      stage: 'provision',
      message: {},
      deviceid: undefined,
      findJob: () => host.jobs.jobFor('provision', undefined),
      run: () => Promise.reject(new FlashError('wifi-credentials-missing', { what: wording('wifi-name') })),
    });
    await failed;
    const [{ id }] = (await traceless) as [{ id: string }];
    assert.deepEqual([host.jobs.all(), host.runs.failures.has(id)], [[], false]);
  });

  it('keeps the keys of a device for as long as that has a session', async () => {
    const bench = await openBench();
    const { host } = bench;
    const device = await bench.device();
    const ready = once(host.devices, 'ready');
    await device.start();
    await ready;
    const isHeld = (deviceid: string): boolean => host['keys'].isHeld(deviceid);
    assert.deepEqual([isHeld(device.deviceid), isHeld('1000ffffff')], [true, false]);
  });

  it('has the keys of its devices on disk once it is stored or closed, and none where it was to forget them', async () => {
    const isPinned = (key: string): boolean | undefined =>
      DeviceKeys.at(folder, 'host', () => undefined).isPinnedTo(DEVICE, key);
    const host = make(ON_LOOPBACK, 'host');
    host.devices.pin(DEVICE, 'first');
    await host.whenStored();
    assert.equal(isPinned('first'), true);
    host.devices.pin(DEVICE, 'second');
    await host.close();
    assert.equal(isPinned('second'), true);
    await make(ON_LOOPBACK, 'host').close({ forget: true });
    assert.equal(isPinned('second'), undefined);
    const unnamed = make();
    unnamed.devices.pin(DEVICE, 'third');
    await unnamed.close();
    assert.deepEqual(await readdir(join(folder, 'keys')), []);
    const nowhere = new FlashHost(ON_LOOPBACK, undefined, 'host');
    nowhere.devices.pin(DEVICE, 'fourth');
    assert.equal(nowhere.devices.isPinnedTo(DEVICE, 'fourth'), true);
    await nowhere.close();
  });

  it('gives a job the device of a connection: its id, that it is ready, and its facts', () => {
    const host = make();
    host.directory.saw({ deviceid: DEVICE, how: 'session', mac: '5C:CF:7F:12:34:56' });
    const older = host.jobs.jobFor('cloud', DEVICE);
    const job = host.jobs.jobFor('cloud', undefined);
    const connection = { peer: '192.0.2.7', via: 'tls' } as DeviceConnection;
    host.adoptDevice(job, connection);
    assert.deepEqual([job.deviceid, job.evidence.all], [undefined, []]);
    const device = { deviceid: DEVICE, apikey: 'a', model: 'PSF-B04-GL', romVersion: '1.5.5' };
    host.adoptDevice(job, { ...connection, device } as DeviceConnection);
    assert.deepEqual([job.deviceid, older.error, host.jobs.openJob(DEVICE)], [DEVICE, 'cancelled', job]);
    const facts = { model: 'PSF-B04-GL', romVersion: '1.5.5', ip: '192.0.2.7', mac: '5C:CF:7F:12:34:56' };
    assert.deepEqual(job.facts, facts);
    assert.deepEqual(
      job.evidence.all.map(({ at: _at, ...seen }) => seen),
      [
        { kind: 'ready', peer: '192.0.2.7', via: 'tls' },
        { kind: 'device-facts', ...facts },
      ],
    );
    const other = host.jobs.jobFor('cloud', '1000ffffff');
    other.learn({ mac: '5C:CF:7F:65:43:21' });
    host.adoptDevice(other, { ...connection, device: { ...device, deviceid: '1000ffffff' } } as DeviceConnection);
    assert.equal(other.facts.mac, '5C:CF:7F:65:43:21', 'the directory does not know it');
  });
});
