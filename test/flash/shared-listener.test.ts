import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { mkdtemp } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlashHost, type HostSettings } from '../../lib/flash/host/host';
import { probeTcp } from '../../lib/net/probe';
import { joinListener, sharedPorts } from '../../lib/flash/host/shared-listener';
import { FinalStageLock } from '../../lib/flash/job/finalstage-lock';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import type { ObservationKind } from '../../lib/flash/observation';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { FINALSTAGE } from '../../lib/flash/routes';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { makeFinalImage } from '../../lib/image';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import { closeAll, RawClient } from '../server/serving';
import { freePort, occupy } from '../shared/ports';
import { processFolder } from '../shared/process-folder';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { storeTestIdentity, testIdentity } from '../shared/test-identity';
import { Bench, FIRMWARE, ON_LOOPBACK } from './bench';
import { assertCode } from './refusals';
import { ask } from './stranger';

const DEVICE = '1000a1b2c3';
const FACTS = { model: 'PSA-BHA-GL', romVersion: '2.0.1' };
const OWN_KEY = '11111111-2222-4333-8444-666666666666';
const OTHER_KEY = '99999999-8888-4777-8666-555555555555';

const ownFolder = processFolder('listener');

describe('flash/host/shared-listener', () => {
  const benches: Bench[] = [];
  let settings: Partial<HostSettings>;
  beforeEach(async () => {
    const httpPort = await freePort();
    settings = { httpsPort: await freePort(), legacyPort: await freePort(), httpPort, finalStagePort: httpPort };
  });
  afterEach(async () => {
    timeGoesOn();
    await closeAll();
    await Promise.all(benches.splice(0).map((bench) => bench.close()));
  });

  async function open(more: Partial<HostSettings> = {}): Promise<Bench> {
    const bench = await Bench.open({ ...settings, ...more }, {});
    benches.push(bench);
    return bench;
  }

  /** A device asks where to connect; the answer. */
  async function dispatch(deviceid: string, apikey: string): Promise<{ status: number | undefined; body: string }> {
    const url = `http://127.0.0.1:${settings.legacyPort}/dispatch/device`;
    const asked = request(url, { method: 'POST', headers: { 'Content-Type': 'application/json' } });
    asked.end(JSON.stringify({ accept: 'ws;2', version: 2, ts: 1, deviceid, apikey, ...FACTS }));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: answer.statusCode, body: await text(answer) };
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
    assert.equal((await open()).host.isListening, true, 'it shares these ports');
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

  it('listens where FinalStage dials for a host that comes later with a device there', async () => {
    const finalStagePort = await freePort();
    const [one, later] = [await open({ finalStagePort }), await open({ finalStagePort })];
    const dials = (): Promise<string> =>
      probeTcp('127.0.0.1', finalStagePort, { signal: new AbortController().signal, limitMs: 60_000 });
    assert.equal(await dials(), 'refused');
    await later.host.stopListening();
    later.host.jobs.jobFor('finalstage', DEVICE).finalStage = new FinalStageSession();
    await later.host.open();
    assert.deepEqual([await dials(), one.host.isListening], ['accepted', true]);
  });

  it('reports its ports as free once the last host has left them', async () => {
    const [one, other] = [await open(), await open()];
    let freed = 0;
    const onFreed = (): void => void (freed += 1);
    sharedPorts.on('freed', onFreed);
    try {
      await one.host.stopListening();
      assert.equal(freed, 0);
      await other.host.stopListening();
      assert.equal(freed, 1);
    } finally {
      sharedPorts.off('freed', onFreed);
    }
  });

  it('gives no port to a host that could not have all of them', async () => {
    const holder = await occupy(Number(settings.httpPort));
    await assertCode(open(), 'port-in-use');
    await (await occupy(Number(settings.httpsPort))).release();
    await holder.release();
    assert.equal((await open()).host.isListening, true);
  });

  it('sends a device to the address of the host that had a job for it first', async () => {
    const [any, second, first] = [
      await open({ address: '192.0.2.1' }),
      await open({ address: '192.0.2.2' }),
      await open({ address: '192.0.2.3' }),
    ];
    const sentTo = async (): Promise<unknown> => (await dispatch(DEVICE, OWN_KEY)).body;
    const answer = (IP: string): string => JSON.stringify({ error: 0, reason: 'ok', IP, port: settings.legacyPort });
    assert.equal(await sentTo(), answer('192.0.2.1'), 'of any where none has a job');
    timeStands(['Date'], Date.now());
    const early = first.host.jobs.jobFor('cloud', DEVICE);
    timePasses(1);
    second.host.jobs.jobFor('cloud', DEVICE);
    assert.equal(await sentTo(), answer('192.0.2.3'));
    early.fail('cancelled');
    assert.equal(await sentTo(), answer('192.0.2.2'));
    const elsewhere = '1000ffffff';
    second.host.jobs.jobFor('cloud', elsewhere);
    await dispatch(elsewhere, OWN_KEY);
    assert.deepEqual(
      [any, second, first].map(({ host }) => host.devices.lastDispatch(elsewhere) !== undefined),
      [false, true, false],
    );
  });

  it('asks each host whether a device may be the one that it says, and one of them is enough', async () => {
    const both = [await open(), await open()];
    const [one, other] = both as [Bench, Bench];
    const refused: string[] = [];
    one.host.devices.on('refused', ({ claim }) => refused.push(`one: ${claim.as}`));
    other.host.devices.on('refused', ({ claim }) => refused.push(`other: ${claim.as}`));
    one.host.devices.pin(DEVICE, OTHER_KEY);
    assert.equal((await dispatch(DEVICE, OWN_KEY)).status, 200);
    assert.deepEqual(refused.splice(0), ['one: other-key']);
    assert.deepEqual(
      both.map(({ host }) => host.devices.lastDispatch(DEVICE) !== undefined),
      [false, true],
    );
    other.host.devices.pin(DEVICE, OTHER_KEY);
    assert.equal((await dispatch(DEVICE, OWN_KEY)).status, 403);
    assert.deepEqual(refused, ['one: other-key', 'other: other-key']);
  });

  it('tells each host what any peer does, and of a bare connection the one that has waited longest for FinalStage', async () => {
    const [one, late, early] = [await open(), await open(), await open()];
    const sessions = [late, early].map(({ host }, index) => {
      const job = host.jobs.jobFor('finalstage', `100000000${index}`);
      job.enter('finalstage');
      job.running = new AbortController();
      return (job.finalStage = Object.assign(new FinalStageSession(new Date(2000 - 1000 * index)), {
        peer: '127.0.0.9',
      }));
    });
    const waiting = one.host.jobs.jobFor('cloud', DEVICE);
    waiting.enter('cloud');
    waiting.running = new AbortController();
    const dialled = sessions.map((session) => once(session, 'dialled'));
    const socket = connect({ port: Number(settings.httpPort), host: '127.0.0.1', localAddress: '127.0.0.9' });
    await dialled[1];
    let isTold = false;
    void dialled[0]?.then(() => (isTold = true));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nConnection: close\r\n\r\n');
    await once(socket.resume(), 'close');
    assert.equal(isTold, false);
    const strangers = [one, late, early].map(({ host }) =>
      host.jobs.all()[0]?.evidence.all.flatMap((seen) => (seen.kind === 'stranger' ? [[seen.peer, seen.act]] : [])),
    );
    assert.deepEqual(strangers, Array(3).fill([['127.0.0.9', 'browser']]));
  });

  const dispatching = 'POST /dispatch/device HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\n{';
  const browsing = 'GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nConnection: close\r\n\r\n';
  for (const [what, port, text, kinds] of [
    ['dials the port of the cloud without TLS', 'legacyPort', '', ['dialled']],
    ['browses there', 'legacyPort', browsing, ['dialled', 'stranger']],
    ['says there what is no message', 'legacyPort', dispatching, ['dialled', 'malformed']],
    ['dials the port of the cloud', 'httpsPort', '', ['dialled']],
    ['speaks no TLS there', 'httpsPort', browsing, ['dialled', 'tls-failed']],
    ['browses for images', 'httpPort', browsing, ['stranger']],
  ] as const satisfies [string, keyof HostSettings, string, ObservationKind[]][]) {
    it(`tells each host of a peer that ${what}`, async () => {
      const seen = [await open(), await open()].map(({ host }, index) => {
        const job = host.jobs.jobFor('cloud', `100000000${index}`);
        job.enter('cloud');
        job.running = new AbortController();
        return () => job.evidence.all.flatMap((one) => ('peer' in one ? [[one.kind, one.peer]] : []));
      });
      const socket = connect({ port: Number(settings[port]), host: '127.0.0.1', localAddress: '127.0.0.9' });
      if (text !== '') socket.write(text);
      const expected = kinds.map((kind) => [kind, '127.0.0.9']);
      while (seen.some((ofHost) => ofHost().length < expected.length)) await nextTurn();
      socket.destroy();
      for (const ofHost of seen) assert.deepEqual(ofHost(), expected);
    });
  }

  it('tells each host of a peer that dials for images', async () => {
    const seen = [await open(), await open()].map(({ host }, index) => {
      const job = host.jobs.jobFor('upgrade', `100000000${index}`);
      job.enter('upgrade');
      job.learn({ ip: '127.0.0.9' });
      job.download = new UpgradeDownload();
      return once(job.evidence, 'changed').then(() => job.evidence.all.at(-1));
    });
    const socket = connect({ port: Number(settings.httpPort), host: '127.0.0.1', localAddress: '127.0.0.9' });
    for (const last of await Promise.all(seen)) {
      assert.deepEqual(last, { kind: 'dialled', peer: '127.0.0.9', port: 'images', at: last?.at });
    }
    socket.destroy();
  });

  it('has each host log what is wrong with the answer to a request', async () => {
    const logged: string[] = [];
    const [one] = [await open(), await open()].map(({ host }, index) => {
      host.log = (level, said) => void logged.push(`${index} ${level}: ${said}`);
      return host;
    });
    const broken = { find: () => assert.fail('it is broken') };
    Object.assign(one?.['authorizer'] ?? {}, broken);
    const answer = await ask(Number(settings.httpPort), 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 500 /);
    assert.deepEqual(logged, ['0 warn: it is broken', '1 warn: it is broken']);
  });

  it('serves FinalStage for the host that has waited longest for it', async () => {
    const finals = [makeFinalImage({ size: 24_576 }), makeFinalImage({ size: 28_672 })];
    for (const [index, final] of finals.entries()) {
      const { host } = await open();
      const job = host.jobs.jobFor('finalstage', `100000000${index}`);
      job.enter('finalstage');
      job.firmware = await loadFirmware({ ...FIRMWARE, final }, { signal: new AbortController().signal });
      job.finalStage = new FinalStageSession(new Date(2000 - 1000 * index));
      job.finalStage.peer = '127.0.0.1';
    }
    const client = await RawClient.to(Number(settings.httpPort));
    client.write('GET /ota/image_arduino.bin HTTP/1.0\r\nHost: 192.168.4.2:8080\r\nConnection: close\r\n\r\n');
    const { body } = await client.answer();
    assert.equal(body.length, 28_672);
  });

  it('flashes a device in DIY mode for the second of two hosts', async () => {
    await open();
    const bench = await open();
    const device = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort: 0, lanPort: 0, mdns: false, speed: 100, deviceid: DEVICE },
      startsIn: 'diy',
    });
    try {
      const { lanPort } = await device.start();
      const { found } = await bench.begin('diy', { url: `http://127.0.0.1:${lanPort}`, deviceid: DEVICE }).outcome;
      assert.equal(found['proof'], 'reported');
    } finally {
      await device.stop();
    }
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

  for (const key of ['httpsPort', 'legacyPort', 'httpPort'] as const) {
    it(`names the host that has the same ${key}, though no other port of both is the same`, async () => {
      (await open()).host.label = () => ({ host: 'My host', tab: 'Flash one Sonoff' });
      const [httpsPort, legacyPort, httpPort] = [await freePort(), await freePort(), await freePort()];
      const others = { httpsPort, legacyPort, httpPort, finalStagePort: httpPort };
      const { values } = await assertCode(open({ ...others, [key]: settings[key] }), 'port-of-other-host');
      assert.deepEqual(values, {
        ...{ port: settings[key], bind: '127.0.0.1' },
        ...{ host: 'My host', tab: 'Flash one Sonoff' },
      });
    });
  }

  for (const key of ['legacyPort', 'finalStagePort'] as const) {
    it(`shares nothing between hosts of which only ${key} differs`, async () => {
      (await open()).host.label = () => ({ host: 'My host', tab: 'Flash one Sonoff' });
      await assertCode(open({ [key]: await freePort() }), 'port-of-other-host');
    });
  }

  it('shares nothing between hosts that keep their TLS identities apart', async () => {
    const one = await open();
    one.host.label = () => ({ host: 'My host', tab: 'Flash one Sonoff' });
    const folder = await mkdtemp(join(ownFolder, 'other-'));
    await storeTestIdentity(folder);
    for (const place of [undefined, folder]) {
      const other = new FlashHost(one.settings, place);
      try {
        await assertCode(other.open(), 'port-of-other-host');
      } finally {
        await other.close();
      }
    }
  });

  for (const key of ['httpsPort', 'httpPort'] as const) {
    it(`shares nothing between hosts that take any free ${key}`, async () => {
      (await open({ [key]: 0 })).host.label = () => ({ host: 'My host', tab: 'Flash one Sonoff' });
      await assertCode(open({ [key]: 0 }), 'port-of-other-host');
    });
  }

  it('is kept for a host that comes while the last one leaves, and made again for one that comes after', async () => {
    const [one, two, three, four] = [1, 2, 3, 4].map(() => new FlashHost(ON_LOOPBACK, undefined)['asListening']);
    assert.ok(one && two && three && four);
    const all = { ...ON_LOOPBACK, ...settings };
    const place = { folder: 'of all', identity: await testIdentity() };
    const listener = await joinListener(one, all, place);
    const left = listener.leave(one);
    // Its ports are about to close by then.
    while (listener.ports) await Promise.resolve();
    assert.equal(await joinListener(two, all, place), listener);
    await left;
    assert.equal(await joinListener(three, all, place), listener);
    await listener.leave(two);
    assert.ok(listener.ports);
    await listener.leave(three);
    const next = await joinListener(four, all, place);
    assert.notEqual(next, listener);
    await next.leave(four);
  });

  it('shares nothing between hosts on different addresses: each listens on its own', async () => {
    const both = [await open(), await open({ bind: '127.0.0.2' })];
    const dials = (bind: string): Promise<string> =>
      probeTcp(bind, Number(settings.httpPort), { signal: new AbortController().signal, limitMs: 60_000 });
    assert.deepEqual([await dials('127.0.0.1'), await dials('127.0.0.2')], ['accepted', 'accepted']);
    await both[0]?.host.stopListening();
    assert.deepEqual([await dials('127.0.0.1'), await dials('127.0.0.2')], ['refused', 'accepted']);
  });

  it('names a host that listens on all addresses to one that listens on 127.0.0.1', async () => {
    (await open({ bind: '0.0.0.0' })).host.label = () => ({ host: 'My host', tab: 'Flash one Sonoff' });
    const more = { httpsPort: await freePort(), legacyPort: await freePort() };
    await assertCode(open(more), 'port-of-other-host');
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
