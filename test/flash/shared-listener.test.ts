import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { HostSettings } from '../../lib/flash/host/host';
import { FinalStageLock } from '../../lib/flash/job/finalstage-lock';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { FINALSTAGE } from '../../lib/flash/routes';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { freePort, occupy } from '../shared/ports';
import { Bench, FIRMWARE } from './bench';
import { assertCode } from './refusals';
import { ask } from './stranger';

describe('flash/host/shared-listener', () => {
  const benches: Bench[] = [];
  let settings: Partial<HostSettings>;
  beforeEach(async () => {
    const httpPort = await freePort();
    settings = { httpsPort: await freePort(), legacyPort: await freePort(), httpPort, finalStagePort: httpPort };
  });
  afterEach(async () => {
    await Promise.all(benches.splice(0).map((bench) => bench.close()));
  });

  async function open(more: Partial<HostSettings> = {}): Promise<Bench> {
    const bench = await Bench.open({ ...settings, ...more }, {});
    benches.push(bench);
    return bench;
  }

  it('hosts with the same ports listen side by side, until the last of them has left', async () => {
    const [one, other] = [await open(), await open()];
    assert.deepEqual([one.host.isListening, other.host.isListening], [true, true]);
    await one.host.stopListening();
    assert.deepEqual([one.host.isListening, other.host.isListening], [false, true]);
    const device = await other.device();
    await device.start();
    await other.begin('cloud', { deviceid: device.deviceid }).outcome;
    await other.host.stopListening();
    await (await occupy(Number(settings.httpsPort))).release();
  });

  it('opens again for a host that comes while the last one leaves', async () => {
    const one = await open();
    const left = one.host.stopListening();
    const other = await open();
    await left;
    assert.deepEqual([one.host.isListening, other.host.isListening], [false, true]);
    const device = await other.device();
    await device.start();
    await other.begin('cloud', { deviceid: device.deviceid }).outcome;
  });

  it('gives a device to the host that has its job, to the end of its flash', async () => {
    const [idle, busy] = [await open(), await open()];
    const announced: unknown[] = [];
    idle.host.devices.on('ready', (connection) => announced.push(connection));
    const device = await busy.device();
    const cloud = busy.begin('cloud', { deviceid: device.deviceid });
    await cloud.job();
    await device.start();
    await cloud.outcome;
    assert.equal(idle.host.devices.get(device.deviceid), undefined);
    await busy.begin('upgrade', { deviceid: device.deviceid, sources: FIRMWARE }).outcome;
    const { job } = await busy.begin('finalstage', { deviceid: device.deviceid, url: device.finalStageUrl }).outcome;
    assert.equal(job.stage, 'done');
    assert.deepEqual([announced, idle.host.devices.connected()], [[], []]);
  });

  it('shows a device that no host has a job for to each of them', async () => {
    const both = [await open(), await open()];
    const ready = Promise.all(both.map(({ host }) => once(host.devices, 'ready')));
    const device = await (both[0] as Bench).device();
    await device.start();
    await ready;
    for (const { host } of both) assert.deepEqual(host.devices.connected(), [device.deviceid]);
  });

  it('a host that comes later finds the devices that are connected already, and flashes one', async () => {
    const first = await open();
    const ready = once(first.host.devices, 'ready');
    const device = await first.device();
    await device.start();
    await ready;
    const later = await open();
    await later.begin('cloud', { deviceid: device.deviceid }).outcome;
    await later.begin('upgrade', { deviceid: device.deviceid, sources: FIRMWARE }).outcome;
    assert.equal(first.host.devices.get(device.deviceid), undefined);
  });

  it('shows a host that comes later no device that has gone', async () => {
    const first = await open();
    const { devices } = first.host;
    const ready = once(devices, 'ready');
    const device = await first.device();
    await device.start();
    await ready;
    const gone = once(devices, 'gone');
    await device.stop();
    await gone;
    const later = await open();
    assert.deepEqual(later.host.devices.connected(), []);
  });

  it('says of an image that it is for another device, whichever host serves it', async () => {
    const benches = [await open(), await open()];
    for (const { host } of benches) {
      const job = host.jobs.jobFor('upgrade', '1000a1b2c3');
      job.enter('upgrade');
      job.firmware = await loadFirmware(FIRMWARE, { signal: new AbortController().signal });
      job.download = new UpgradeDownload();
      const path = `/sonota/1000a1b2c3/user1.bin`;
      const answer = await ask(host.ports.http, `GET ${path} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 403/);
      job.fail('cancelled');
    }
  });

  it('does not cut the device of another host when one leaves', async () => {
    const [one, other] = [await open(), await open()];
    const device = await other.device();
    const cloud = other.begin('cloud', { deviceid: device.deviceid });
    await cloud.job();
    await device.start();
    await cloud.outcome;
    const session = other.host.devices.get(device.deviceid);
    await one.host.stopListening();
    assert.equal(session?.open, true);
    assert.equal(other.host.devices.get(device.deviceid), session);
  });

  it('does not cut the transfer of another host when one leaves, nor waits for it', async () => {
    const [one, other] = [await open(), await open()];
    const device = await other.device();
    await other.upgraded(device, { sources: FIRMWARE });
    const stage = other.begin('finalstage', { deviceid: device.deviceid, url: device.finalStageUrl });
    const { evidence } = await stage.job();
    while (!evidence.all.some(({ kind }) => kind === 'finalstage-requested')) await once(evidence, 'changed');
    assert.notEqual(one.host.neededUntil(), Infinity, 'it is not needed for that');
    await one.host.stopListening();
    const isOver = evidence.all.some(({ kind }) => kind === 'finalstage-ended');
    assert.equal(isOver, false);
    const { job } = await stage.outcome;
    assert.equal(job.stage, 'done');
    assert.equal(evidence.all.filter(({ kind }) => kind === 'finalstage-requested').length, 1);
  });

  it('names the other host and its tab where the ports of two clash, in the log once', async () => {
    const one = await open();
    one.host.label = () => ({ host: 'My host', tab: 'Flash one Sonoff' });
    const other = await open({ httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 });
    const logged: string[] = [];
    other.host.log = (level, text) => void (level === 'warn' && logged.push(text));
    await assertCode(
      other.host.apply({ ...other.settings, ...settings, httpPort: await freePort() }),
      'port-of-other-host',
    );
    await assertCode(other.host.open(), 'port-of-other-host');
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', /My host.*Flash one Sonoff.*the same ports/);
  });

  it('names the other host where FinalStage is to be served on a port of that one', async () => {
    const one = await open();
    one.host.label = () => ({ host: 'My host', tab: 'Flash one Sonoff' });
    const other = await open({ httpsPort: 0, legacyPort: 0, httpPort: 0 });
    await assertCode(other.host.openFinalStagePort(), 'port-of-other-host');
    await one.host.stopListening();
    await other.host.openFinalStagePort();
  });

  for (const [bind, isSame] of [
    ['0.0.0.0', true],
    ['127.0.0.2', false],
  ] as const) {
    it(`${isSame ? 'names' : 'does not name'} a host on the same port of 127.0.0.1 to one that listens on ${bind}`, async () => {
      (await open()).host.label = () => ({ host: 'My host', tab: 'Flash one Sonoff' });
      const { httpPort } = settings;
      const holder = createServer().listen(httpPort, '127.0.0.2');
      await once(holder, 'listening');
      try {
        const more = { bind, httpsPort: await freePort(), legacyPort: await freePort() };
        await assertCode(open(more), isSame ? 'port-of-other-host' : 'port-in-use');
      } finally {
        holder.close();
      }
    });
  }

  it('names the host that holds the port of FinalStage', async () => {
    const finalStagePort = await freePort();
    const one = await open({ finalStagePort });
    one.host.label = () => ({ host: 'My host', tab: 'Flash one Sonoff' });
    await one.host.openFinalStagePort();
    const [httpsPort, legacyPort, httpPort] = [await freePort(), await freePort(), await freePort()];
    const other = await open({ httpsPort, legacyPort, httpPort, finalStagePort });
    await assertCode(other.host.openFinalStagePort(), 'port-of-other-host');
  });

  it('says of another program that it holds the port', async () => {
    const holder = await occupy(Number(settings.httpsPort));
    try {
      await assertCode(open(), 'port-in-use');
    } finally {
      await holder.release();
    }
  });

  it('lets one device at a time to a port of FinalStage, whichever host it belongs to', async () => {
    const port = await freePort();
    const [one, other] = [new JobRegistry(), new JobRegistry()];
    FinalStageLock.at(port).join(one);
    FinalStageLock.at(port).join(other);
    const signal = new AbortController().signal;
    const [first, second] = [one.jobFor('upgrade', 'a'), other.jobFor('upgrade', 'b')];
    for (const job of [first, second]) job.route = FINALSTAGE;
    await FinalStageLock.at(port).acquire(first, signal, () => undefined);
    const waitsFor: unknown[] = [];
    const turn = FinalStageLock.at(port).acquire(second, signal, (holder) => waitsFor.push(holder));
    assert.deepEqual(waitsFor, [first]);
    first.fail('download-failed');
    await turn;
    assert.ok(second.download);
    const elsewhere = other.jobFor('upgrade', 'c');
    await FinalStageLock.at(await freePort()).acquire(elsewhere, signal, () => undefined);
    assert.ok(elsewhere.download);
  });
});
