import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adoptFormerSetUps } from '../../lib/flash/host/former-set-ups';
import { FlashHost } from '../../lib/flash/host/host';
import { ON_LOOPBACK } from './bench';
import { processFolder } from '../shared/process-folder';

const ownFolder = processFolder('set-ups');

describe('flash/host/former-set-ups', () => {
  let folder: string;
  const hosts: FlashHost[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(ownFolder, 'set-ups-'));
    await mkdir(join(folder, 'set-ups'));
  });
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
  });

  const files = (): Promise<string[]> => readdir(join(folder, 'set-ups'));
  async function stored(nodeId: string, content: string): Promise<void> {
    await writeFile(join(folder, 'set-ups', `${nodeId}.json`), content);
  }

  /** A host as a process has it after a restart, and what it says. */
  function restarted(): { host: FlashHost; told: string[] } {
    const host = new FlashHost(ON_LOOPBACK, folder, 'host');
    const told: string[] = [];
    host.prepare();
    host.log = (_level, line) => void told.push(line);
    hosts.push(host);
    return { host, told };
  }

  function leftFor(host: FlashHost, nodeId: string): unknown[] {
    return host.runs.pending.claim(nodeId).map(({ pending: { id, stage, message } }) => ({ id, stage, message }));
  }

  it('are given to their node, and stored with the messages of its host before their file is away', async () => {
    const setUps = [
      { id: '1', message: { deviceid: 'one', mine: { type: 'Buffer', data: [120] } } },
      { id: '2', message: { deviceid: 'two' } },
    ];
    await stored('node', JSON.stringify({ format: 'sonota-set-ups/1', setUps }));
    await stored('other', JSON.stringify({ format: 'sonota-set-ups/1', setUps: [{ id: '3', message: {} }] }));
    const { host } = restarted();
    const wanted = [
      { id: '1', stage: 'tasmota', message: { deviceid: 'one', mine: Buffer.from('x') } },
      { id: '2', stage: 'tasmota', message: { deviceid: 'two' } },
    ];
    const away = adoptFormerSetUps(host, folder, 'node');
    assert.deepEqual(leftFor(host, 'node'), wanted, 'before the flows run');
    await away;
    assert.deepEqual(await files(), ['node.json.old', 'other.json']);
    assert.deepEqual(leftFor(restarted().host, 'node'), wanted, 'the process was killed meanwhile');
  });

  it('are the same ones where the process ended before their file was away', async () => {
    const content = '{"format":"sonota-set-ups/1","setUps":[{"id":"1","message":{"a":1}}]}';
    await stored('node', content);
    await adoptFormerSetUps(restarted().host, folder, 'node');
    await stored('node', content);
    const { host } = restarted();
    await adoptFormerSetUps(host, folder, 'node');
    assert.equal(leftFor(host, 'node').length, 1);
  });

  it('are given to their node though their file cannot be put away, which is logged', async () => {
    await stored('node', '{"format":"sonota-set-ups/1","setUps":[{"id":"1","message":{"a":1}}]}');
    await mkdir(join(folder, 'set-ups', 'node.json.old'));
    const { host, told } = restarted();
    await adoptFormerSetUps(host, folder, 'node');
    assert.deepEqual(leftFor(host, 'node'), [{ id: '1', stage: 'tasmota', message: { a: 1 } }]);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /EISDIR.*node\.json\.old/);
  });

  it('are read from before their files named a format, and without what cannot be read', async () => {
    await stored('oldest', '[{"id":"1","message":{"a":1}}]');
    await stored('damaged', '{"format":"sonota-set-ups/1","setUps":[null,{"id":7},{"id":"2","message":{"a":1}}]}');
    await stored('empty', '{"format":"sonota-set-ups/1","setUps":[]}');
    const { host, told } = restarted();
    for (const node of ['oldest', 'empty', 'none']) await adoptFormerSetUps(host, folder, node);
    assert.deepEqual(told, []);
    await adoptFormerSetUps(host, folder, 'damaged');
    assert.equal(told.length, 1, told.join('\n'));
    assert.deepEqual([leftFor(host, 'oldest').length, leftFor(host, 'damaged').length], [1, 1]);
    assert.deepEqual(await files(), ['damaged.json.broken', 'damaged.json.old', 'empty.json.old', 'oldest.json.old']);
  });

  it('are looked for nowhere else, whatever a node is called', async () => {
    await writeFile(join(folder, 'escape.json'), '[{"id":"1","message":{}}]');
    const { host } = restarted();
    await adoptFormerSetUps(host, folder, '../escape');
    assert.deepEqual(leftFor(host, '../escape'), []);
    assert.ok((await readdir(folder)).includes('escape.json'));
  });
});
