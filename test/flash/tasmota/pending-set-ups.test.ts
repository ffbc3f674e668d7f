import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PendingSetUps } from '../../../lib/flash/tasmota/pending-set-ups';

describe('flash/tasmota/kept-set-ups', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-set-ups-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('gives back what had not ended when the process did, in its order and without its secrets', async () => {
    const file = join(folder, 'set-ups', 'node.json');
    const before = new PendingSetUps(folder);
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

    const after = new PendingSetUps(folder);
    assert.deepEqual(after.left('node'), [
      { id: '1', message: { deviceid: 'one', mine: Buffer.from('x') }, password: undefined },
      { id: '3', message: { deviceid: 'three' }, password: undefined },
    ]);
    after.ended('node', '1');
    after.forget('node');
    after.forget('other');
    assert.equal(before['passwords'].size, 3, 'no secret stays in memory behind its set-up');
    await after.settled();
    assert.deepEqual(await readdir(join(folder, 'set-ups')), []);
  });

  it('reads files from before they named their format, and leaves out what it cannot read', async () => {
    const told: string[] = [];
    const tell = (text: string): void => void told.push(text);
    await mkdir(join(folder, 'set-ups'));
    await writeFile(join(folder, 'set-ups', 'old.json'), '[{"id":"1","message":{"a":1}}]');
    assert.deepEqual(new PendingSetUps(folder, tell).left('old'), [
      { id: '1', message: { a: 1 }, password: undefined },
    ]);
    assert.deepEqual(told, []);
    const file = '{"format":"sonota-set-ups/1","setUps":[null,{"id":7},{"id":"1","message":{"a":1}}]}';
    await writeFile(join(folder, 'set-ups', 'old.json'), file);
    assert.equal(new PendingSetUps(folder, tell).left('old').length, 1);
    assert.equal(told.length, 1, told.join('\n'));
  });

  it('writes nowhere else, whatever a node is called', async () => {
    const kept = new PendingSetUps(folder);
    kept.began('../escape', { id: '1', message: {} });
    await kept.settled();
    assert.deepEqual(await readdir(folder), []);
    assert.equal(kept.left('../escape').length, 1);
    assert.deepEqual(new PendingSetUps(undefined).left('node'), []);
  });
});
