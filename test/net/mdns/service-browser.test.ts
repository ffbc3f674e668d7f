import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Answer } from 'dns-packet';
import multicastDns from 'multicast-dns';
import type { Service } from '../../../lib/net/mdns/service';
import { ServiceBrowser } from '../../../lib/net/mdns/service-browser';
import { freePort } from '../../shared/ports';
import { timers } from '../../shared/left-behind';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import { Announcer, LOOPBACK, TYPE } from './announcer';

const ID = '1000e4c17c';

describe('net/mdns/service-browser', () => {
  const open: { close(): Promise<void> }[] = [];
  let port: number;

  beforeEach(async () => {
    port = await freePort();
    timeStands();
  });

  afterEach(async () => {
    timeGoesOn();
    for (const one of open.splice(0).reverse()) await one.close();
  });

  async function announcer(...args: [deviceid?: string, options?: ConstructorParameters<typeof Announcer>[2]]) {
    const device = await new Announcer(port, args[0] ?? ID, args[1]).ready();
    open.push(device);
    return device;
  }

  function browser(counts: (name: string) => boolean = () => true) {
    const browsing = new ServiceBrowser({ type: TYPE, counts, interfaces: () => [LOOPBACK], port });
    open.push(browsing);
    const gone: string[] = [];
    browsing.on('gone', (name) => gone.push(name));
    return { browsing, gone };
  }

  const nextFound = async (browsing: ServiceBrowser): Promise<Service> =>
    ((await once(browsing, 'found')) as [Service])[0];
  const texts = ({ txt }: Service) => txt?.map((text) => Buffer.from(text).toString());

  it('asks for each record that the answer leaves out, one question a packet', async () => {
    const device = await announcer();
    const { browsing } = browser();
    browsing.start();
    const service = await nextFound(browsing);
    assert.deepEqual(
      { ...service, txt: texts(service) },
      {
        name: `eWeLink_${ID}.${TYPE}`,
        host: `eWeLink_${ID}.local`,
        port: 8081,
        txt: [`id=${ID}`, 'type=diy_plug', 'seq=1'],
        address: '127.0.0.1',
      },
    );
    assert.deepEqual(device.questions.sort(), ['A', 'PTR', 'SRV', 'TXT']);
    assert.deepEqual(browsing.services, [service]);
  });

  it('takes all records in one packet, the address first, and asks for none of them', async () => {
    const device = await announcer();
    const { browsing } = browser();
    // Nothing answers the question for the service.
    const all = device.records;
    device.records = [];
    browsing.start();
    await once(device, 'question');
    device.announce([...all].reverse());
    assert.equal((await nextFound(browsing)).port, 8081);
    assert.deepEqual(device.questions, ['PTR']);
  });

  it('asks three times for what is not answered, then takes the service as it is', async () => {
    const device = await announcer(ID, { servicePort: 9000 });
    device.deaf.set('TXT', 99);
    const { browsing } = browser();
    browsing.start();
    for (let asked = 0; asked < 3; asked++) {
      while (device.questions.filter((type) => type === 'TXT').length <= asked) await once(device, 'question');
      if (asked === 0) while (!device.questions.includes('A')) await once(device, 'question');
      timePasses(asked === 2 ? 0 : 1000);
    }
    const found = nextFound(browsing);
    timePasses(1000);
    const service = await found;
    assert.deepEqual([service.txt, service.port, service.address], [undefined, 9000, '127.0.0.1']);
    assert.equal(device.questions.filter((type) => type === 'TXT').length, 3);
  });

  it('takes the sender’s address where none is stated, and a port that is none for not stated', async () => {
    const device = await announcer(ID, { servicePort: 0 });
    device.records = device.records.filter(({ type }) => type !== 'A');
    const { browsing } = browser();
    browsing.start();
    while (!device.questions.includes('A')) await once(device, 'question');
    const found = nextFound(browsing);
    for (let second = 0; second < 5; second++) timePasses(1000);
    const service = await found;
    assert.deepEqual([service.address, service.port, service.host], ['127.0.0.1', undefined, `eWeLink_${ID}.local`]);
  });

  it('does not believe an address that is not in the network of the interface', async () => {
    const device = await announcer(ID, { address: '203.0.113.7' });
    const { browsing } = browser();
    browsing.start();
    while (!device.questions.includes('A')) await once(device, 'question');
    const found = nextFound(browsing);
    for (let second = 0; second < 5; second++) timePasses(1000);
    assert.equal((await found).address, '127.0.0.1');
  });

  it('reports a change that a device announces, and nothing where nothing has changed', async () => {
    const device = await announcer();
    const { browsing } = browser();
    const reports: Service[] = [];
    browsing.on('found', (service) => reports.push(service));
    browsing.start();
    await nextFound(browsing);
    device.announce();
    const changed = { ...device.record('TXT'), data: [Buffer.from('seq=2')] } as Answer;
    device.announce([changed]);
    assert.deepEqual(texts(await nextFound(browsing)), ['seq=2']);
    assert.equal(reports.length, 2);
  });

  it('keeps names apart by nothing but their letters', async () => {
    const device = await announcer();
    const { browsing } = browser();
    browsing.start();
    await nextFound(browsing);
    const shouted = device.records.map((record) => ({ ...record, name: record.name.toUpperCase() }));
    device.announce([
      ...shouted.filter(({ type }) => type !== 'TXT'),
      { ...device.record('TXT'), data: [Buffer.from('seq=3')] } as Answer,
    ]);
    assert.deepEqual(texts(await nextFound(browsing)), ['seq=3']);
    assert.equal(browsing.services.length, 1);
  });

  it('takes no goodbye for proof: one that still answers is still there', async () => {
    const device = await announcer();
    const { browsing, gone } = browser();
    browsing.start();
    await nextFound(browsing);
    const asked = once(device, 'question');
    device.announce([{ ...device.record('PTR'), ttl: 0 } as Answer]);
    await asked;
    device.announce([{ ...device.record('TXT'), data: [Buffer.from('seq=2')] } as Answer]);
    await nextFound(browsing);
    timePasses(10_000);
    assert.deepEqual(gone, []);
    assert.equal(browsing.services.length, 1);
  });

  it('lets one go that said goodbye and does not answer', async () => {
    const device = await announcer();
    const { browsing, gone } = browser();
    browsing.start();
    await nextFound(browsing);
    device.deaf.set('PTR', 99);
    const asked = once(device, 'question');
    device.announce([{ ...device.record('PTR'), ttl: 0 } as Answer]);
    await asked;
    timePasses(2999);
    assert.deepEqual(gone, []);
    timePasses(1);
    assert.deepEqual(gone, [`eWeLink_${ID}.${TYPE}`]);
    assert.deepEqual(browsing.services, []);
  });

  it('asks three times at a look, and lets go what answers none of them', async () => {
    const device = await announcer();
    const { browsing, gone } = browser();
    browsing.start();
    await nextFound(browsing);
    device.deaf.set('PTR', 99);
    device.questions.length = 0;
    let asked = once(device, 'question');
    const overMs = browsing.lookAgain();
    for (const ms of [1000, 2000]) {
      await asked;
      asked = once(device, 'question');
      timePasses(ms);
    }
    await asked;
    browsing.want(`eWeLink_${ID}.local`);
    while (!device.questions.includes('A')) await once(device, 'question');
    assert.deepEqual([device.questions, gone], [['PTR', 'PTR', 'PTR', 'A'], []]);
    timePasses(overMs - 3000);
    assert.deepEqual(gone, [`eWeLink_${ID}.${TYPE}`]);
  });

  it('lets one go that is not heard of for as long as it promised, and takes it when it is back', async () => {
    const device = await announcer(ID, { ttl: 100 });
    const { browsing, gone } = browser();
    browsing.start();
    await nextFound(browsing);
    device.deaf.set('PTR', 99);
    timePasses(99_000);
    assert.deepEqual(gone, []);
    timePasses(1000);
    assert.deepEqual(gone, [`eWeLink_${ID}.${TYPE}`]);
    device.announce();
    assert.equal((await nextFound(browsing)).port, 8081);
  });

  for (const [ttl, holdsMs] of [
    [1, 10_000],
    [10, 10_000],
    [11, 11_000],
    [4500, 4_500_000],
    [86_400, 4_500_000],
  ] as const) {
    it(`believes an announcement for ${holdsMs / 1000} s that promises ${ttl} s`, async () => {
      const device = await announcer(ID, { ttl });
      const { browsing, gone } = browser();
      browsing.start();
      await nextFound(browsing);
      device.deaf.set('PTR', Infinity);
      timePasses(holdsMs - 1);
      assert.deepEqual(gone, []);
      timePasses(1);
      assert.deepEqual(gone, [`eWeLink_${ID}.${TYPE}`]);
    });
  }

  it('asks for the service with growing pauses, up to a minute, once however often it is started', async () => {
    const device = await announcer();
    device.records = [];
    const { browsing } = browser();
    browsing.start();
    await once(device, 'question');
    browsing.start();
    for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      timePasses(pauseMs - 1);
      const asked = once(device, 'question');
      timePasses(1);
      await asked;
    }
    // Whatever was asked until now has come before this.
    browsing.want(`eWeLink_${ID}.local`);
    while (!device.questions.includes('A')) await once(device, 'question');
    assert.deepEqual(device.questions, [...Array<string>(9).fill('PTR'), 'A']);
  });

  it('leaves no timer behind when it is closed', async () => {
    timeGoesOn();
    const device = await announcer();
    const { browsing } = browser();
    const before = timers();
    browsing.start();
    await nextFound(browsing);
    assert.ok(timers() > before);
    await browsing.close();
    assert.equal(timers(), before);
    assert.ok(device.questions.length > 0);
  });

  it('asks for the address of another host that a service has moved to, and forgets that of the one before', async () => {
    const device = await announcer(ID, { address: '127.0.0.5' });
    const { browsing } = browser();
    browsing.start();
    assert.equal((await nextFound(browsing)).address, '127.0.0.5');
    const moved = { ...device.record('SRV'), data: { target: `other-${ID}.local`, port: 8081 } } as Answer;
    device.questions.length = 0;
    const asked = once(device, 'question');
    device.announce([moved]);
    const { host, address } = await nextFound(browsing);
    assert.deepEqual([host, address], [`other-${ID}.local`, '127.0.0.1'], 'it is where that came from');
    await asked;
    assert.deepEqual(device.questions, ['A']);
    device.announce([{ ...device.record('A'), name: `other-${ID}.local`, data: '127.0.0.6' } as Answer]);
    assert.equal((await nextFound(browsing)).address, '127.0.0.6');
  });

  it('takes nothing from a record that says goodbye', async () => {
    const device = await announcer();
    const { browsing } = browser();
    browsing.start();
    await nextFound(browsing);
    const host = `eWeLink_${ID}.local`;
    const hosts: string[] = [];
    browsing.on('host', (name, address) => hosts.push(`${name} ${address}`));
    const txt = (seq: number, ttl: number): Answer =>
      ({ ...device.record('TXT'), ttl, data: [Buffer.from(`seq=${seq}`)] }) as Answer;
    device.announce([{ ...device.record('A'), ttl: 0 } as Answer]);
    device.announce([txt(9, 0)]);
    device.announce([txt(2, 120)]);
    assert.deepEqual(texts(await nextFound(browsing)), ['seq=2']);
    assert.deepEqual(hosts, []);
    device.announce([{ ...device.record('A') }, txt(3, 120)]);
    await nextFound(browsing);
    assert.deepEqual(hosts, [`${host} 127.0.0.1`]);
  });

  it('hears nothing that another network sends, and knows where a service came from last', async () => {
    const near = { address: '127.0.0.1', netmask: '255.255.255.248' };
    const browsing = new ServiceBrowser({ type: TYPE, counts: () => true, interfaces: () => [near], port });
    open.push(browsing);
    const device = await announcer();
    device.records = device.records.filter(({ type }) => type !== 'A');
    const [far, moved] = [await announcer(ID, { own: '127.0.0.9' }), await announcer(ID, { own: '127.0.0.3' })];
    const txt = (seq: number): Answer => ({ ...device.record('TXT'), data: [Buffer.from(`seq=${seq}`)] }) as Answer;
    far.records = [];
    moved.records = [];
    browsing.start();
    while (!device.questions.includes('A')) await once(device, 'question');
    const found = nextFound(browsing);
    for (let second = 0; second < 5; second++) timePasses(1000);
    assert.equal((await found).address, '127.0.0.1');
    far.announce([txt(8)]);
    moved.announce([txt(9)]);
    const service = await nextFound(browsing);
    assert.deepEqual([texts(service), service.address], [['seq=9'], '127.0.0.3']);
  });

  it('looks at no interface any more once it is closed', async () => {
    let looks = 0;
    const interfaces = (): (typeof LOOPBACK)[] => ((looks += 1), [LOOPBACK]);
    const browsing = new ServiceBrowser({ type: TYPE, counts: () => true, interfaces, port });
    const device = await announcer();
    browsing.start();
    await nextFound(browsing);
    await browsing.close();
    const [looked, asked] = [looks, device.questions.length];
    timePasses(120_000);
    assert.equal(looks, looked);
    const { browsing: other } = browser();
    other.start();
    await nextFound(other);
    assert.deepEqual(device.questions.slice(asked).sort(), ['A', 'PTR', 'SRV', 'TXT'], 'those of the other alone');
  });

  it('takes the records that stand beside the answer', async () => {
    const { browsing } = browser();
    const device = multicastDns({ interface: '127.0.0.1', bind: '0.0.0.0', port });
    open.push({ close: () => new Promise((resolve) => device.destroy(() => resolve())) });
    await once(device, 'ready');
    browsing.start();
    await once(device, 'query');
    const [name, host] = [`eWeLink_${ID}.${TYPE}`, `eWeLink_${ID}.local`];
    device.respond({
      answers: [{ name: TYPE, type: 'PTR', ttl: 120, data: name }],
      additionals: [
        { name, type: 'SRV', ttl: 120, data: { target: host, port: 8082 } },
        { name, type: 'TXT', ttl: 120, data: [Buffer.from('seq=7')] },
        { name: host, type: 'A', ttl: 120, data: '127.0.0.1' },
      ],
    });
    const service = await nextFound(browsing);
    assert.deepEqual(
      { ...service, txt: texts(service) },
      { name, host, port: 8082, txt: ['seq=7'], address: '127.0.0.1' },
    );
  });

  it('has nothing to wait for at a look without an interface', async () => {
    const browsing = new ServiceBrowser({ type: TYPE, counts: () => true, interfaces: () => [], port });
    open.push(browsing);
    browsing.start();
    assert.equal(browsing.lookAgain(), 0);
    const { browsing: other } = browser();
    other.start();
    assert.equal(other.lookAgain(), 4500);
  });

  it('finds an instance that counts, and asks nothing of others', async () => {
    const device = await announcer();
    const other = await announcer('1000ffffff');
    const { browsing } = browser((name) => name.includes(ID));
    browsing.start();
    await nextFound(browsing);
    assert.deepEqual(other.questions, ['PTR']);
    assert.equal(device.questions.length, 4);
    assert.equal(browsing.services.length, 1);
  });

  it('asks for the service again and again, and for a host as long as it is wanted', async () => {
    const device = await announcer();
    device.records = device.records.filter(({ type }) => type === 'A');
    const { browsing } = browser();
    browsing.start();
    await once(device, 'question');
    const hosts: string[] = [];
    browsing.on('host', (name, address) => hosts.push(`${name} ${address}`));
    const unwant = browsing.want(`eWeLink_${ID}.local`);
    await once(browsing, 'host');
    const again = once(browsing, 'host');
    timePasses(1000);
    await again;
    unwant();
    const asked = once(device, 'question');
    timePasses(2000);
    const [question] = await asked;
    assert.equal((question as { type: string }).type, 'PTR');
    assert.deepEqual(new Set(hosts), new Set([`eWeLink_${ID}.local 127.0.0.1`]));
    assert.deepEqual(device.questions, ['PTR', 'A', 'PTR', 'A', 'PTR']);
  });

  it('receives nothing that comes from another port than that of mDNS', async () => {
    const stranger = createSocket('udp4');
    const { encode } = await import('dns-packet');
    const { browsing, gone } = browser();
    const forged = new Announcer(port, 'ffffffffff');
    open.push(await forged.ready());
    const records = forged.records;
    forged.records = [];
    browsing.start();
    await once(forged, 'question');
    const heard: string[] = [];
    browsing.on('found', ({ name }) => heard.push(name));
    const packet = encode({ type: 'response', answers: records });
    stranger.bind(0, '127.0.0.1');
    await once(stranger, 'listening');
    stranger.setMulticastInterface('127.0.0.1');
    await new Promise((resolve) => stranger.send(packet, port, '224.0.0.251', resolve));
    // Later records are received after it.
    const device = await announcer();
    device.announce();
    await nextFound(browsing);
    stranger.close();
    assert.deepEqual(heard, [`eWeLink_${ID}.${TYPE}`]);
    assert.deepEqual(gone, []);
  });

  it('remembers no more than 256 of a flood', async () => {
    const { browsing } = browser();
    const flood = multicastDns({ interface: '127.0.0.1', bind: '0.0.0.0', port });
    await once(flood, 'ready');
    browsing.start();
    await once(flood, 'query');
    for (let group = 0; group < 30; group++) {
      const answers = Array.from({ length: 10 }, (_, index): Answer[] => {
        const name = `n${group * 10 + index}.${TYPE}`;
        const host = `n${group * 10 + index}.local`;
        return [
          { name: TYPE, type: 'PTR', ttl: 120, data: name },
          { name, type: 'SRV', ttl: 120, data: { target: host, port: 1 } },
          { name, type: 'TXT', ttl: 120, data: [Buffer.from('x')] },
          { name: host, type: 'A', ttl: 120, data: '127.0.0.1' },
        ];
      }).flat();
      await new Promise((resolve) => flood.respond(answers, resolve));
    }
    while (browsing.services.length < 256) await once(browsing, 'found');
    // The last of them were received before this one, which finds no room.
    const known = browsing.services[0]!;
    flood.respond([{ name: known.name, type: 'TXT', ttl: 120, data: [Buffer.from('last')] }]);
    while (texts(await nextFound(browsing))?.[0] !== 'last');
    assert.equal(browsing.services.length, 256);
    await new Promise<void>((resolve) => flood.destroy(() => resolve()));
  });

  it('follows the interfaces, and closes what it has opened', async () => {
    const device = await announcer();
    let here = [LOOPBACK];
    const browsing = new ServiceBrowser({ type: TYPE, counts: () => true, interfaces: () => here, port });
    open.push(browsing);
    browsing.start();
    await nextFound(browsing);
    here = [];
    timePasses(1000);
    const asked = device.questions.length;
    here = [LOOPBACK];
    const heard = once(device, 'question');
    timePasses(1000);
    await heard;
    assert.deepEqual(device.questions.slice(asked), ['PTR'], 'nobody was asked without an interface');
    await browsing.close();
    await browsing.close();
    assert.deepEqual(browsing.services, []);
    browsing.start();
    assert.equal((await nextFound(browsing)).port, 8081);
  });
});
