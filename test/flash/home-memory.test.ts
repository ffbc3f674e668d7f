import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeNetworkIn } from '../../lib/flash/host/home-memory';

describe('flash/home-memory', () => {
  const folders: string[] = [];
  const told: string[] = [];
  const tell = (text: string): void => void told.push(text);
  const newFolder = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-home-'));
    folders.push(folder);
    return folder;
  };
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  /** A Node-RED that has just started is another process: a folder that this one has never seen. */
  const rememberedOf = async (content: string): Promise<string | undefined> => {
    const folder = await newFolder();
    await writeFile(join(folder, 'home-address.json'), content);
    return homeNetworkIn(folder, tell).current;
  };

  it('knows the address of an earlier run before it has looked, and nothing else', async () => {
    assert.equal(await rememberedOf('{"address":"203.0.113.7"}'), '203.0.113.7');
    assert.equal(await rememberedOf('{"address":"10.10.7.2"}'), undefined);
    const folder = await newFolder();
    const last = { address: '203.0.113.7', name: 'enx-0123456789' };
    await writeFile(join(folder, 'home-address.json'), JSON.stringify({ format: 'sonota-home-address/1', ...last }));
    assert.deepEqual(homeNetworkIn(folder, tell).choice, { home: last, reason: 'remembered' });
    assert.deepEqual(told, []);
    const newer = '{"format":"sonota-home-address/2","address":"203.0.113.7"}';
    for (const content of ['{"address":"no"}', '{"address":7}', newer, '[]', 'null', '{', '']) {
      assert.equal(await rememberedOf(content), undefined, content);
      assert.equal(told.splice(0).length, 1, content);
    }
    assert.equal(homeNetworkIn(await newFolder(), tell).current, undefined);
  });

  it('writes down each address that it finds, for this user only', async () => {
    const folder = await newFolder();
    const home = homeNetworkIn(folder, tell);
    assert.equal(homeNetworkIn(folder, tell), home, 'one for all hosts');
    assert.equal(homeNetworkIn(undefined, tell), homeNetworkIn(undefined, tell), 'of those that store nothing, too');
    home.emit('changed', { address: '203.0.113.8', name: 'eth0' });
    const path = join(folder, 'home-address.json');
    const written = async (): Promise<string> => {
      for (;;) {
        try {
          return readFileSync(path, 'utf8');
        } catch {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    };
    assert.deepEqual(JSON.parse(await written()), {
      format: 'sonota-home-address/1',
      address: '203.0.113.8',
      name: 'eth0',
    });
    assert.deepEqual(told, []);
  });
});
