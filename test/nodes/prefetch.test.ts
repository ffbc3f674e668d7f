import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import { libraryOf } from '../../nodes/shared/library';
import { endTimers } from '../shared/ended-timers';
import type { Flow } from '../shared/node-red';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { digestOf } from '../../lib/image';
import { Bed, freePorts } from './bed';
import { wording } from '../../lib/wordings/wording';

const AT = { x: 100, y: 100, wires: [[], []] };
const IMAGES: Readonly<Record<string, Buffer>> = {
  '/user1': makeUserImage({ slot: 1, size: 24_576 }),
  '/user2': makeUserImage({ slot: 2, size: 24_576 }),
  '/final': makeFinalImage({ size: 40_960 }),
};

const imageAt = (role: string): Buffer => IMAGES[`/${role}`] as Buffer;

describe('nodes: images behind a deploy', () => {
  const http = useHttpServers();
  let bed: Bed | undefined;
  let requests: string[] = [];
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
    requests = [];
  });

  async function serve(): Promise<string> {
    return await http.serve((request, response) => {
      requests.push(request.url ?? '');
      response.end(IMAGES[request.url ?? '']);
    });
  }

  /** Each line of Node-RED's log from now on, with its level. */
  function logOf({ RED }: Bed): string[] {
    const lines: string[] = [];
    const emit = (_event: string, { level, msg }: { level: number; msg: unknown }): number =>
      lines.push(`${level === RED?.log.WARN ? 'warn' : level === RED?.log.INFO ? 'info' : level}: ${String(msg)}`);
    RED?.log.addHandler({ emit } as never);
    return lines;
  }

  /** A firmware of a server, and the nodes that use it. */
  async function flowOf(base: string, more: { bind?: string; firmware?: object } = {}): Promise<Flow> {
    const numbers = Object.fromEntries(Object.entries(await freePorts()).map(([name, port]) => [name, String(port)]));
    const named = Object.fromEntries(Object.keys(IMAGES).map((path) => [path.slice(1), base + path]));
    const digests = Object.fromEntries(Object.entries(IMAGES).map(([path, bytes]) => [path.slice(1), digestOf(bytes)]));
    return [
      { id: 'tab', type: 'tab', label: 'tab' },
      { id: 'off', type: 'tab', label: 'off', disabled: true },
      { id: 'host', type: 'sonota-host', name: '', bind: more.bind ?? '', address: '127.0.0.1', ...numbers },
      { id: 'firmware', type: 'sonota-firmware', name: '', ...named, digests, ...more.firmware },
      { id: 'flash', type: 'sonota-flash', z: 'tab', ...AT, name: '', host: 'host', firmware: 'firmware' },
      { id: 'serve', type: 'sonota-ota-serve', z: 'tab', ...AT, name: '', host: 'host', firmware: 'firmware' },
    ];
  }

  /** Until the node before it in the line has had its turn: they have it one after another. */
  async function shown(id: string, text: string): Promise<object> {
    return await bed!.status(id, (status) => status.text === text);
  }

  it('are fetched and examined once for all nodes, and nothing is said of it', async () => {
    bed = await Bed.load([]);
    // A node that cannot get its images has its turn behind the others, and reports that.
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const node = { id: 'last', type: 'sonota-flash', z: 'tab', ...AT, name: '', host: 'host' };
    const firmware = { id: 'away', type: 'sonota-firmware', name: '', final: `${nobody}/final`, digests: {} };
    await bed.deploy([...(await flowOf(await serve())), firmware, { ...node, firmware: 'away' }]);
    await shown('last', 'fetch-failed');
    assert.deepEqual(requests.sort(), Object.keys(IMAGES).sort());
    assert.equal(bed.shown('flash')?.text, 'idle');
    assert.equal(bed.shown('serve')?.text, 'idle');
  });

  it('are those alone that the way of the firmware into the flash needs', async () => {
    bed = await Bed.load([]);
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const base = await serve();
    const more = { intermediate: 'one-hop', user1: `${nobody}/user1`, user2: `${nobody}/user2` };
    const flow = (await flowOf(base, { firmware: more })).filter(({ id }) => id !== 'serve');
    const node = { id: 'last', type: 'sonota-flash', z: 'tab', ...AT, name: '', host: 'host' };
    const firmware = { id: 'away', type: 'sonota-firmware', name: '', final: `${nobody}/final`, digests: {} };
    await bed.deploy([...flow, firmware, { ...node, firmware: 'away' }]);
    await shown('last', 'fetch-failed');
    assert.deepEqual([requests, bed.shown('flash')?.text], [['/final'], 'idle']);
  });

  it('show in yellow what cannot be reached, and in one line of the log', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(await flowOf(nobody));
    const logged = logOf(bed);
    assert.deepEqual(await shown('flash', 'fetch-failed'), { fill: 'yellow', shape: 'ring', text: 'fetch-failed' });
    await shown('serve', 'fetch-failed');
    const ofNobody = (): string[] => logged.filter((line) => line.includes(nobody));
    assert.equal(ofNobody().length, 1, logged.join('\n'));
    assert.match(ofNobody()[0] ?? '', /^info: /);
    const from = bed.statuses.length;
    await bed.deploy(await flowOf(nobody));
    await bed.status('serve', ({ text }) => text === 'fetch-failed', from);
    assert.equal(ofNobody().length, 2, 'each deploy has its line');
  });

  it('show in red what no other try will mend, with a warning; nothing where no image is named', async () => {
    const base = await serve();
    const digests = Object.fromEntries(['user1', 'user2', 'final'].map((role) => [role, digestOf(imageAt(role))]));
    const broken = { final: `${base}/user1`, digests: { ...digests, final: digests['user1'] } };
    bed = await Bed.load(await flowOf(base, { firmware: { final: '' } }));
    const logged = logOf(bed);
    await bed.deploy(await flowOf(base, { firmware: broken }));
    const status = await bed.status('serve', ({ text }) => text.startsWith('image-') || text.startsWith('digest-'));
    assert.deepEqual([status.fill, status.shape, status.text], ['red', 'ring', 'image-invalid']);
    assert.equal(logged.filter((line) => line.startsWith('warn: ')).length, 1, logged.join('\n'));
    assert.ok(!bed.statuses.some(({ status: { text } }) => text === 'firmware-missing'));
  });

  for (const [what, status, level] of [
    ['that they are not there', 404, 'info'],
    ['that they are no images', 200, 'warn'],
  ] as const) {
    it(`are not shown in place of what a node is at: ${what}`, async () => {
      let refuse: (() => void) | undefined;
      const base = await http.serve((_, response) => {
        refuse = () => void response.writeHead(status).end('no image');
        asked.emit('asked');
      });
      const asked = new EventEmitter();
      const flow = await flowOf(base);
      bed = await Bed.load([]);
      const logged = logOf(bed);
      const isAsked = once(asked, 'asked');
      await bed.deploy(flow.filter(({ id }) => id !== 'flash'));
      await isAsked;
      const answer = refuse;
      bed.send('serve', { deviceid: '1000a1b2c3', firmware: 'no matter' });
      await bed.status('serve', ({ fill }) => fill === 'blue');
      answer?.();
      const isSaid = (line: string): boolean => line.startsWith(`${level}: The `) && line.includes('image');
      while (!logged.some(isSaid)) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(bed.shown('serve')?.fill, 'blue');
      bed.send('serve', { cancel: true });
      await bed.doneBy('serve', 2);
    });
  }

  it('show in yellow that they do not come within two minutes', async () => {
    const base = await http.serve(() => undefined);
    bed = await Bed.load([]);
    const logged = logOf(bed);
    const restore = endTimers(120_000);
    try {
      await bed.deploy((await flowOf(base)).filter(({ id }) => id !== 'flash'));
      const status = await bed.status('serve', ({ text }) => text !== 'idle');
      assert.deepEqual(status, { fill: 'yellow', shape: 'ring', text: 'fetch-stalled' });
    } finally {
      restore();
    }
    assert.ok(
      logged.some((line) => line.startsWith('info: ') && line.includes(base)),
      logged.join('\n'),
    );
  });

  it('are not looked for where the form of the firmware cannot be read, which a message reports', async () => {
    bed = await Bed.load([]);
    const logged = logOf(bed);
    await bed.deploy(await flowOf(await serve(), { firmware: { final: '${SONOTA_TEST_NO_SUCH_VARIABLE}' } }));
    const isError = (line: string): boolean => line.startsWith(`${bed?.RED?.log.ERROR}: `);
    assert.deepEqual([logged.filter(isError), requests], [[], []]);
    assert.equal(bed.shown('serve')?.text, 'idle');
    bed.send('serve', { deviceid: '1000a1b2c3' });
    const [error] = await bed.doneBy('serve');
    assert.equal((error as { code?: string }).code, 'variable-unset');
  });

  it('are left alone on a disabled tab, and for a rehearsal', async () => {
    const base = await serve();
    const flow = await flowOf(base);
    const off = flow.map((node) => ('z' in node ? { ...node, z: 'off' } : node));
    bed = await Bed.load(off);
    await bed.deploy(await flowOf(base, { bind: '127.0.0.1' }));
    await bed.deploy(await flowOf(base, { firmware: { user1: 'rehearsal:', user2: 'rehearsal:' } }));
    const nobody = `http://127.0.0.1:${await freePort()}`;
    await bed.deploy(await flowOf(nobody));
    await shown('serve', 'fetch-failed');
    assert.deepEqual(requests, []);
  });

  it('are let go by a deploy in the middle of a fetch, and nothing is said of it', async () => {
    const asked = new EventEmitter();
    const base = await http.serve(() => asked.emit('asked'));
    bed = await Bed.load([]);
    const logged = logOf(bed);
    const flow = (await flowOf(base)).filter(({ id }) => id !== 'flash');
    for (const _ of [1, 2]) {
      const isAsked = once(asked, 'asked');
      await bed.deploy(flow);
      // The second node has its turn when the first one has let go.
      await isAsked;
    }
    assert.deepEqual(
      logged.filter((line) => line.includes('cancelled') || line.includes(base)),
      [],
    );
    assert.ok(bed.statuses.every(({ id, status }) => id !== 'serve' || status.text === 'idle'));
  });

  it('never confirm a digest', async () => {
    const source = 'catalog:tasmota-lite-8.5.0';
    bed = await Bed.load([]);
    assert.ok(bed.RED);
    const { store } = libraryOf(bed.RED);
    const bytes = IMAGES['/final'] as Buffer;
    const sha256 = await store.keep(bytes, source, wording('image-final'));
    await store.note(source, { sha256, isConfirmed: false });
    await bed.deploy(await flowOf(await serve(), { firmware: { final: source, digests: {} } }));
    const inYellow = { fill: 'yellow', shape: 'ring', text: 'digest-unconfirmed' };
    assert.deepEqual(await shown('flash', 'digest-unconfirmed'), inYellow);
    assert.equal((await store.known(source))?.isConfirmed, false);
    // Nor does an address that stands in a form vouch for itself.
    const from = bed.statuses.length;
    await bed.deploy(await flowOf(await serve(), { firmware: { digests: {} } }));
    await bed.status('serve', ({ text }) => text === 'digest-unconfirmed', from);
  });
});
