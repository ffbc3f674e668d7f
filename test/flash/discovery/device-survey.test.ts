import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Answer } from 'dns-packet';
import { FlashError } from '../../../lib/errors';
import { DeviceSurvey, type SurveyChange, type SurveySources } from '../../../lib/flash/discovery/device-survey';
import type { ListedSonoff } from '../../../lib/flash/discovery/listed-sonoff';
import { DeviceDirectory } from '../../../lib/flash/devices/device-directory';
import { Job } from '../../../lib/flash/job/job';
import { DIY } from '../../../lib/flash/routes';
import type { AccessPoint } from '../../../lib/net/wifi/wifi';
import { recommend } from '../../../lib/protocol/recommendation';
import type { VirtualDiyOptions } from '../../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';
import { StrictDiyServer } from '../../client/diy/strict-server';
import { Announcer, LOOPBACK } from '../../net/mdns/announcer';
import { freePort } from '../../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import { wording } from '../../../lib/wordings/wording';

const ID = '1000e4c17c';
const NEVER = new AbortController().signal;
const TEN_MINUTES = 10 * 60_000;

/** Records what a watcher receives. */
class Watcher extends EventEmitter<{ news: [] }> {
  readonly changes: SurveyChange[] = [];

  readonly listen = (changes: readonly SurveyChange[]): void => {
    this.changes.push(...changes);
    this.emit('news');
  };

  async told(isMeant: (change: SurveyChange) => boolean): Promise<ListedSonoff> {
    for (;;) {
      const found = this.changes.find(isMeant);
      if (found) return found.device;
      await once(this, 'news');
    }
  }

  get events(): string[] {
    return this.changes.map(({ event, device }) => `${event} ${device.key}`);
  }
}

describe('flash/discovery/device-survey', () => {
  const open: { close(): Promise<unknown> }[] = [];
  let mdnsPort: number;
  let now: number;
  let directory: DeviceDirectory;
  const connected = new Set<string>();
  const jobs = new Map<string, Job>();

  beforeEach(async () => {
    mdnsPort = await freePort();
    now = 1_000_000;
    directory = new DeviceDirectory(
      () => new Set(),
      () => now,
    );
    connected.clear();
    jobs.clear();
  });

  afterEach(async () => {
    timeGoesOn();
    for (const one of open.splice(0).reverse()) await one.close();
  });

  function survey(more: Partial<SurveySources> = {}): DeviceSurvey {
    const surveying = new DeviceSurvey({
      directory,
      connected: () => [...connected],
      latestJob: (deviceid) => jobs.get(deviceid),
      scan: async () => undefined,
      network: () => ({ address: '127.0.0.2', netmask: '255.255.255.252' }),
      discovery: { interfaces: () => [LOOPBACK], mdnsPort },
      handOverMs: 5000,
      now: () => now,
      ...more,
    });
    open.push(surveying);
    return surveying;
  }

  async function device(options: Partial<VirtualDiyOptions> = {}): Promise<VirtualDiySonoff> {
    const sonoff = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort: 0, lanPort: 0, mdns: { port: mdnsPort }, speed: 100, deviceid: ID },
      ...{ startsIn: 'diy', ...options },
    });
    open.push({ close: () => sonoff.stop() });
    await sonoff.start();
    return sonoff;
  }

  /** @param server of the device that it announces, which it starts; no server answers unless given */
  async function announcer(server?: StrictDiyServer): Promise<Announcer> {
    if (server) open.push(server);
    const one = await new Announcer(mdnsPort, ID, server ? { servicePort: await server.listen() } : {}).ready();
    open.push(one);
    return one;
  }

  it('lists a device that answers each question alone, with the version that it states when it is asked', async () => {
    await device();
    const surveying = survey();
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    const listed = await watcher.told(({ device: { version } }) => version !== undefined);
    assert.deepEqual([listed.deviceid, listed.version, listed.address], [ID, '3.7.6', '127.0.0.1']);
    assert.deepEqual([listed.known, listed.rssi], [['announcement'], -52]);
    assert.equal(listed.recommendation.reason, 'diy-now');
    assert.deepEqual(surveying.list, [listed]);
    assert.equal(directory.get(ID)?.version, '3.7.6', 'the other parts of the host know it too');
    assert.ok(watcher.events.every((event) => !event.startsWith('gone')));
  });

  it('asks no device that takes no commands, nor one that is in work', async () => {
    const server = new StrictDiyServer(() => ({ error: 401 }));
    const announced = await announcer(server);
    const own = announced.records;
    announced.records = own.map((record): Answer =>
      record.type === 'TXT' ? { ...record, data: [Buffer.from(`id=${ID}`), Buffer.from('encrypt=true')] } : record,
    );
    const watcher = new Watcher();
    survey().watch('a node', watcher.listen);
    const locked = await watcher.told(({ event }) => event === 'appeared');
    assert.equal(locked.recommendation.reason, 'diy-button-maybe');
    const job = new Job('diy', ID);
    job.running = new AbortController();
    jobs.set(ID, job);
    announced.records = own;
    announced.announce();
    const changed = await watcher.told(({ event }) => event === 'changed');
    assert.equal(changed.recommendation.reason, 'diy-now');
    assert.deepEqual(server.seen, []);
  });

  it('asks a device once at an address, whatever it announces afterwards', async () => {
    const server = new StrictDiyServer(() => ({ error: 0, data: { deviceid: ID, fwVersion: '3.6.0' } }));
    const announced = await announcer(server);
    const watcher = new Watcher();
    survey().watch('a node', watcher.listen);
    await watcher.told(({ device: { version } }) => version === '3.6.0');
    const data = [`id=${ID}`, 'type=something'].map((text) => Buffer.from(text));
    announced.announce([{ ...announced.record('TXT'), data } as Answer]);
    const changed = await watcher.told(({ device }) => device.recommendation.reason === 'diy-now-unproven');
    assert.deepEqual([changed.version, server.seen.length], ['3.6.0', 1]);
  });

  it('takes no goodbye for an end, and keeps what answers a look', async () => {
    const announced = await announcer();
    const surveying = survey();
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    await watcher.told(({ event }) => event === 'appeared');
    timeStands();
    // A watcher that receives the one has received the answer before it.
    const announces = async (encrypt: boolean): Promise<void> => {
      const before = watcher.changes.length;
      announced.announce([{ ...announced.record('TXT'), data: [Buffer.from(`encrypt=${encrypt}`)] } as Answer]);
      await watcher.told((change) => watcher.changes.indexOf(change) >= before);
    };
    const doubted = once(announced, 'question');
    announced.announce([{ ...announced.record('PTR'), ttl: 0 } as Answer]);
    await doubted;
    await announces(true);
    timePasses(30_000);
    const asked = once(announced, 'question');
    const looking = surveying.look({ signal: NEVER });
    await asked;
    await announces(false);
    timePasses(4500);
    assert.equal((await looking).list.length, 1);
    assert.deepEqual(watcher.events, [`appeared ${ID}`, `changed ${ID}`, `changed ${ID}`]);
  });

  it('lets one go that does not answer a look', async () => {
    const announced = await announcer();
    const surveying = survey();
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    await watcher.told(({ event }) => event === 'appeared');
    timeStands();
    announced.deaf.set('PTR', 99);
    const looking = surveying.look({ signal: NEVER });
    timePasses(4500);
    const { list, troubles } = await looking;
    assert.deepEqual([list, troubles], [[], []]);
    assert.deepEqual(watcher.events, [`appeared ${ID}`, `gone ${ID}`]);
  });

  it('lists what dialled in for as long as it may be there', () => {
    timeStands();
    const surveying = survey();
    const watcher = new Watcher();
    directory.saw({ deviceid: ID, how: 'dispatch', model: 'ITA-GZ1-GL', version: '1.5.5', address: '192.168.1.30' });
    surveying.watch('a node', watcher.listen);
    assert.deepEqual(watcher.events, [`appeared ${ID}`]);
    assert.equal(surveying.list[0]?.recommendation.method, 'cloud');
    connected.add(ID);
    now += 2 * TEN_MINUTES;
    timePasses(TEN_MINUTES + 1);
    assert.deepEqual(surveying.list[0]?.known, ['session'], 'for as long as its session is open');
    connected.delete(ID);
    surveying.update();
    timePasses(1000);
    assert.deepEqual([surveying.list, watcher.events.at(-1)], [[], `gone ${ID}`]);
  });

  it('lets a device go that was flashed since it was seen', () => {
    timeStands();
    const surveying = survey();
    const watcher = new Watcher();
    directory.saw({ deviceid: ID, how: 'session', version: '1.5.5' });
    surveying.watch('a node', watcher.listen);
    const job = new Job('newfirmware', ID);
    job.route = DIY;
    job.enter('newfirmware', new Date(now));
    job.leave('newfirmware', new Date(now + 1));
    assert.equal(job.stage, 'done');
    jobs.set(ID, job);
    surveying.update();
    timePasses(1000);
    assert.deepEqual(watcher.events, [`appeared ${ID}`, `gone ${ID}`]);
    now += 2;
    directory.saw({ deviceid: ID, how: 'dispatch' });
    timePasses(1000);
    assert.equal(watcher.events.at(-1), `appeared ${ID}`, 'it runs its stock firmware after all');
  });

  it('lists access points in sight, and says why it could not look', async () => {
    timeStands();
    const point = (ssid: string): AccessPoint => ({
      ...{ ssid, bssid: '5E:CF:7F:A1:B2:C3', signal: 90, frequency: 2412, security: 'psk' },
    });
    let inSight: readonly AccessPoint[] | Error = [point(`ITEAD-${ID}`), point('home')];
    const surveying = survey({
      scan: async () => {
        if (inSight instanceof Error) throw inSight;
        return inSight;
      },
    });
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    const look = async () => {
      const looking = surveying.look({ signal: NEVER });
      timePasses(5000);
      return await looking;
    };
    assert.equal((await look()).list[0]?.recommendation.reason, 'access-point');
    inSight = new FlashError('wifi-busy', { name: 'wlan0', what: wording('purpose-finalstage') });
    const { list, troubles } = await look();
    assert.deepEqual([list.length, troubles.map(({ code }) => code)], [1, ['wifi-busy']], 'what was seen before stays');
    inSight = [];
    assert.deepEqual((await look()).list, []);
    assert.deepEqual(watcher.events, [`appeared ${ID}`, `gone ${ID}`]);
  });

  /** A stock device on the loopback, and a survey that receives no announcements: it need not wait for any. */
  async function answering(answer: object): Promise<{ server: StrictDiyServer; surveying: DeviceSurvey }> {
    const server = new StrictDiyServer(() => answer);
    open.push(server);
    const port = await server.listen();
    return { server, surveying: survey({ port, discovery: { interfaces: () => [], mdnsPort } }) };
  }

  it('sweeps the network when it is asked to, and only then', async () => {
    const { server, surveying } = await answering({ error: 0, data: { deviceid: ID, fwVersion: '3.6.0' } });
    assert.deepEqual((await surveying.look({ signal: NEVER })).list, []);
    assert.deepEqual(server.seen, []);
    const { list } = await surveying.look({ signal: NEVER, sweep: true });
    const [listed] = list;
    assert.deepEqual([listed?.deviceid, listed?.version, listed?.known], [ID, '3.6.0', ['answer']]);
    assert.equal(listed?.recommendation.reason, 'diy-now');
  });

  it('lists a stock device that states nothing by its address', async () => {
    const { surveying } = await answering({ error: 401 });
    const { list } = await surveying.look({ signal: NEVER, sweep: true });
    assert.deepEqual([list[0]?.key, list[0]?.recommendation.reason], ['127.0.0.1', 'diy-button-maybe']);
  });

  it('says why it could not sweep', async () => {
    const network = (): never => {
      throw new FlashError('address-invalid', { reason: wording('address-none') });
    };
    timeStands();
    const looking = survey({ network }).look({ signal: NEVER, sweep: true });
    timePasses(5000);
    assert.deepEqual(
      (await looking).troubles.map(({ code }) => code),
      ['address-invalid'],
    );
  });

  it('lists what others name until they name something else', () => {
    timeStands();
    const surveying = survey();
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    surveying.name([{ deviceid: ID, name: 'Hall', product: 'MINI', version: '3.6.0' }]);
    timePasses(1000);
    assert.deepEqual([surveying.list[0]?.name, surveying.list[0]?.seenAt], ['Hall', undefined]);
    surveying.name([]);
    timePasses(1000);
    assert.deepEqual(watcher.events, [`appeared ${ID}`, `gone ${ID}`]);
  });

  it('reports all that is there to a later watcher, and what is new to one that returns', () => {
    timeStands();
    const surveying = survey();
    const [first, second] = [new Watcher(), new Watcher()];
    directory.saw({ deviceid: ID, how: 'dispatch' });
    const unwatch = surveying.watch('first', first.listen);
    surveying.watch('second', second.listen);
    assert.deepEqual(second.events, [`appeared ${ID}`]);
    unwatch();
    const back = new Watcher();
    surveying.watch('first', back.listen);
    assert.deepEqual(back.events, []);
    directory.saw({ deviceid: '1000ffffff', how: 'dispatch' });
    timePasses(1000);
    assert.deepEqual([back.events, first.events], [['appeared 1000ffffff'], [`appeared ${ID}`]]);
  });

  it('watches for as long as there are watchers, and a moment longer', async () => {
    timeStands();
    const surveying = survey();
    const unwatch = surveying.watch('a node', () => undefined);
    directory.saw({ deviceid: ID, how: 'dispatch' });
    timePasses(1000);
    unwatch();
    unwatch();
    assert.deepEqual([surveying.isWatching, surveying.list.length], [true, 1]);
    timePasses(5000);
    assert.deepEqual([surveying.isWatching, surveying.list], [false, []]);
    const again = surveying.watch('a node', () => undefined);
    assert.equal(surveying.isWatching, true);
    again(true);
    again();
    assert.equal(surveying.isWatching, false, 'it goes for good');
    assert.equal(directory.listenerCount('seen'), 0);
  });

  /** Without announcements: a look need not wait for any. */
  const unheard = (more: Partial<SurveySources> = {}): DeviceSurvey =>
    survey({ discovery: { interfaces: () => [], mdnsPort }, ...more });

  /** Advances the clock of the survey, and its timers with it. */
  function passes(ms: number): void {
    now += ms;
    timePasses(ms);
  }

  for (const [how, isListed] of [
    ['dispatch', true],
    ['session', true],
    ['access-point', true],
    ['answer', true],
    ['announcement', false],
  ] as const) {
    it(`${isListed ? 'lists' : 'does not list'} what was merely seen by ${how}, and any device with a session`, () => {
      timeStands();
      const facts = { model: 'PSA-B01-GL', version: '1.5.5', address: '192.168.1.30' };
      directory.saw({ deviceid: ID, how, ...facts, mac: '5C:CF:7F:12:34:56' });
      const surveying = unheard();
      now += 1;
      surveying.watch('a node', () => undefined);
      const listed = {
        ...{ key: ID, deviceid: ID, name: undefined, ...facts, known: [how], seenAt: now - 1, rssi: undefined },
        recommendation: recommend({ ...facts, isAccessPoint: how === 'access-point' }),
      };
      assert.deepEqual(surveying.list, isListed ? [listed] : []);
      connected.add(ID);
      surveying.update();
      passes(1000);
      assert.deepEqual(surveying.list, [{ ...listed, known: ['session'], seenAt: now }]);
      surveying.name([{ mac: '5c:cf:7f:12:34:56', name: 'Hall' }]);
      passes(1000);
      assert.deepEqual(surveying.list, [{ ...listed, name: 'Hall', known: ['session', 'named'], seenAt: now }]);
    });
  }

  it('tells what was seen in its own access point how it is flashed', () => {
    timeStands();
    directory.saw({ deviceid: ID, how: 'access-point' });
    const surveying = unheard();
    surveying.watch('a node', () => undefined);
    assert.equal(surveying.list[0]?.recommendation.reason, 'access-point');
  });

  it('lets each device go ten minutes after it was seen last, though nothing happens then', () => {
    timeStands();
    const surveying = unheard();
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    directory.saw({ deviceid: ID, how: 'dispatch' });
    passes(60_000);
    directory.saw({ deviceid: '1000ffffff', how: 'answer' });
    passes(1000);
    const events = [`appeared ${ID}`, 'appeared 1000ffffff', `gone ${ID}`, 'gone 1000ffffff'];
    assert.deepEqual(watcher.events, events.slice(0, 2));
    passes(TEN_MINUTES - 61_000);
    assert.deepEqual(watcher.events, events.slice(0, 2));
    passes(1);
    assert.deepEqual(watcher.events, events.slice(0, 3));
    passes(59_999);
    assert.deepEqual(watcher.events, events.slice(0, 3));
    passes(1);
    assert.deepEqual(watcher.events, events);
  });

  it('says that it has changed when it starts, with all news, and when it stops, and not otherwise', () => {
    timeStands();
    const surveying = unheard();
    let changes = 0;
    const counted = (): number => {
      const count = changes;
      changes = 0;
      return count;
    };
    surveying.on('changed', () => (changes += 1));
    const told: number[] = [];
    const unwatch = surveying.watch('a node', (news) => told.push(news.length));
    assert.deepEqual([counted(), told], [1, []]);
    passes(1000);
    directory.saw({ deviceid: ID, how: 'dispatch' });
    assert.deepEqual([counted(), told], [1, [1]]);
    passes(1000);
    directory.saw({ deviceid: ID, how: 'dispatch' });
    passes(1000);
    assert.deepEqual([counted(), told], [0, [1]], 'that it is still there is no news');
    surveying.watch('another', (news) => told.push(news.length))(true);
    assert.deepEqual([counted(), told.splice(0)], [0, [1, 1]]);
    unwatch(true);
    assert.equal(counted(), 1);
    const later = new Watcher();
    surveying.watch('a node', later.listen);
    assert.deepEqual(later.events, [`appeared ${ID}`], 'it starts from nothing');
  });

  it('tells a watcher that comes to an empty list nothing', () => {
    timeStands();
    const surveying = unheard();
    let calls = 0;
    for (const who of ['one', 'other']) surveying.watch(who, () => (calls += 1));
    passes(1000);
    assert.equal(calls, 0);
  });

  it('has what was named before it had a watcher, and is not held up by what happened before', () => {
    timeStands();
    const surveying = unheard();
    surveying.update();
    directory.saw({ deviceid: ID, how: 'dispatch' });
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen)(true);
    assert.deepEqual(watcher.events, [`appeared ${ID}`]);
    surveying.name([{ deviceid: '1000ffffff' }]);
    passes(1000);
    assert.deepEqual(surveying.list, []);
    surveying.watch('a node', watcher.listen);
    assert.deepEqual(watcher.events.slice(1), [`appeared ${ID}`, 'appeared 1000ffffff']);
  });

  it('is in the order of ids', () => {
    timeStands();
    const ids = ['1000c', '1000a', '1000b'];
    for (const deviceid of ids) directory.saw({ deviceid, how: 'dispatch' });
    const surveying = unheard();
    surveying.watch('a node', () => undefined);
    assert.deepEqual(
      surveying.list.map(({ key }) => key),
      ['1000a', '1000b', '1000c'],
    );
  });

  it('remembers a watcher that went for five seconds, and ends for all at its close', async () => {
    timeStands();
    const surveying = unheard();
    for (const _ of [1, 2]) {
      surveying.watch('a node', () => undefined)();
      timePasses(4999);
      assert.equal(surveying.isWatching, true, 'each time again');
    }
    timePasses(1);
    assert.equal(surveying.isWatching, false);
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    surveying.watch('another', () => undefined)();
    surveying.watch('another', () => undefined)();
    await surveying.close();
    assert.deepEqual([surveying.isWatching, directory.listenerCount('seen')], [false, 0]);
    directory.saw({ deviceid: ID, how: 'dispatch' });
    timePasses(10_000);
    assert.deepEqual([watcher.events, surveying.list], [[], []]);
  });

  it('keeps a device that failed to be flashed, or was flashed before it was seen', () => {
    timeStands();
    const surveying = unheard();
    directory.saw({ deviceid: ID, how: 'session' });
    surveying.watch('a node', () => undefined);
    const job = new Job('newfirmware', ID);
    job.route = DIY;
    job.enter('newfirmware', new Date(now));
    job.fail('new-firmware-silent', new Date(now + 1));
    jobs.set(ID, job);
    surveying.update();
    passes(1000);
    assert.equal(surveying.list.length, 1);
    const before = new Job('newfirmware', ID);
    before.route = DIY;
    before.enter('newfirmware', new Date(0));
    before.leave('newfirmware', new Date(1_000_000));
    jobs.set(ID, before);
    surveying.update();
    passes(1000);
    assert.equal(surveying.list.length, 1, 'in the same moment');
  });

  it('has of a device that announces itself all that it announces and answers', async () => {
    const data = { deviceid: ID, fwVersion: '3.6.0', signalStrength: -61 };
    const server = new StrictDiyServer(() => ({ error: 0, data }));
    const announced = await announcer(server);
    const surveying = survey();
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    await watcher.told(({ device: { version } }) => version !== undefined);
    const announcement = { type: 'diy_plug', encrypt: false };
    const listed = {
      ...{ key: ID, deviceid: ID, name: undefined, model: undefined, version: '3.6.0', address: '127.0.0.1' },
      ...{ known: ['announcement'], seenAt: now, rssi: -61 },
      recommendation: recommend({ version: '3.6.0', announcement }),
    };
    assert.deepEqual(surveying.list, [listed]);
    assert.deepEqual(directory.get(ID), { deviceid: ID, how: 'announcement', address: '127.0.0.1', version: '3.6.0' });
    const state = { rssi: -70, switches: [] };
    const txt = [`id=${ID}`, 'type=diy_plug', `data1=${JSON.stringify(state)}`].map((text) => Buffer.from(text));
    announced.announce([{ ...announced.record('TXT'), data: txt } as Answer]);
    await watcher.told(({ device }) => device.recommendation.reason === 'other-chip');
    const channels = recommend({ version: '3.6.0', announcement, hasChannels: true });
    assert.deepEqual(surveying.list, [{ ...listed, rssi: -70, recommendation: channels }], 'the newest counts');
    const controller = new AbortController();
    const looking = surveying.look({ signal: controller.signal });
    controller.abort();
    await assert.rejects(looking, { code: 'cancelled' });
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    assert.equal(server.seen.length, 1, 'it has told what it is');
  });

  it('asks a device again in a look that has not told what it is', async () => {
    let answer: object = { error: 401 };
    const server = new StrictDiyServer(() => answer);
    await announcer(server);
    const surveying = survey();
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    await watcher.told(({ event }) => event === 'appeared');
    while (server.seen.length === 0 || server.connections > 0) await nextTurn();
    answer = { error: 0, data: { deviceid: ID, fwVersion: '3.6.0' } };
    const controller = new AbortController();
    const looking = surveying.look({ signal: controller.signal });
    await watcher.told(({ device: { version } }) => version === '3.6.0');
    controller.abort();
    await assert.rejects(looking, { code: 'cancelled' });
  });

  it('takes no answer for a device that has moved to another address meanwhile', async () => {
    const watcher = new Watcher();
    const server = createServer((_asked, answer) => {
      announced.announce([{ ...announced.record('A'), data: '127.0.0.2' } as Answer]);
      void watcher
        .told(({ device: { address } }) => address === '127.0.0.2')
        .then(() => answer.end(JSON.stringify({ error: 0, data: { deviceid: ID, fwVersion: '3.6.0' } })));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({ close: async () => server.close() });
    const { port: servicePort } = server.address() as AddressInfo;
    const announced = await new Announcer(mdnsPort, ID, { servicePort }).ready();
    open.push(announced);
    const surveying = survey();
    surveying.watch('a node', watcher.listen);
    const [asked] = (await once(server, 'connection')) as [EventEmitter];
    await once(asked, 'close');
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    assert.deepEqual([directory.get(ID)?.version, surveying.list[0]?.version], [undefined, undefined]);
  });

  it('says on which interface nothing can be heard, until it ends', async () => {
    const holder = createSocket('udp4').bind(mdnsPort, '0.0.0.0');
    await once(holder, 'listening');
    open.push({ close: () => new Promise<void>((resolve) => holder.close(() => resolve())) });
    const surveying = survey();
    const unwatch = surveying.watch('a node', () => undefined);
    while (surveying.deaf.size === 0) await nextTurn();
    const [[address, reason] = []] = surveying.deaf;
    assert.equal(address, '127.0.0.1');
    assert.match(String(reason), /EADDRINUSE/);
    unwatch(true);
    assert.equal(surveying.deaf.size, 0);
  });

  it('has of what answers a sweep all that it answers, and of the newest sweep alone', async () => {
    const data = { deviceid: ID, fwVersion: '3.6.0', signalStrength: -61, switches: [] };
    const { server, surveying } = await answering({ error: 0, data });
    const watcher = new Watcher();
    surveying.watch('a node', watcher.listen);
    const { list, troubles } = await surveying.look({ signal: NEVER, sweep: true });
    const listed = {
      ...{ key: ID, deviceid: ID, name: undefined, model: undefined, version: '3.6.0', address: '127.0.0.1' },
      ...{ known: ['answer'], seenAt: now, rssi: -61 },
      recommendation: recommend({ version: '3.6.0', announcement: { type: 'diy_plug' }, hasChannels: true }),
    };
    assert.deepEqual([list, troubles], [[listed], []]);
    await surveying.look({ signal: NEVER });
    assert.deepEqual(surveying.list, [listed], 'it was not swept again');
    await server.close();
    assert.deepEqual((await surveying.look({ signal: NEVER, sweep: true })).list, []);
    assert.deepEqual(watcher.events, [`appeared ${ID}`, `gone ${ID}`]);
  });

  it('watches no longer than a look where there is no other watcher, and keeps what an access point shows of itself', async () => {
    const seenAt = now;
    const points = [`ITEAD-${ID}`, 'ITEAD-1000FFFFFF', 'FinalStage'].map((ssid) => ({ ssid }) as AccessPoint);
    let inSight: readonly AccessPoint[] | undefined = points;
    const surveying = unheard({ scan: async () => inSight });
    const { list } = await surveying.look({ signal: NEVER });
    assert.deepEqual(
      list.map(({ deviceid, known, seenAt: at }) => [deviceid, known, at]),
      [
        [ID, ['access-point'], seenAt],
        ['1000ffffff', ['access-point'], seenAt],
      ],
    );
    assert.deepEqual([surveying.isWatching, surveying.list], [false, []]);
    surveying.watch('a node', () => undefined);
    await surveying.look({ signal: NEVER });
    inSight = undefined;
    now += 1;
    assert.deepEqual((await surveying.look({ signal: NEVER })).list.length, 2, 'this machine cannot look any more');
  });

  it('ends a look with the cancel of a part of it, whatever the other parts met', async () => {
    const network = (): never => {
      throw new FlashError('address-invalid', { reason: wording('address-none') });
    };
    const scan = (): Promise<never> => Promise.reject(new FlashError('cancelled'));
    await assert.rejects(unheard({ network, scan }).look({ signal: NEVER, sweep: true }), { code: 'cancelled' });
  });

  it('ends a look that is cancelled', async () => {
    const controller = new AbortController();
    const surveying = survey();
    const looking = surveying.look({ signal: controller.signal });
    controller.abort();
    await assert.rejects(looking, { code: 'cancelled' });
    assert.equal(surveying.isWatching, false);
  });
});
