import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { explain } from '../../lib/errors';
import { wording } from '../../lib/wordings/wording';
import type { HostNode } from '../../nodes/shared/hosts';
import type { Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { closeAll, RawClient } from '../server/serving';
import { DEVICE_ID, FACTORY_KEY, WebSocketDevice } from '../server/websocket-device';
import { useAdminServer } from './admin-server';
import { Bed, freePorts } from './bed';

const AT = { z: 'tab', x: 100, y: 100 };
const DEVICE = '1000a1b2c3';

function flowOf(ports: object, timeout = '20'): Flow {
  return [
    { id: 'tab', type: 'tab', label: 'evidence' },
    {
      id: 'host',
      type: 'sonota-host',
      name: '',
      bind: '127.0.0.1',
      address: '127.0.0.1',
      ssid: 'my home',
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    },
    {
      id: 'cloud',
      type: 'sonota-cloud-emulator',
      ...AT,
      name: '',
      host: 'host',
      every: false,
      timeout,
      wires: [['ready'], []],
    },
    { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'sink', ...AT, wires: [] },
    { id: 'ready', type: 'sink', ...AT, wires: [] },
  ];
}

describe('nodes: the evidence of a job', () => {
  let bed: Bed | undefined;

  useAdminServer();
  afterEach(async () => {
    await closeAll();
    await bed?.unload();
    bed = undefined;
  });

  it('is listed with its verdict, and downloaded as lines', async () => {
    bed = await Bed.load(flowOf(await freePorts(), '0.3'));
    bed.send('cloud', { deviceid: DEVICE });
    assert.equal((await bed.at('caught')).error?.code, 'nothing-arrived');
    const { body } = await helper.request().get('/sonota/host/host/jobs').expect(200);
    const [job] = body as {
      id: string;
      deviceid: string;
      verdict: { code: string; confidence: string; text: string };
    }[];
    assert.equal(job?.deviceid, DEVICE);
    assert.equal(job.verdict.code, 'nothing-arrived');
    assert.equal(job.verdict.confidence, 'likely');
    const { text, name } = await download(job.id);
    assert.match(name, /^attachment; filename="sonota-b2c3-\d{4}-\d\d-\d\d\.jsonl"$/);
    const [header, ...lines] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const report = { model: 'unknown', firmware: 'unknown', method: 'unknown', outcome: 'nothing-arrived' };
    const { seconds, ...told } = header?.['report'] as Record<string, unknown>;
    assert.deepEqual([told, Object.keys(seconds as object)], [report, ['cloud']]);
    const versions = header?.['versions'] as Record<string, string>;
    const { version = 'unknown' } = bed.RED?.settings as { version?: string };
    assert.equal(versions['node-red'], version);
    assert.match(versions['@sonota/node-red'] ?? '', /^\d+\.\d+/);
    const { node, openssl, system } = versions;
    const own = [process.version, process.versions.openssl, `${process.platform} ${process.arch}`];
    assert.deepEqual([node, openssl, system], own);
    assert.equal((header?.['verdict'] as { code: string }).code, 'nothing-arrived');
    assert.deepEqual(
      lines.map(({ kind, event }) => [kind, event]),
      [
        ['stage', 'began'],
        ['addresses', undefined],
        ['stage', 'over'],
        ['stage', 'failed'],
      ],
    );
    assert.ok(!text.includes(DEVICE), 'the whole id');
  });

  it('is downloaded under a name of its own where no device is known, and on the day on which the flash started', async () => {
    bed = await Bed.load(flowOf(await freePorts()));
    const { jobs } = (bed.node('host') as HostNode).flashHost;
    const { id, startedAt } = jobs.jobFor('finalstage', undefined);
    const { name } = await download(id);
    assert.equal(name, `attachment; filename="sonota-unknown-${startedAt.toISOString().slice(0, 10)}.jsonl"`);
    const { body } = await helper.request().get('/sonota/host/host/jobs').expect(200);
    const listed = JSON.parse(JSON.stringify({ id, ...jobs.byId(id)?.snapshot() })) as object;
    assert.deepEqual(body, [listed]);
  });

  it('shows no Wi-Fi, no key and no whole id, whatever the device states', async () => {
    const ports = await freePorts();
    bed = await Bed.load(flowOf(ports), { host: { password: 'top secret' } });
    bed.send('cloud', { deviceid: DEVICE_ID });
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    const { device } = await WebSocketDevice.open(await RawClient.to(ports.legacyPort));
    await device.register();
    const apikey = device.sessionKey;
    const params = { note: 'joined my home with top secret', staMac: '5C:CF:7F:00:11:22', id: DEVICE_ID };
    for (const request of [{ action: 'date' }, { action: 'update', params }, { action: 'query', params: ['timers'] }]) {
      device.say({ apikey, ...request });
      await device.answer();
    }
    await bed.at('ready');
    const { body } = await helper.request().get('/sonota/host/host/jobs').expect(200);
    const { text } = await download((body as { id: string }[])[0]?.id ?? '');
    assert.match(text, /joined … with …/);
    for (const secret of ['my home', 'top secret', FACTORY_KEY, apikey, DEVICE_ID, '00:11:22']) {
      assert.ok(!text.includes(secret), secret);
    }
  });

  it('is not there for a job or a host that is not there', async () => {
    bed = await Bed.load(flowOf(await freePorts()));
    for (const [path, reason] of [
      ['nobody/jobs', 'host-gone'],
      ['cloud/jobs', 'host-gone'],
      ['host/jobs/nothing/evidence', 'flash-gone'],
      ['nobody/jobs/nothing/evidence', 'flash-gone'],
    ] as const) {
      const { body } = await helper.request().get(`/sonota/host/${path}`).expect(404);
      const message = explain('not-possible', { reason: wording(reason) });
      assert.deepEqual(body, { code: 'not-possible', message }, path);
    }
    assert.deepEqual((await helper.request().get('/sonota/host/host/jobs').expect(200)).body, []);
  });

  it('switches a virtual device on that replays it, and rejects what is no evidence', async () => {
    const apPort = await freePort();
    const virtual = {
      apAddress: '',
      apPort: String(apPort),
      deviceid: '',
      model: '',
      romVersion: '',
      transport: 'range',
    };
    bed = await Bed.load([
      { id: 'tab', type: 'tab', label: 'virtual' },
      {
        id: 'virtual',
        type: 'sonota-virtual-device',
        ...AT,
        name: '',
        ...virtual,
        slot: '1',
        fault: '',
        speed: '100',
        wires: [['out']],
      },
      { id: 'out', type: 'sink', ...AT, wires: [] },
      { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
      { id: 'caught', type: 'sink', ...AT, wires: [] },
    ]);
    bed.send('virtual', { evidence: 'no bundle' });
    const caught = await bed.at('caught');
    assert.match(caught.error?.message ?? '', /no evidence bundle/);
    bed.send('virtual', {
      evidence: Buffer.from('{"bundle":1}\n{"kind":"dispatched","via":"plain","model":"PSC-B01-GL"}\n'),
    });
    await bed.status('virtual', ({ fill }) => fill === 'blue');
  });
});

async function download(id: string): Promise<{ text: string; name: string }> {
  const request = helper.request().get(`/sonota/host/host/jobs/${id}/evidence`).buffer(true).parse(asText);
  request.expect('Content-Type', 'application/x-ndjson; charset=utf-8');
  const { body, headers } = await request.expect(200).expect('Cache-Control', 'no-store');
  return { text: body as string, name: String((headers as Record<string, unknown>)['content-disposition']) };
}

function asText(answer: unknown, done: (error: Error | null, body: string) => void): void {
  const response = answer as NodeJS.ReadableStream;
  let text = '';
  response.on('data', (part: Buffer) => (text += part.toString('utf8')));
  response.on('end', () => done(null, text));
}
