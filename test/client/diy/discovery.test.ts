import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Answer } from 'dns-packet';
import { SonoffDiscovery, type AnnouncedSonoff } from '../../../lib/client/diy/discovery';
import { Announcer, LOOPBACK } from '../../net/mdns/announcer';
import { assertLeavesNothing } from '../../shared/left-behind';
import { freePort } from '../../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';

const ID = '1000e4c17c';
const NEVER = new AbortController().signal;

describe('client/diy/discovery', () => {
  const open: { close(): Promise<void> }[] = [];
  let mdnsPort: number;

  beforeEach(async () => {
    mdnsPort = await freePort();
    timeStands();
  });

  afterEach(async () => {
    timeGoesOn();
    for (const one of open.splice(0).reverse()) await one.close();
  });

  async function announcer(deviceid = ID) {
    const device = await new Announcer(mdnsPort, deviceid).ready();
    open.push(device);
    return device;
  }

  function discovery() {
    const discovering = new SonoffDiscovery({ interfaces: () => [LOOPBACK], mdnsPort });
    open.push(discovering);
    return discovering;
  }

  async function questionFor(device: Announcer, type: string): Promise<void> {
    let asked: { type?: string };
    do [asked] = (await once(device, 'question')) as [{ type?: string }];
    while (asked.type !== type);
  }

  /** Lets the time go by until something has come that comes with time alone. */
  async function whileTimePasses<T>(coming: Promise<T>): Promise<T> {
    let isOver = false;
    const over = coming.finally(() => (isOver = true));
    while (!isOver) {
      timePasses(5000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return await over;
  }

  it('finds a device that answers each question alone, with what it says of itself', async () => {
    const device = await announcer();
    device.records = device.records.map((record): Answer => {
      const data = ['ID=1000e4c17c', 'type=diy_plug', 'encrypt=false', 'seq=3', 'data1={"rssi":-52}'];
      return record.type === 'TXT' ? { ...record, data: data.map((text) => Buffer.from(text)) } : record;
    });
    const discovering = discovery();
    discovering.start();
    const found = await discovering.find(ID, NEVER);
    assert.deepEqual(found, {
      deviceid: ID,
      address: '127.0.0.1',
      port: 8081,
      record: {
        deviceid: ID,
        type: 'diy_plug',
        apivers: undefined,
        seq: 3,
        encrypt: false,
        state: { rssi: -52, hasChannels: false },
      },
    });
    assert.deepEqual(discovering.sonoffs, [found]);
    assert.deepEqual(await discovering.find(ID.toUpperCase(), NEVER), found, 'known already');
  });

  it('waits for the one that is meant', async () => {
    await announcer('1000ffffff');
    const discovering = discovery();
    discovering.start();
    const finding = discovering.find(ID, NEVER);
    assert.equal((await discovering.find(undefined, NEVER)).deviceid, '1000ffffff');
    (await announcer()).announce();
    assert.equal((await finding).deviceid, ID);
  });

  it('finds one by its host name that does not announce the service', async () => {
    const device = await announcer();
    device.records = device.records.filter(({ type }) => type === 'A');
    const discovering = discovery();
    discovering.start();
    const { deviceid, address, port, record } = await whileTimePasses(discovering.find(ID, NEVER));
    assert.deepEqual([deviceid, address, port, record.type], [ID, '127.0.0.1', 8081, undefined]);
  });

  it('takes the address of another host for no answer, and asks for no host longer than it is wanted', async () => {
    const other = '1000ffffff';
    const device = await announcer(other);
    device.records = device.records.filter(({ type }) => type === 'A');
    const discovering = discovery();
    discovering.start();
    const controller = new AbortController();
    const finding = discovering.find(ID, controller.signal);
    finding.catch(() => undefined);
    assert.equal((await whileTimePasses(discovering.find(other, NEVER))).deviceid, other);
    timePasses(5000);
    controller.abort();
    await assert.rejects(finding, { code: 'cancelled' });
    // Whatever was asked until now has come when the question for this one has.
    const last = new AbortController();
    const marking = discovering.find('1000eeeeee', last.signal);
    let name: string | undefined;
    while (!name?.includes('1000eeeeee')) [{ name }] = (await once(device, 'question')) as [{ name?: string }];
    last.abort();
    await assert.rejects(marking, { code: 'cancelled' });
    const asked = new Set<string | undefined>();
    device.on('question', ({ type }) => asked.add(type));
    for (let rounds = 0; rounds < 3; rounds += 1) {
      const coming = questionFor(device, 'PTR');
      timePasses(60_000);
      await coming;
    }
    assert.deepEqual([...asked], ['PTR']);
  });

  it('waits for the announcement of one whose host name answers first', async () => {
    const device = await announcer();
    device.deaf.set('PTR', 1);
    const discovering = discovery();
    discovering.start();
    const finding = discovering.find(ID, NEVER);
    await questionFor(device, 'A');
    // It is asked for its service again.
    timePasses(1000);
    assert.equal((await finding).record.type, 'diy_plug');
  });

  it('skips other products of the maker, and keeps the name where the record names another device', async () => {
    const device = await announcer();
    const other = (name: string): Answer[] =>
      device.records.map((record): Answer => {
        const renamed = { ...record, name: record.name.replace(`eWeLink_${ID}`, name) };
        return renamed.type === 'PTR' ? { ...renamed, data: `${name}.${renamed.name}` } : renamed;
      });
    const own = device.records;
    device.records = [];
    const discovering = discovery();
    const found: string[] = [];
    discovering.on('found', ({ deviceid }) => found.push(deviceid));
    discovering.start();
    await once(device, 'question');
    device.announce(other('ihost-1001aaaaaa'));
    device.announce(other('zbbridgeu-1001bbbbbb'));
    const txt = { ...own.find(({ type }) => type === 'TXT')!, data: [Buffer.from('id=1000cccccc')] } as Answer;
    device.announce([...own.filter(({ type }) => type !== 'TXT'), txt]);
    await once(discovering, 'found');
    assert.deepEqual(found, [ID]);
  });

  it('takes the port and the spelling of the id that a device states, and looks on this machine unasked', async () => {
    const device = await new Announcer(mdnsPort, ID, { servicePort: 8082 }).ready();
    open.push(device);
    device.records = device.records.map((record): Answer =>
      record.type === 'TXT' ? { ...record, data: [Buffer.from(`id=${ID.toUpperCase()}`)] } : record,
    );
    const discovering = new SonoffDiscovery({ mdnsPort });
    open.push(discovering);
    assert.equal(discovering.hears(ID), false);
    discovering.start();
    const { deviceid, port } = await discovering.find(ID, NEVER);
    assert.deepEqual([deviceid, port], [ID.toUpperCase(), 8082]);
    assert.deepEqual([discovering.hears(ID.toUpperCase()), discovering.hears('1000ffffff')], [true, false]);
    assert.ok(discovering.lookAgain() > 0);
  });

  it('reports an interface on which nothing can be received', async () => {
    const holder = createSocket('udp4').bind(mdnsPort, '0.0.0.0');
    await once(holder, 'listening');
    open.push({ close: () => new Promise((resolve) => holder.close(resolve)) });
    const discovering = discovery();
    const trouble = once(discovering, 'trouble');
    discovering.start();
    const [reason, address] = (await trouble) as [string, string];
    assert.equal(address, LOOPBACK.address);
    assert.match(reason, /EADDRINUSE/);
  });

  it('reports what changes and what goes', async () => {
    const device = await announcer();
    const discovering = discovery();
    discovering.start();
    await discovering.find(ID, NEVER);
    device.announce([{ ...device.record('TXT'), data: [Buffer.from('encrypt=true')] } as Answer]);
    const [changed] = (await once(discovering, 'found')) as [AnnouncedSonoff];
    assert.equal(changed.record.encrypt, true);
    device.deaf.set('PTR', 99);
    const gone = once(discovering, 'gone');
    timePasses(120_000);
    assert.deepEqual(await gone, [ID]);
    assert.deepEqual(discovering.sonoffs, []);
  });

  it('ends when it is cancelled, and leaves nothing behind', async () => {
    const discovering = discovery();
    discovering.start();
    await assert.rejects(discovering.find(ID, AbortSignal.abort()), { code: 'cancelled' });
    const controller = new AbortController();
    const finding = discovering.find(ID, controller.signal);
    controller.abort();
    await assert.rejects(finding, { code: 'cancelled' });
    assert.equal(discovering.listenerCount('found'), 0);
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', onWarning);
    for (let times = 0; times < 12; times += 1) {
      const one = new AbortController();
      const looking = discovering.find(ID, one.signal);
      one.abort();
      await assert.rejects(looking, { code: 'cancelled' });
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    assert.deepEqual(warnings, [], 'none of its listeners is left');
    (await announcer()).announce();
    await assertLeavesNothing((signal) => discovering.find(ID, signal));
    assert.equal(discovering.listenerCount('found'), 0);
  });
});
