import assert from 'node:assert/strict';
import files, { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Publications } from '../../nodes/sonota-home-assistant/publications';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const BROKER = 'mqtt://broker:1883';
const GROUP = { config: 'homeassistant/device/one/config', states: ['sonota/one'] };

describe('nodes: what was published at a broker', () => {
  let root: string;
  let folder: string;
  const warnings: string[] = [];
  let starts = 0;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sonota-published-'));
    folder = join(root, 'kept');
    warnings.length = 0;
  });
  afterEach(() => rm(root, { recursive: true }));

  /** What a process finds that starts now: each knows a folder by one of its names. */
  const afterStart = (): Publications =>
    Publications.in(`${folder}${'/'.repeat((starts += 1))}`, (text) => warnings.push(text));

  it('lies in a file of its own in this folder, whatever the id of its node', async () => {
    const ids = ['1a2b.3c4d', '../../up', 'subflow/node'];
    for (const id of ids)
      await afterStart()
        .arrives(id)
        .set({ broker: BROKER, outlets: [], groups: [GROUP] });
    const names = ['1a2b_3c4d', '______up', 'subflow_node'].map((name) => `${name}.published.json`);
    assert.deepEqual((await readdir(folder)).sort(), names.sort());
    assert.deepEqual(await readdir(root), ['kept']);
    assert.equal(afterStart().leftovers().length, ids.length);
  });

  it('is nothing at the first start', () => assert.deepEqual(afterStart().leftovers(), []));

  it('is left over after its node is gone, until it was removed from the broker', async () => {
    const node = afterStart().arrives('one');
    await node.set({ broker: BROKER, outlets: ['out'], groups: [GROUP] });
    const next = afterStart();
    const [leftover, ...others] = next.leftovers();
    assert.deepEqual([leftover?.instance, leftover?.broker, leftover?.groups], [node.instance, BROKER, [GROUP]]);
    assert.deepEqual(others, []);
    leftover?.drop();
    assert.deepEqual(next.leftovers(), []);
    await next.arrives('one').settled();
    assert.deepEqual(afterStart().leftovers(), []);
  });

  it('is left over where its node publishes at another broker now, and is not there any more when it was removed', async () => {
    const first = afterStart();
    const node = first.arrives('one');
    await node.set({ broker: BROKER, outlets: ['out'], groups: [GROUP] });
    assert.deepEqual(first.leftovers(), [], 'its broker is not known yet');
    first.publishesAt('one', BROKER);
    assert.deepEqual(first.leftovers(), []);
    first.arrives('one');
    assert.deepEqual([first.leftovers(), first.hasNodeAt(BROKER)], [[], true], 'it is deployed again');
    first.publishesAt('one', 'mqtt://other:1883');
    const [leftover] = first.leftovers();
    leftover?.drop();
    assert.deepEqual([first.leftovers(), node.all()], [[], []]);
    await node.settled();
    assert.deepEqual(afterStart().leftovers(), []);
  });

  it('has the instance of its node for as long as that is there, though nothing is published by it now', async () => {
    const first = afterStart();
    const node = first.arrives('one');
    await node.set({ broker: BROKER, outlets: ['out'], groups: [GROUP] });
    first.publishesAt('one', 'mqtt://other:1883');
    for (const leftover of first.leftovers()) leftover.drop();
    await node.settled();
    const { instance } = afterStart().arrives('one');
    assert.equal(instance, node.instance);
    first.leaves('one');
    await node.set({ broker: BROKER, outlets: ['out'], groups: [GROUP] });
    for (const leftover of first.leftovers()) leftover.drop();
    await node.settled();
    assert.deepEqual(await readdir(folder), []);
  });

  it('is written where it has changed', async () => {
    const node = afterStart().arrives('one');
    const place = { broker: BROKER, outlets: ['out'], groups: [GROUP] };
    await node.set(place);
    for (const name of await readdir(folder)) await rm(join(folder, name));
    await node.set({ ...place });
    assert.deepEqual(await readdir(folder), []);
    await node.set({ ...place, outlets: [] });
    assert.deepEqual(await readdir(folder), ['one.published.json']);
  });

  it('keeps nothing waiting for longer than a second where the disk gives no answer', async () => {
    const node = afterStart().arrives('one');
    const disk = mock.method(files, 'mkdir', () => new Promise(() => undefined));
    timeStands(['setTimeout']);
    try {
      let isOver = false;
      const over = node.set({ broker: BROKER, outlets: [], groups: [GROUP] }).then(() => (isOver = true));
      timePasses(999);
      await nextTurn();
      assert.equal(isOver, false);
      timePasses(1);
      await over;
    } finally {
      timeGoesOn();
      disk.mock.restore();
    }
  });

  it('is used as far as it can be read', async () => {
    const node = afterStart().arrives('one');
    const place = { broker: BROKER, outlets: ['out'], groups: [GROUP], arrived: [GROUP.config], taken: 'one two' };
    await node.set(place);
    const [name = ''] = await readdir(folder);
    const content = JSON.parse(await readFile(join(folder, name), 'utf8')) as { places: object[] };
    const broken = [
      { ...place, broker: 'two', groups: [GROUP, { config: 7, states: [] }, { states: ['sonota/two'] }, null] },
      { ...place, broker: 'three', arrived: [7], taken: {} },
      { ...place, broker: 4 },
      null,
    ];
    await writeFile(join(folder, name), JSON.stringify({ ...content, places: [place, ...broken] }));
    const again = afterStart().arrives('one');
    assert.equal(again.instance, node.instance);
    const { broker: _, arrived: __, taken: ___, ...rest } = place;
    assert.deepEqual(again.all(), [
      place,
      { ...place, broker: 'two', groups: [GROUP, { states: ['sonota/two'] }] },
      { ...rest, broker: 'three' },
    ]);
    assert.equal(warnings.length, 1);
  });

  it('is set aside with a word where it cannot be read', async () => {
    const node = afterStart().arrives('one');
    await node.set({ broker: BROKER, outlets: [], groups: [GROUP] });
    const [name = ''] = await readdir(folder);
    await writeFile(join(folder, name), '{ broken');
    assert.deepEqual(afterStart().leftovers(), []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /could not be read/);
  });
});
