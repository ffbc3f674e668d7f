import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Publications } from '../../nodes/sonota-home-assistant/publications';

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
    first.publishesAt('one', 'mqtt://other:1883');
    const [leftover] = first.leftovers();
    leftover?.drop();
    assert.deepEqual([first.leftovers(), node.all()], [[], []]);
    await node.settled();
    assert.deepEqual(afterStart().leftovers(), []);
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
