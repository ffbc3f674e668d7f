import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptSetUps } from '../../../lib/flash/tasmota/kept-set-ups';

describe('flash/tasmota/kept-set-ups', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-set-ups-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('gives back what had not ended when the process did, in its order and without its secrets', async () => {
    const file = join(folder, 'set-ups', 'node.json');
    const before = new KeptSetUps(folder);
    before.began('node', { id: '1', message: { deviceid: 'one', mine: Buffer.from('x') }, password: 'secret' });
    before.began('node', {
      id: '2',
      message: { deviceid: 'two', apiKey: 'secret', mqtt: { host: 'broker', password: 'secret' } },
    });
    before.began('node', { id: '3', message: { deviceid: 'three' } });
    before.began('other', { id: '4', message: {} });
    assert.equal(before.left('node')[0]?.password, 'secret');
    await before.settled();
    const kept = await readFile(file, 'utf8');
    for (const word of ['one', 'two', 'broker', 'three']) assert.ok(kept.includes(word), word);
    assert.doesNotMatch(kept, /secret/);
    before.ended('node', '2');
    await before.settled();
    assert.doesNotMatch(await readFile(file, 'utf8'), /two/);

    const after = new KeptSetUps(folder);
    assert.deepEqual(after.left('node'), [
      { id: '1', message: { deviceid: 'one', mine: Buffer.from('x') }, password: undefined },
      { id: '3', message: { deviceid: 'three' }, password: undefined },
    ]);
    after.ended('node', '1');
    after.forget('node');
    after.forget('other');
    await after.settled();
    assert.deepEqual(await readdir(join(folder, 'set-ups')), []);
  });

  it('writes nowhere else, whatever a node is called', async () => {
    const kept = new KeptSetUps(folder);
    kept.began('../escape', { id: '1', message: {} });
    await kept.settled();
    assert.deepEqual(await readdir(folder), []);
    assert.equal(kept.left('../escape').length, 1);
    assert.deepEqual(new KeptSetUps(undefined).left('node'), []);
  });
});
