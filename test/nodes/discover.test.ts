import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { FlashError, sentencesOf } from '../../lib/errors';
import type { DeviceSurvey } from '../../lib/flash/discovery/device-survey';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import type { HostNode } from '../../nodes/shared/hosts';
import type { DescribedSonoff } from '../../nodes/shared/sonoffs';
import { StrictDiyServer } from '../client/diy/strict-server';
import type { Flow } from '../shared/node-red';
import { ownMdnsPort } from '../shared/own-mdns';
import { occupy } from '../shared/ports';
import { Bed, freePorts, without, type Msg } from './bed';

const AT = { z: 'tab', x: 1, y: 1, name: '' };
const NAMED = '1000c0ffee';

/** Of a device that no earlier test has announced. */
function someId(): string {
  return `1000${randomBytes(3).toString('hex')}`;
}

describe('nodes: sonota-discover', () => {
  let bed: Bed | undefined;
  const open: { close(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await bed?.unload();
    bed = undefined;
  });

  async function flow(): Promise<Flow> {
    return [
      { id: 'tab', type: 'tab', label: 'discover' },
      {
        ...{ id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '' },
        ...(await freePorts()),
        wifi: 'manual',
      },
      { id: 'discover', type: 'sonota-discover', host: 'host', ...AT, wires: [['list'], ['changes']] },
      { id: 'list', type: 'sink', ...AT, wires: [] },
      { id: 'changes', type: 'sink', ...AT, wires: [] },
      { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
      { id: 'caught', type: 'sink', ...AT, wires: [] },
    ];
  }

  async function inDiyMode(deviceid: string): Promise<VirtualDiySonoff> {
    const sonoff = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort: 0, lanPort: 0, speed: 100, deviceid, startsIn: 'diy' },
      mdns: { port: await ownMdnsPort() },
    });
    open.push({ close: () => sonoff.stop() });
    await sonoff.start();
    return sonoff;
  }

  /** A look need not wait for announcements where none matter. */
  function hurry(bed: Bed): DeviceSurvey {
    const { survey } = (bed.node('host') as HostNode).flashHost;
    Object.assign(survey['discovery'] ?? {}, { lookAgain: () => 0 });
    return survey;
  }

  const listed = ({ payload }: Msg): DescribedSonoff[] => payload as DescribedSonoff[];
  const isOf =
    (deviceid: string, event: string, version?: string | null) =>
    (msg: Msg): boolean =>
      msg['deviceid'] === deviceid &&
      msg['event'] === event &&
      (version === undefined || (msg.payload as DescribedSonoff).version === version);

  it('reports a device as it comes and goes, and lists it for a message, which keeps its own', async () => {
    const deviceid = someId();
    bed = await Bed.load(await flow());
    const sonoff = await inDiyMode(deviceid);
    const seen = (msg: Msg): boolean =>
      (msg.payload as DescribedSonoff).version === '3.7.6' && msg['deviceid'] === deviceid;
    const appeared = await bed.at('changes', seen);
    assert.match(String(appeared['topic']), new RegExp(`^${deviceid}/(appeared|changed)$`));
    assert.match(String(appeared['text']), new RegExp(`${deviceid} 3.7.6.*DIY mode, now`));
    const { fill, shape } = await bed.status('discover', ({ text }) => /^[1-9]\d* found$/.test(text));
    assert.deepEqual([fill, shape], ['green', 'dot'], 'it is counted without a message');
    bed.send('discover', { mine: 1 });
    const list = await bed.at('list');
    const own = listed(list).find((one) => one.deviceid === deviceid);
    assert.deepEqual(
      [own?.method, own?.confidence, own?.known, own?.address],
      ['diy', 'supported', ['announcement'], '127.0.0.1'],
    );
    assert.equal(own?.reason, 'It is in DIY mode: diy flash can flash it.');
    assert.deepEqual([list['mine'], typeof list['text']], [1, 'string']);
    assert.match(String(list['text']), /^\d+ found: .*\d × DIY mode, now/);
    await sonoff.stop();
    bed.send('discover', { mine: 2 });
    await bed.at('list', ({ mine }) => mine === 2);
    await bed.at('changes', isOf(deviceid, 'gone'));
    assert.deepEqual(bed.messages('caught'), []);
  });

  it('lists what a message names, until another one names something else', async () => {
    bed = await Bed.load(await flow());
    hurry(bed);
    const devices = JSON.stringify([
      { manufacturer: 'Sonoff', model: 'S31', sw_version: '3.5.0', identifiers: [['sonoff', NAMED]] },
    ]);
    bed.send('discover', { mine: 1, devices });
    const named = listed(await bed.at('list')).find((one) => one.deviceid === NAMED);
    assert.deepEqual([named?.model, named?.version, named?.method, named?.seenAt], ['S31', '3.5.0', 'account', null]);
    bed.send('discover', { mine: 2 });
    const again = listed(await bed.at('list', ({ mine }) => mine === 2));
    assert.ok(
      again.some((one) => one.deviceid === NAMED),
      'a message that names none leaves them as they are',
    );
    bed.send('discover', { mine: 3, devices: [] });
    const cleared = listed(await bed.at('list', ({ mine }) => mine === 3));
    assert.ok(!cleared.some((one) => one.deviceid === NAMED));
    assert.deepEqual(
      bed.statuses
        .filter(({ id }) => id === 'discover')
        .flatMap(({ status: { fill, shape, text } }) => {
          return /^\d+ found$/.test(text) ? [] : [[fill, shape, text]];
        })[0],
      ['grey', 'ring', 'idle'],
    );
    await bed.status('discover', ({ fill, shape, text }) => `${fill} ${shape} ${text}` === 'blue dot looking');
    const counted = `${cleared.length} found`;
    assert.deepEqual(bed.shown('discover'), { fill: 'green', shape: 'dot', text: counted });
    const which = `${NAMED} S31 3.5.0`;
    for (const [event, text] of [
      ['appeared', `${which}: owner’s account (not supported here).`],
      ['gone', `${which}: gone.`],
    ] as const) {
      const { _msgid: _, ...change } = await bed.at('changes', isOf(NAMED, event));
      assert.deepEqual(change, { topic: `${NAMED}/${event}`, event, deviceid: NAMED, payload: named, text });
    }
    bed.send('discover', { mine: 5, devices: [{ manufacturer: 'Sonoff', model: 'MINI', name: 'Lamp' }] });
    const isLamp = ({ event, payload }: Msg): boolean =>
      event === 'appeared' && (payload as DescribedSonoff).name === 'Lamp';
    const { topic, deviceid, text } = await bed.at('changes', isLamp);
    const { key } = hurry(bed).list.find(({ name }) => name === 'Lamp') ?? {};
    assert.deepEqual([topic, deviceid], [`${key}/appeared`, null]);
    assert.match(String(text), /^Lamp MINI: /);
    bed.send('discover', { mine: 4, devices: 'no JSON' });
    assert.equal((await bed.at('caught')).error?.code, 'value-invalid');
  });

  it('gets no news of what it knows in a redeploy, and all of it when it is new', async () => {
    const deviceid = someId();
    await inDiyMode(deviceid);
    const nodes = await flow();
    bed = await Bed.load(nodes);
    await bed.at('changes', ({ payload }) => (payload as DescribedSonoff).version === '3.7.6');
    // Of whichever device: what is counted below is a place among all of them.
    const before = bed.messages('changes').length;
    await bed.deploy(nodes);
    const second = nodes.map((node) => (node.id === 'discover' ? { ...node, id: 'second' } : node));
    // It is made before those that it is wired to.
    await bed.deploy([second.find(({ id }) => id === 'second') as Flow[number], ...nodes]);
    await bed.at(
      'changes',
      (msg) => bed!.messages('changes').indexOf(msg) >= before && isOf(deviceid, 'appeared')(msg),
    );
    const told = bed.messages('changes').filter(isOf(deviceid, 'appeared'));
    assert.equal(told.length, 2, 'once by each node');
  });

  it('ends what it looks for as soon as it is removed, and not in a redeploy', async () => {
    const nodes = await flow();
    bed = await Bed.load(nodes);
    const { survey } = (bed.node('host') as HostNode).flashHost;
    await bed.deploy(nodes);
    assert.equal(survey.isWatching, true);
    await bed.deploy(without(nodes, 'discover'));
    assert.equal(survey.isWatching, false);
  });

  it('sweeps the network of its host when it is asked to', async () => {
    const deviceid = someId();
    bed = await Bed.load(await flow());
    const server = new StrictDiyServer(() => ({ error: 0, data: { deviceid, fwVersion: '3.6.0' } }));
    open.push(server);
    // From another address of the loopback, and at a port that is free on this machine.
    Object.assign(hurry(bed)['sources'], {
      port: await server.listen(),
      network: () => ({ address: '127.0.0.2', netmask: '255.255.255.252' }),
    });
    bed.send('discover', { sweep: true });
    const swept = listed(await bed.at('list')).find((one) => one.deviceid === deviceid);
    assert.deepEqual([swept?.known, swept?.version], [['answer'], '3.6.0']);
  });

  it('listens for as long as it is deployed, so that devices can dial in', async () => {
    bed = await Bed.load(await flow());
    const { flashHost } = bed.node('host') as HostNode;
    await flashHost.open();
    assert.equal(flashHost.isListening, true);
    assert.equal(flashHost.neededUntil(), flashHost.waits.retryableMs, 'nothing else needs it');
    await bed.deploy((await flow()).filter(({ id }) => id !== 'discover'));
    assert.equal(flashHost.isListening, false);
  });

  it('says beside its list what could not be looked at', async () => {
    const nodes = await flow();
    const port = Number(nodes.find(({ id }) => id === 'host')?.['httpsPort']);
    const holder = await occupy(port);
    try {
      bed = await Bed.load(nodes);
      const survey = hurry(bed);
      const { flashHost } = bed.node('host') as HostNode;
      await flashHost.open().catch(() => undefined);
      bed.send('discover', { mine: 1 });
      const list = await bed.at('list');
      assert.match(String(list['details']), new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 `));
      Object.defineProperty(survey, 'deaf', { value: new Map([['192.0.2.7', 'no multicast']]) });
      bed.send('discover', { mine: 2 });
      const { details } = await bed.at('list', ({ mine }) => mine === 2);
      assert.match(String(details), /^Port .* No announcement can be heard at 192\.0\.2\.7 \(no multicast\)\.$/);
    } finally {
      await holder.release();
    }
  });

  it('shows that it looks until it has looked, whatever comes meanwhile', async () => {
    bed = await Bed.load(await flow());
    bed.send('discover', { mine: 1 });
    bed.send('discover', { mine: 2 });
    await bed.status('discover', ({ text }) => text === 'looking (+1)');
    const { survey } = (bed.node('host') as HostNode).flashHost;
    survey.name([{ deviceid: NAMED, model: 'S31' }]);
    await bed.at('changes', isOf(NAMED, 'appeared'));
    assert.deepEqual(bed.shown('discover'), { fill: 'blue', shape: 'dot', text: 'looking (+1)' });
    bed.send('discover', { cancel: true });
    await bed.doneBy('discover', 3);
  });

  it('continues where a change cannot be sent, and logs that', async () => {
    bed = await Bed.load(await flow());
    const survey = hurry(bed);
    const node = bed.node('discover');
    const send = node.send.bind(node);
    const broken = (): void => {
      throw new Error('it cannot be sent');
    };
    Object.assign(node, { send: broken });
    const logged = once(node, 'call:error') as Promise<[{ args: unknown[] }]>;
    survey.name([{ deviceid: NAMED, model: 'S31' }]);
    assert.match(String((await logged)[0].args[0]), /it cannot be sent/);
    Object.assign(node, { send });
    survey.name([]);
    await bed.at('changes', isOf(NAMED, 'gone'));
  });

  it('says that it found none, and what it could not look at', async () => {
    bed = await Bed.load(await flow());
    const survey = hurry(bed);
    const away = new FlashError('wifi-action-unknown', { action: 'a test' });
    const looks = [
      { list: [], troubles: [] },
      { list: [], troubles: [away] },
    ];
    Object.assign(survey, { look: () => Promise.resolve(looks.shift()) });
    Object.defineProperty(survey, 'deaf', { value: new Map() });
    for (const mine of [1, 2]) bed.send('discover', { mine });
    const { payload, text, ...first } = await bed.at('list');
    assert.deepEqual([payload, text, 'details' in first], [[], 'No Sonoff was found.', false]);
    const { details } = await bed.at('list', ({ mine }) => mine === 2);
    assert.equal(details, sentencesOf('wifi-action-unknown', { action: 'a test' }).what);
  });

  it('is cancelled for one device, whatever else its messages name as one', async () => {
    bed = await Bed.load(await flow());
    bed.send('discover', { mine: 1, deviceid: '1000a1b2c3' });
    bed.send('discover', { mine: 2, deviceid: { not: 'an id' } });
    bed.send('discover', { mine: 3, deviceid: NAMED });
    bed.send('discover', { cancel: true, deviceid: `ITEAD-${NAMED.toUpperCase()}` });
    const first = await bed.at('caught');
    assert.deepEqual([first['mine'], first.error?.code], [3, 'cancelled']);
    bed.send('discover', { cancel: true });
    for (const mine of [1, 2]) await bed.at('caught', (msg) => msg['mine'] === mine && msg.error?.code === 'cancelled');
    assert.deepEqual(bed.messages('caught').length, 3);
  });

  it('says that it has no host, and is cancelled by a message', async () => {
    const nodes = await flow();
    bed = await Bed.load(nodes);
    bed.send('discover', { mine: 1 });
    bed.send('discover', { mine: 2 });
    bed.send('discover', { cancel: true });
    await bed.at('caught', ({ mine, error }) => mine === 1 && error?.code === 'cancelled');
    await bed.at('caught', ({ mine, error }) => mine === 2 && error?.code === 'cancelled');
    await bed.deploy(nodes.map((node) => (node.id === 'discover' ? { ...node, host: '' } : node)));
    bed.send('discover', { mine: 3 });
    assert.equal((await bed.at('caught', ({ mine }) => mine === 3)).error?.code, 'host-missing');
  });
});
