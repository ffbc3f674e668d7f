import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import type { Job } from '../../lib/flash/job/job';
import type { QueueSnapshot } from '../../lib/flash/queue/queue-snapshot';
import type { HostNode } from '../../nodes/shared/hosts';
import type { Flow } from '../shared/node-red';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { Bed, freePorts, without, type Msg } from './bed';
import { quoted, type Wording } from '../../lib/wordings/wording';

const HOME = { ssid: 'home', password: 'top secret' };
const [ONE, TWO, THREE, FOUR] = ['1000000001', '1000000002', '1000000003', '1000000004'] as const;

describe('nodes: what a message asks of sonota-queue', () => {
  let bed: Bed;
  let flow: Flow;
  const at = { z: 'tab', x: 100, y: 100 };

  beforeEach(async () => {
    const ports = Object.fromEntries(Object.entries(await freePorts()).map(([name, port]) => [name, String(port)]));
    flow = [
      { id: 'tab', type: 'tab', label: 'queue' },
      { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '', ...ports },
      {
        ...{ id: 'queue', type: 'sonota-queue', name: '', host: 'host', atOnce: '', attempts: '' },
        ...{ ...at, wires: [['first'], ['again'], ['news']] },
      },
      { id: 'cloud', type: 'sonota-cloud-emulator', ...at, host: 'host', every: false, timeout: '', wires: [[], []] },
      ...['first', 'again', 'news', 'caught'].map((id) => ({ id, type: 'sink', ...at, wires: [] })),
      { id: 'catch', type: 'catch', ...at, scope: null, uncaught: false, wires: [['caught']] },
    ];
    bed = await Bed.load(flow);
  });
  afterEach(async () => {
    timeGoesOn();
    await bed.unload();
  });

  const news = (msg: Msg): QueueSnapshot => msg.payload as QueueSnapshot;

  /** The first news in which the devices stand so. */
  async function stands(...wanted: [deviceid: string, state: string][]): Promise<QueueSnapshot> {
    const text = JSON.stringify(wanted);
    const told = await bed.at('news', (msg) => {
      return JSON.stringify(news(msg).entries.map(({ deviceid, state }) => [deviceid, state])) === text;
    });
    return news(told);
  }

  const runs = (): HostNode['flashHost']['runs'] => (bed.node('host') as HostNode).flashHost.runs;

  it('puts out a message for each device of a list, with the password, and the same one for each attempt', async () => {
    bed.send('queue', { ...HOME, deviceids: [ONE, TWO], mine: { deep: 'kept' } });
    const first = await bed.at('first');
    assert.deepEqual(
      [first['deviceid'], first['ssid'], first['password'], first['mine'], 'deviceids' in first],
      [ONE, HOME.ssid, HOME.password, { deep: 'kept' }, false],
    );
    Object.assign(first['mine'] as object, { deep: 'changed' });
    runs().refused(first, new FlashError('device-unknown', { reason: quoted('a test'), known: 'none' }));
    const second = await bed.at('first', (msg) => msg['deviceid'] === TWO);
    runs().refused(second, new FlashError('cancelled'));
    await bed.at('first', (msg) => msg !== first && msg['deviceid'] === ONE);
    const [, , again] = bed.messages('first');
    assert.deepEqual([again?.['mine'], again?.['password']], [{ deep: 'kept' }, HOME.password]);
  });

  it('puts out nothing of what a message asks of the queue itself', async () => {
    bed.send('queue', { ...HOME, count: 2, mine: 'kept' });
    const first = await bed.at('first');
    assert.deepEqual(Object.keys(first).sort(), ['_msgid', 'mine', 'password', 'queueEntry', 'ssid']);
    bed.send('queue', { cancel: true });
    await bed.at('news', (msg) => news(msg).skipped > 0);
    bed.send('queue', { ...HOME, all: true, mine: 'none is connected' });
    await bed.doneBy('queue', 3);
    assert.ok(!bed.messages('first').some((msg) => msg['mine'] === 'none is connected'));
  });

  it('leaves out, forgets and tries again what is meant, and reports each state once', async () => {
    bed.send('queue', { queue: 'pause' });
    await bed.status('queue', ({ fill, text }) => fill === 'yellow' && text.startsWith('paused'));
    bed.send('queue', { ...HOME, deviceids: [ONE, TWO, THREE, FOUR] });
    const { entries } = await stands([ONE, 'waiting'], [TWO, 'waiting'], [THREE, 'waiting'], [FOUR, 'waiting']);
    bed.send('queue', { queue: 'skip', entry: entries[1]?.id, deviceid: ONE });
    await stands([ONE, 'waiting'], [TWO, 'skipped'], [THREE, 'waiting'], [FOUR, 'waiting']);
    bed.send('queue', { cancel: true, entry: entries[2]?.id });
    await stands([ONE, 'waiting'], [TWO, 'skipped'], [THREE, 'skipped'], [FOUR, 'waiting']);
    bed.send('queue', { queue: 'forget', deviceid: TWO });
    await stands([ONE, 'waiting'], [THREE, 'skipped'], [FOUR, 'waiting']);
    bed.send('queue', { queue: 'forget' });
    await stands([ONE, 'waiting'], [FOUR, 'waiting']);

    bed.send('queue', { queue: 'resume' });
    await stands([ONE, 'running'], [FOUR, 'waiting']);
    const error = new FlashError('model-refused', { model: 'a model' });
    runs().refused(await bed.at('first'), error);
    await stands([ONE, 'failed'], [FOUR, 'running']);
    bed.send('queue', { queue: 'skip' });
    await stands([ONE, 'failed'], [FOUR, 'skipped']);
    await bed.status('queue', ({ fill, text }) => fill === 'red' && text === '1/1, 1 failed');
    bed.send('queue', { queue: 'retry' });
    await stands([FOUR, 'skipped'], [ONE, 'running']);
    const from = bed.statuses.length;
    bed.send('queue', { cancel: true });
    await stands([FOUR, 'skipped'], [ONE, 'skipped']);
    await bed.status('queue', ({ fill, text }) => fill === 'grey' && text === 'idle', from);

    const told = bed.messages('news').map(({ payload }) => JSON.stringify(payload));
    for (const [index, text] of told.entries()) assert.notEqual(text, told[index - 1]);
  });

  it('puts a device that need not start again out of output 2, with the stage in which it is', async () => {
    const job = (): Job => (bed.node('host') as HostNode).flashHost.jobs.jobFor('finalstage', ONE);
    const fails = (message: Msg): void => {
      runs().emit('in-job', { id: 'pending', nodeId: 'flash', stage: 'finalstage', message }, job());
      job().enter('finalstage');
      job().fail('finalstage-timeout');
    };
    bed.send('queue', { ...HOME, deviceid: ONE, mine: 'kept' });
    const first = await bed.at('first');
    assert.ok(!('stage' in first), 'a node of the whole flash finds out where to begin');
    fails(first);
    const again = await bed.at('again');
    const { stage, deviceid, password, mine } = again;
    assert.deepEqual([stage, deviceid, password, mine], ['finalstage', ONE, HOME.password, 'kept']);
    assert.equal(bed.messages('first').length, 1);
    fails(again);
    await stands([ONE, 'failed']);
    for (const { topic } of bed.messages('news')) assert.equal(topic, 'queue');
    await bed.deploy(flow.map((node) => (node.id === 'queue' ? { ...node, wires: [['first'], [], ['news']] } : node)));
    bed.send('queue', { queue: 'retry' });
    const { payload } = await bed.at('news', (msg) => news(msg).entries[0]?.error === 'queue-not-wired');
    assert.match((payload as QueueSnapshot).entries[0]?.text ?? '', /output 2\b/i);
  });

  it('has three devices in work at a time', async () => {
    await bed.deploy(flow.map((node) => (node.id === 'queue' ? { ...node, wires: [['cloud'], [], ['news']] } : node)));
    bed.send('queue', { ...HOME, deviceids: [ONE, TWO, THREE, FOUR] });
    await stands([ONE, 'running'], [TWO, 'running'], [THREE, 'running'], [FOUR, 'waiting']);
  });

  it('sends what it may after a deploy to nodes that are made after it', async () => {
    const atOnce = (count: string): Flow => {
      const form = { atOnce: count, wires: [['cloud', 'first'], [], ['news']] };
      return flow.map((node) => (node.id === 'queue' ? { ...node, ...form } : node));
    };
    await bed.deploy(atOnce('1'));
    bed.send('queue', { ...HOME, deviceids: [ONE, TWO] });
    await stands([ONE, 'running'], [TWO, 'waiting']);
    await bed.deploy(atOnce('2'));
    await bed.at('first', ({ deviceid }) => deviceid === TWO);
  });

  it('reports nothing more by an instance that has gone', async () => {
    timeStands(['setTimeout']);
    await bed.deploy(flow);
    // What the deploy itself has changed is reported by then.
    timePasses(60_000);
    const old = bed.node('queue');
    const { queue } = (bed.node('host') as HostNode).flashHost;
    const sent: unknown[] = [];
    Object.assign(old, { send: (message: unknown) => sent.push(message) });
    // The first change is reported immediately, the second one soon.
    queue.pause();
    queue.add({ deviceid: ONE });
    assert.equal(sent.length, 1);
    await bed.deploy(flow);
    timePasses(60_000);
    assert.equal(sent.length, 1);
  });

  it('leaves out what waits for a node that is removed', async () => {
    bed.send('queue', { queue: 'pause' });
    bed.send('queue', { ...HOME, deviceid: ONE });
    await stands([ONE, 'waiting']);
    const { queue } = (bed.node('host') as HostNode).flashHost;
    await bed.deploy(flow);
    assert.equal(queue.snapshot().waiting, 1, 'it outlives a redeploy');
    await bed.deploy(without(flow, 'queue'));
    assert.deepEqual([queue.snapshot().waiting, queue.snapshot().skipped], [0, 1]);
  });

  it('names what of a message cannot be meant', async () => {
    for (const [message, name, reason] of [
      [{ count: 2, all: true }, 'msg.all', 'value-only-one'],
      [{ deviceid: ONE, all: true }, 'msg.all', 'value-only-one'],
      [{ deviceids: [ONE], count: 2 }, 'msg.count', 'value-only-one'],
      [{ count: 201 }, 'msg.count', 'value-at-most'],
    ] as const) {
      bed.send('queue', { ...HOME, ...message, mine: name });
      await bed.at('caught');
      const { values } = (await bed.doneBy('queue')).at(-1) as FlashError;
      const { code, values: limits } = values['reason'] as Wording;
      assert.deepEqual(
        [values['name'], code, limits],
        [name, reason, reason === 'value-at-most' ? { limit: 200 } : undefined],
      );
      bed.arrived.length = bed.done.length = 0;
    }
  });

  it('refuses immediately a Wi-Fi that no device can join', async () => {
    bed.send('queue', { ssid: ' home', password: HOME.password, deviceid: ONE });
    assert.equal((await bed.at('caught')).error?.code, 'wifi-credentials-unusable');
    assert.deepEqual((bed.node('host') as HostNode).flashHost.queue.snapshot().entries, []);
  });
});
