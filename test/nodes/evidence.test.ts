import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { nodeRedFolder, type Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { Bed, freePorts } from './bed';

const AT = { z: 'tab', x: 100, y: 100 };
const DEVICE = '1000a1b2c3';

function flowOf(ports: object): Flow {
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
      timeout: '0.3',
      wires: [[], []],
    },
    { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'sink', ...AT, wires: [] },
  ];
}

describe('nodes: the evidence of a job', function () {
  this.timeout(10_000);
  let bed: Bed | undefined;

  before((done) => {
    helper.init(require.resolve(nodeRedFolder()));
    helper.startServer(done);
  });
  after((done) => {
    helper.stopServer(done);
  });
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  it('is listed with its verdict, and downloaded as lines without the Wi-Fi or the whole id', async () => {
    bed = await Bed.load(flowOf(await freePorts()), { host: { password: 'top secret' } });
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
    const answer = await helper
      .request()
      .get(`/sonota/host/host/jobs/${job.id}/evidence`)
      .buffer(true)
      .parse(asText)
      .expect(200);
    assert.match(
      String(answer.headers['content-disposition']),
      /^attachment; filename="sonota-b2c3-\d{4}-\d\d-\d\d\.jsonl"$/,
    );
    const text = answer.body as string;
    const [header, ...lines] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const versions = header?.['versions'] as Record<string, string>;
    assert.ok(versions['node-red']);
    assert.match(versions['@sonota/node-red'] ?? '', /^\d+\.\d+/);
    assert.equal((header?.['verdict'] as { code: string }).code, 'nothing-arrived');
    assert.deepEqual(
      lines.map(({ kind, event }) => [kind, event]),
      [
        ['stage', 'began'],
        ['stage', 'over'],
        ['stage', 'failed'],
      ],
    );
    for (const secret of [DEVICE, 'my home', 'top secret']) assert.ok(!text.includes(secret), secret);
  });

  it('is not there for a job or a host that is not there', async () => {
    bed = await Bed.load(flowOf(await freePorts()));
    await helper.request().get('/sonota/host/nobody/jobs').expect(404);
    await helper.request().get('/sonota/host/cloud/jobs').expect(404);
    await helper.request().get('/sonota/host/host/jobs/nothing/evidence').expect(404);
    assert.deepEqual((await helper.request().get('/sonota/host/host/jobs').expect(200)).body, []);
  });

  it('switches a virtual device on that does it again, and refuses what is no evidence', async () => {
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

function asText(answer: unknown, done: (error: Error | null, body: string) => void): void {
  const response = answer as NodeJS.ReadableStream;
  let text = '';
  response.on('data', (part: Buffer) => (text += part.toString('utf8')));
  response.on('end', () => done(null, text));
}
