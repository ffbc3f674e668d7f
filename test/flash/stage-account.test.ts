import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Observation } from '../../lib/flash/observation';
import { digestOf, makeFinalImage, packOneHop } from '../../lib/image';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import { wording } from '../../lib/wordings/wording';
import { LOOPBACK } from '../net/mdns/announcer';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { closeBenches, FIRMWARE, openBench, type Begun, type Said } from './bench';
import { assertCode } from './refusals';

const SECONDS = 600;
const DEVICE = '1000a1b2c3';
const PEER = '127.0.0.1';
const MODEL = 'ITA-GZ1-GL';
const ROM = '1.5.5';

/** The reports of a stage in their order: repeated ones once, and of flowing bytes that they flowed. */
function told({ said }: Begun): [Said['name'], Said['values'], number][] {
  return said
    .filter(({ name }, at) => name !== said[at + 1]?.name)
    .map(({ name, values, fraction }) => [name, name === 'final-flows' ? {} : values, Math.round(fraction * 100)]);
}

/** The observations of a stage, from its start on: without the times, and without the words of the session. */
async function seen(stage: Begun): Promise<object[]> {
  const { evidence } = await stage.job();
  const began = evidence.all.findLastIndex((one) => one.kind === 'stage' && one.event === 'began');
  return evidence.all
    .slice(began)
    .filter(({ kind }) => kind !== 'message')
    .map(({ at: _, ...one }: Observation) => one);
}

describe('flash: what each stage tells, keeps and finds', () => {
  const servers = useHttpServers();
  afterEach(closeBenches);

  it('of a device from its access point into FinalStage', async () => {
    const bench = await openBench();
    const { host } = bench;
    // The address is this machine's own, and the Wi-Fi is open.
    Object.defineProperty(host, 'isAddressSet', { value: false });
    const device = await bench.factoryDevice();
    const { deviceid } = device;
    const { apPort } = await device.start();
    const url = `http://127.0.0.1:${apPort}`;
    const { https, legacy, http } = host.ports;
    const doubts = wording('doubt-empty-password');

    const provision = bench.begin('provision', { ssid: 'home', password: '', url });
    const { found: provisioned } = await provision.outcome;
    assert.deepEqual(told(provision), [
      ['wait-for-ap', {}, 0],
      ['send-wifi', { deviceid }, 50],
      ['wifi-sent', { deviceid }, 90],
      ['wifi-doubtful', { deviceid, doubts }, 95],
    ]);
    assert.deepEqual(await seen(provision), [
      { kind: 'stage', event: 'began', stage: 'provision', seconds: SECONDS, url },
      { kind: 'addresses', addresses: [] },
      { kind: 'ap-looked', result: 'answered', joined: false },
      { kind: 'provisioned', answer: 'accepted', told: PEER, doubts },
      { kind: 'stage', stage: 'provision', event: 'ended' },
    ]);
    const server = { serverName: PEER, port: https };
    assert.deepEqual(provisioned, { deviceid, answer: 'accepted', ...server, warnings: [doubts] });
    assert.equal(host.directory.get(deviceid)?.how, 'access-point');

    const cloud = bench.begin('cloud', { deviceid });
    const { found: ready } = await cloud.outcome;
    assert.deepEqual(told(cloud), [
      ['wait-for-device', { deviceid, address: PEER }, 0],
      ['device-dispatched', { deviceid, model: MODEL, romVersion: ROM }, 40],
      ['device-ready', { deviceid }, 95],
    ]);
    const { mac } = host.jobs.latest(deviceid)?.facts ?? {};
    assert.ok(mac, 'the device has told it in its session');
    const dialled = { kind: 'dialled', peer: PEER, port: 'tls' };
    const statement = { deviceid, model: MODEL, romVersion: ROM };
    assert.deepEqual(await seen(cloud), [
      {
        ...{ kind: 'stage', event: 'began', stage: 'cloud', seconds: SECONDS },
        ...{ deviceid, address: PEER, ports: `${https} and ${legacy}` },
      },
      { kind: 'addresses', addresses: [] },
      dialled,
      { kind: 'dispatched', peer: PEER, via: 'tls', ...statement, isProven: true },
      dialled,
      { kind: 'registered', peer: PEER, via: 'tls' },
      { kind: 'ready', peer: PEER, via: 'tls' },
      { kind: 'device-facts', model: MODEL, romVersion: ROM, ip: PEER, mac },
      { kind: 'stage', stage: 'cloud', event: 'ended' },
    ]);
    const roadReason = wording('basic-1.5.5');
    assert.deepEqual(ready, { via: 'tls', ip: PEER, road: 'cloud', roadReason, compatibility: 'supported' });

    const upgrade = bench.begin('upgrade', { deviceid });
    await upgrade.outcome;
    const image = wording('image-user2');
    const size = FIRMWARE.user2.length;
    assert.deepEqual(told(upgrade), [
      ['load-firmware', {}, 0],
      ['upgrade-sent', { deviceid, version: '23.42.5' }, 5],
      ['image-flows', { deviceid, image, sent: size, size }, 95],
      ['image-written', { deviceid, image }, 100],
    ]);
    const requested = { kind: 'image-requested', role: 'user2', class: 'range', size };
    const [, , , , first, second] = (await seen(upgrade)) as { randPosition?: number }[];
    assert.equal((second?.randPosition ?? 0) - (first?.randPosition ?? 0), 1, 'in the sequence of the device');
    assert.deepEqual(await seen(upgrade), [
      {
        ...{ kind: 'stage', event: 'began', stage: 'upgrade', seconds: SECONDS },
        ...{ deviceid, address: PEER, ports: `${http}` },
      },
      { kind: 'ready', peer: PEER, via: 'tls' },
      { kind: 'upgrade-sent', version: '23.42.5', session: 1 },
      { kind: 'dialled', peer: PEER, port: 'images' },
      { ...requested, first: 0, randPosition: first?.randPosition },
      { ...requested, first: 4096, randPosition: second?.randPosition, count: 1 },
      { kind: 'acknowledged', error: 0 },
      { kind: 'stage', stage: 'upgrade', event: 'ended' },
    ]);
    const words = host.jobs.latest(deviceid)?.evidence.all.flatMap((one) => (one.kind === 'message' ? [one] : []));
    for (const [direction, text] of [
      ['in', /"action":"register"/],
      ['out', /"action":"upgrade"/],
    ] as const) {
      assert.ok(words?.some((one) => one.direction === direction && text.test(one.text)));
    }
  });

  it('of a device in one hop, whose session is waited for', async () => {
    const bench = await openBench();
    const device = await bench.device();
    const { deviceid } = device;
    const final = makeFinalImage({ size: 24_576, redundancy: 0.7, text: 'Theo Arends' });
    const upgrade = bench.begin('upgrade', { deviceid, sources: { final, intermediate: 'one-hop' } });
    await upgrade.recorder.reported(({ name }) => name === 'wait-for-session');
    await device.start();
    const { found } = await upgrade.outcome;
    const image = wording('image-user2');
    const size = packOneHop(final).length;
    assert.deepEqual(told(upgrade), [
      ['load-firmware', {}, 0],
      ['wait-for-session', { deviceid }, 0],
      ['upgrade-sent', { deviceid, version: '23.42.5' }, 5],
      ['image-flows', { deviceid, image, sent: size, size }, 95],
      ['one-hop-written', { deviceid, image }, 100],
    ]);
    const sent = (await seen(upgrade)).find((one) => (one as Observation).kind === 'upgrade-sent');
    assert.deepEqual(sent, { kind: 'upgrade-sent', version: '23.42.5', session: 1, isOneHop: true });
    const how = { requests: Math.ceil(size / 4096), transport: 'range', version: '23.42.5', sessions: 1 };
    assert.deepEqual(found, { intermediate: 'one-hop', image: 'user2', size, ...how });
  });

  it('of a device that shows itself in FinalStage, before which it asked for nothing here', async () => {
    const bench = await openBench();
    const upgrade = bench.begin('upgrade', { deviceid: DEVICE });
    await upgrade.recorder.reported(({ name }) => name === 'wait-for-session');
    (await upgrade.job()).download?.taken();
    const { found } = await upgrade.outcome;
    assert.deepEqual(told(upgrade).at(-1), ['image-written', { deviceid: DEVICE, image: wording('unknown') }, 100]);
    const nothing = { image: 'unknown', size: 0, requests: 0, transport: null, sessions: 0 };
    assert.deepEqual(found, { intermediate: 'finalstage', version: '23.42.5', ...nothing });
  });

  it('of the device that comes next', async () => {
    const bench = await openBench();
    const cloud = bench.begin('cloud', { force: true });
    await cloud.recorder.reported(() => true);
    await (await bench.device({ transport: 'plain', model: 'PSA-BHA-GL', romVersion: '2.0.1' })).start();
    const { found } = await cloud.outcome;
    assert.deepEqual(told(cloud), [
      ['wait-for-any-device', { address: PEER }, 0],
      ['device-dispatched', { deviceid: DEVICE, model: 'PSA-BHA-GL', romVersion: '2.0.1' }, 40],
      ['device-ready', { deviceid: DEVICE }, 95],
    ]);
    const { https, legacy } = bench.host.ports;
    const [began] = await seen(cloud);
    assert.deepEqual(began, {
      ...{ kind: 'stage', event: 'began', stage: 'cloud', seconds: SECONDS },
      ...{ address: PEER, ports: `${https} and ${legacy}`, isForced: true },
    });
    assert.equal(found['via'], 'plain');
  });

  it('of images that are fetched, once', async () => {
    const bench = await openBench();
    const { user1, user2, final } = FIRMWARE;
    let fetched = 0;
    const server = await servers.serve((_, response) => {
      fetched += 1;
      response.setHeader('Content-Length', final.length).end(final);
    });
    const source = `${server}/final.bin`;
    const sources = { user1, user2, final: source, digests: { final: digestOf(final) } };
    const upgrade = bench.begin('upgrade', { deviceid: DEVICE, sources });
    await upgrade.recorder.reported(({ name }) => name === 'wait-for-session');
    const values = { image: wording('image-final'), source, received: final.length, size: final.length };
    assert.deepEqual(told(upgrade)[1], ['fetch-firmware', values, 0]);
    bench.host.runs.cancel('upgrade', DEVICE);
    await assertCode(upgrade.outcome, 'cancelled');
    const again = bench.begin('upgrade', { deviceid: DEVICE, sources, nodeId: 'again' });
    await again.recorder.reported(({ name }) => name === 'wait-for-session');
    assert.deepEqual([told(again)[1]?.[0], fetched], ['wait-for-session', 1]);
  });

  it('of images that are fetched without a length, until it is cancelled', async () => {
    const bench = await openBench();
    // None that is kept already.
    const final = makeFinalImage({ size: 8192 });
    let isBroken = false;
    const source = `${await servers.serve((_, response) => {
      response.write(final.subarray(0, 100));
      response.on('close', () => (isBroken = true));
    })}/final.bin`;
    const { user1, user2 } = FIRMWARE;
    const sources = { user1, user2, final: source, digests: { final: digestOf(final) } };
    const upgrade = bench.begin('upgrade', { deviceid: DEVICE, sources });
    await upgrade.recorder.reported(({ values }) => values['received'] === 100);
    const values = { image: wording('image-final'), source, received: 100, size: wording('unknown-number') };
    assert.deepEqual(upgrade.said.at(-1), { name: 'fetch-firmware', values, fraction: 0 });
    bench.host.runs.cancel('upgrade', DEVICE);
    await assertCode(upgrade.outcome, 'cancelled');
    while (!isBroken) await nextTurn();
  });

  it('of the new firmware behind FinalStage', async () => {
    const bench = await openBench();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const look = bench.begin('newfirmware', { deviceid: DEVICE, url });
    await look.recorder.reported(({ name }) => name === 'wait-for-new-firmware');
    await servers.serveAt(port, (_, response) => response.end('<title>mine</title>'));
    const { found } = await look.outcome;
    assert.deepEqual(told(look), [
      ['wait-for-new-firmware', {}, 0],
      ['new-firmware-here', { firmware: wording('firmware-page'), url }, 99],
    ]);
    const looked = (result: object): object => ({ kind: 'new-firmware-looked', looks: [{ url, ...result }] });
    assert.deepEqual(await seen(look), [
      { kind: 'stage', event: 'began', stage: 'newfirmware', seconds: SECONDS, deviceid: DEVICE, url },
      { kind: 'addresses', addresses: [] },
      looked({ result: 'refused' }),
      looked({ result: 'page', firmware: 'other', proof: 'place' }),
      { kind: 'stage', stage: 'newfirmware', event: 'ended' },
    ]);
    assert.deepEqual(found, { kind: 'other', title: 'mine', url, address: PEER });
  });

  describe('of a device in DIY mode', () => {
    const ID = '10000a1b2c';
    const devices: VirtualDiySonoff[] = [];
    afterEach(() => Promise.all(devices.splice(0).map((device) => device.stop())));

    async function start(options: Partial<VirtualDiyOptions>): Promise<{ lanPort: number; apPort: number }> {
      const apPort = await freePort();
      const device = new VirtualDiySonoff({
        ...{ apAddress: '127.0.0.1', apPort, lanPort: 0, mdns: false, speed: 100, deviceid: ID },
        ...options,
      });
      devices.push(device);
      const { lanPort } = await device.start();
      return { lanPort, apPort };
    }

    it('in its access point', async () => {
      const bench = await openBench();
      const { apPort } = await start({ startsIn: 'access-point' });
      const url = `http://127.0.0.1:${apPort}`;
      const provision = bench.begin('provision', { ssid: 'home', password: 'top secret', url });
      const { found } = await provision.outcome;
      assert.deepEqual(told(provision), [
        ['wait-for-ap', {}, 0],
        ['send-wifi', { deviceid: ID }, 50],
        ['wifi-sent', { deviceid: ID }, 90],
      ]);
      const provisioned = (await seen(provision)).at(-2);
      assert.deepEqual(provisioned, { kind: 'provisioned', answer: 'accepted', route: 'diy' });
      assert.deepEqual(found, { deviceid: ID, method: 'diy', answer: 'accepted', warnings: [] });
    });

    it('at home, found by what it announces', async () => {
      const bench = await openBench();
      const mdnsPort = await freePort();
      await start({ startsIn: 'diy', mdns: { port: mdnsPort } });
      const discovery = { interfaces: () => [LOOPBACK], mdnsPort };
      const url = `http://127.0.0.1:${await freePort()}`;
      const options = { ssid: 'home', password: 'top secret', url, deviceid: ID, discovery };
      const provision = bench.begin('provision', options);
      const { found } = await provision.outcome;
      assert.deepEqual(told(provision).at(-1), ['diy-at-home', { deviceid: ID, address: PEER }, 90]);
      assert.deepEqual(found, {
        ...{ deviceid: ID, method: 'diy', answer: 'in-diy-mode', address: PEER },
        warnings: [],
      });
      const { how, version, address } = bench.host.directory.get(ID) ?? {};
      assert.deepEqual([how, version, address], ['announcement', '3.7.6', PEER]);
    });

    it('from its search to its own report', async () => {
      const bench = await openBench({}, { lanLookMs: 20 });
      const ports = { http: await freePort(), dns: await freePort() };
      bench.around.unlockPorts = ports;
      const { lanPort } = await start({
        ...{ startsIn: 'diy', version: '3.8.1', dns: `127.0.0.1:${ports.dns}`, vendorPort: ports.http },
        behaviours: { unlock: 'asks', unlocksOn: 0, rssi: -79 },
      });
      const deviceid = ID;
      const url = `http://127.0.0.1:${lanPort}`;
      const diy = bench.begin('diy', { url, deviceid, unlock: 'local' });
      const { found } = await diy.outcome;
      const values = { deviceid, address: PEER, romVersion: '3.8.1' };
      const size = FIRMWARE.final.length;
      assert.deepEqual(told(diy), [
        ['load-firmware', {}, 0],
        ['diy-look', {}, 2],
        ['diy-found', values, 5],
        ['diy-version-unknown', values, 0],
        ['diy-weak-signal', { ...values, rssi: -79 }, 0],
        ['diy-unlock', { deviceid }, 8],
        ['diy-unlock-local', { deviceid }, 9],
        ['diy-flash-sent', { deviceid }, 12],
        ['image-flows', { deviceid, image: wording('image-final'), sent: size, size }, 95],
        ['diy-written', { deviceid }, 100],
      ]);
      const info = { kind: 'device-info', peer: PEER };
      const requested = { kind: 'image-requested', role: 'final', class: 'range', size };
      assert.deepEqual(await seen(diy), [
        {
          ...{ kind: 'stage', event: 'began', stage: 'diy', seconds: SECONDS, address: PEER },
          ...{ ports: `${bench.host.ports.http}`, deviceid, url: `127.0.0.1:${lanPort}` },
        },
        { ...info, romVersion: '3.8.1', isUnlocked: false, rssi: -79 },
        { kind: 'device-facts', ip: PEER, romVersion: '3.8.1' },
        { kind: 'command', command: 'ota_unlock', result: 'refused', error: 503 },
        { ...info, isUnlocked: false },
        { kind: 'unlock-offered', address: PEER },
        { kind: 'unlock-asked', peer: PEER, what: 'name' },
        { kind: 'unlock-asked', peer: PEER, what: 'service', error: 0 },
        { kind: 'command', command: 'ota_unlock', result: 'done' },
        { ...info, isUnlocked: true },
        { ...requested, first: 0, randPosition: 1 },
        { kind: 'command', command: 'ota_flash', result: 'done' },
        { ...requested, first: 20_480, randPosition: 6, count: 5 },
        { kind: 'result-reported', error: 0 },
        { kind: 'stage', stage: 'diy', event: 'ended' },
      ]);
      assert.deepEqual(found, {
        ...{ intermediate: 'diy', address: PEER, version: '3.8.1', rssi: -79, image: 'final', size },
        ...{ requests: 6, lost: 0, reboots: 0, proof: 'reported' },
      });
    });
  });
});
