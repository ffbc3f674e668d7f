import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { makeFinalImage } from '../../lib/image';
import type { HostNode } from '../../nodes/shared/hosts';
import { libraryOf } from '../../nodes/shared/library';
import type { Flow } from '../shared/node-red';
import { useAdminServer } from './admin-server';
import { Bed, freePorts } from './bed';
import { wording } from '../../lib/wordings/wording';

const AT = { z: 'tab', x: 100, y: 100 };
const USES = [
  'form',
  'environment',
  'disabled',
  'failed job',
  'failed job of a message',
  'ended job',
  'queue',
  'ended queue',
  'message',
  'nothing',
] as const;

describe('nodes: which kept images are in use', () => {
  let bed: Bed;
  const kept = {} as Record<(typeof USES)[number], string>;

  useAdminServer();
  beforeEach(async () => {
    const numbers = Object.fromEntries(Object.entries(await freePorts()).map(([name, port]) => [name, String(port)]));
    const host = { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ...numbers };
    bed = await Bed.load([host]);
    const { store } = library();
    for (const [seed, use] of USES.entries())
      kept[use] = await store.keep(makeFinalImage({ seed }), use, wording('image-final'));
    await bed.deploy([host, ...flow()]);
  });
  afterEach(() => bed.unload());

  function library(): ReturnType<typeof libraryOf> {
    assert.ok(bed.RED);
    return libraryOf(bed.RED);
  }

  function flow(): Flow {
    const firmware = { type: 'sonota-firmware', name: '', user1: '', user2: '', intermediate: '', digests: {} };
    const env = [{ name: 'IMAGE', type: 'env', value: 'SONOTA_TEST_IMAGE' }];
    process.env['SONOTA_TEST_IMAGE'] = `store:${kept.environment}`;
    return [
      { id: 'tab', type: 'tab', label: 'images', env },
      { id: 'off', type: 'tab', label: 'off', disabled: true },
      { ...firmware, id: 'firmware', final: `store:${kept.form}` },
      { ...firmware, id: 'by-environment', z: 'tab', final: '${IMAGE}' },
      { ...firmware, id: 'unreadable', final: '${SONOTA_TEST_NO_SUCH_VARIABLE}' },
      { id: 'sink', type: 'sink', z: 'off', x: 100, y: 100, info: `for store:${kept.disabled}`, wires: [] },
      {
        id: 'cloud',
        type: 'sonota-cloud-emulator',
        ...AT,
        name: '',
        host: 'host',
        every: false,
        timeout: '',
        wires: [[], []],
      },
    ];
  }
  after(() => {
    delete process.env['SONOTA_TEST_IMAGE'];
  });

  it('are those that flows, unfinished jobs, queues and waiting messages name; the rest may go', async () => {
    const { jobs, queue } = (bed.node('host') as HostNode).flashHost;
    for (const [deviceid, use] of [
      ['1000000001', 'failed job'],
      ['1000000002', 'ended job'],
      ['1000000003', 'failed job of a message'],
    ] as const) {
      const job = jobs.jobFor('newfirmware', deviceid);
      const bytes = await library().store.read(kept[use]);
      assert.ok(bytes);
      // A message that brings the bytes leaves their digest alone.
      const final = use === 'failed job of a message' ? bytes : `store:${kept[use]}`;
      const sources = { user1: 'rehearsal:user1', user2: 'rehearsal:user2', final };
      const signal = new AbortController().signal;
      job.firmware = await loadFirmware(sources, { library: library(), signal, limitMs: 600_000 });
      if (use === 'ended job') job.leave('newfirmware');
      else job.fail('cancelled');
    }
    queue.pause();
    queue.add({ firmware: { final: `store:${kept.queue}` } });
    const ended = { round: 1, state: 'done', attempts: 1, earlierAttempts: 0, start: 'beginning' } as const;
    const message = { firmware: { final: `store:${kept['ended queue']}` } };
    queue.restore({ isPaused: true, entries: [{ ...ended, id: 'ended', message }] });
    bed.send('cloud', { deviceid: '1000000004', firmware: { final: `store:${kept.message}` } });
    await bed.status('cloud', ({ text }) => text !== 'idle');

    const { body } = await helper.request().get('/sonota/firmware/images').expect(200);
    const { store } = body as { store: { sha256: string; isUsed: boolean; origins: string[] }[] };
    const free: (typeof USES)[number][] = ['ended job', 'ended queue', 'nothing'];
    const isFree = ({ isUsed }: { isUsed: boolean }): boolean => !isUsed;
    assert.deepEqual(
      store
        .filter(isFree)
        .flatMap(({ origins }) => origins)
        .sort(),
      free,
    );

    const digests = store.map(({ sha256 }) => sha256);
    const answer = await helper.request().post('/sonota/firmware/prune').send({ digests }).expect(200);
    assert.deepEqual((answer.body as { removed: string[] }).removed.sort(), free.map((use) => kept[use]).sort());
    const left = (await library().store.list()).flatMap(({ origins }) => origins);
    assert.deepEqual(left.sort(), USES.filter((use) => !free.includes(use)).sort());
  });
});
