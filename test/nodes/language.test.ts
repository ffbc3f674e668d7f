import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES, explain, FlashError, sentencesOf, type ErrorCode } from '../../lib/errors';
import { REQUESTS } from '../../lib/flash/overview/last-request';
import type { QueueSnapshot } from '../../lib/flash/queue/queue-snapshot';
import { NOTE_CODES, noteText } from '../../lib/flash/verdict/notes';
import { makeUserImage, type Examination } from '../../lib/image';
import { PICTURE_TEXTS } from '../../lib/image/picture-texts';
import { PHRASES } from '../../lib/preflight/phrases';
import type { PreflightReport } from '../../lib/preflight/preflight';
import { PROGRESS_TEXTS, type ProgressText, type ProgressTextName } from '../../lib/progress-texts';
import { METHODS, REASONS } from '../../lib/protocol/recommendation';
import { WORDINGS } from '../../lib/wordings/table';
import { ADVICE } from '../../lib/image/finding';
import { fill, quoted, type WordingValues } from '../../lib/wordings/wording';
import type { Speaker } from '../../nodes/shared/asked-language';
import type { HostNode } from '../../nodes/shared/hosts';
import { forNodeRed, sharedTexts, type Texts } from '../../nodes/shared/texts';
import { translateError, translateReport, translateSentences, translateShared } from '../../nodes/shared/translate';
import { packageRoot } from '../shared/package-root';
import type { Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { Bed, freePorts, road } from './bed';

interface Catalogue {
  [key: string]: string | Catalogue;
}

/** A message that each node refuses; where it uses a host, because it has none. */
const REFUSED: Record<string, Record<string, unknown>> = {
  'sonota-flash': {},
  'sonota-provision': {},
  'sonota-cloud-emulator': {},
  'sonota-ota-serve': {},
  'sonota-finalstage-watch': {},
  'sonota-diy-flash': {},
  'sonota-new-firmware': {},
  'sonota-preflight': {},
  'sonota-queue': {},
  'sonota-wifi': { action: 'scan' },
  'sonota-tasmota-setup': {},
  'sonota-home-assistant': { topic: 'homeassistant/status', payload: 'online' },
  'sonota-virtual-device': { cancel: 'perhaps' },
  'sonota-image-doctor': { payload: 5 },
};

const german = JSON.parse(
  readFileSync(join(packageRoot(), 'dist/nodes/sonota-host/locales/de/sonota-host.json'), 'utf8'),
) as Catalogue;

/** As Node-RED looks a text up: the key of a missing one comes back. */
function translate(key: string, values: Record<string, unknown> = {}): string {
  const path = key.split(':').at(-1) ?? key;
  const text = path.split('.').reduce<Catalogue | string | undefined>((at, name) => {
    return typeof at === 'object' ? at[name] : undefined;
  }, german);
  return typeof text === 'string' ? text.replace(/__(\w+?)__/g, (_, name: string) => String(values[name])) : key;
}

/** What fills a sentence, in German. */
function spoken(values: WordingValues): Record<string, string | number> {
  const words = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === 'object' ? translate(`wordings.${value.code}`, spoken(value.values ?? {})) : value,
  ]);
  return Object.fromEntries(words) as Record<string, string | number>;
}

describe('nodes: the English catalogue', () => {
  it('has what is wrong with an image and what helps, each in its place', () => {
    const { findings } = sharedTexts() as Catalogue & { findings: Record<string, unknown> };
    const texts = Object.entries(ADVICE).map(([code, { what, remedy }]) => [code, forNodeRed({ what, remedy })]);
    assert.deepEqual(findings, Object.fromEntries(texts));
  });
});

describe('nodes: the language of a result', () => {
  let bed: Bed;
  afterEach(() => bed.unload());

  it('is that of Node-RED for what is said of the job, and for how it goes', async () => {
    const ports = await freePorts();
    bed = await Bed.load(
      road(ports, { cloud: { wires: [['cloud-out'], ['cloud-progress']] } }),
      {},
      undefined,
      translate,
    );
    const device = bed.device({ provisioned: { serverName: '127.0.0.1', port: ports.httpsPort } });
    bed.send('cloud', { deviceid: device.deviceid });
    const { text } = await bed.at('cloud-progress');
    const values = { deviceid: device.deviceid, address: '127.0.0.1' };
    assert.equal(text, translate('announcements.wait-for-device.text', values));
    await device.start();
    const { verdict } = (await bed.at('cloud-out')).sonota as { verdict: { code: string; text: string } };
    assert.equal(verdict.text, translate(`notes.${verdict.code}`));
    assert.notEqual(verdict.text, `notes.${verdict.code}`);
  });
});

describe('nodes: the language of what no message has asked for', () => {
  let bed: Bed;
  afterEach(() => bed.unload());

  /** Both sentences of an error, in German. */
  function inGerman(code: ErrorCode, values: Record<string, unknown> = {}): string {
    return ['what', 'remedy'].map((part) => translate(`errors.${code}.${part}`, values)).join(' ');
  }

  it('is that of Node-RED for a warning, and under a node whose progress is not wired', async () => {
    const ports = await freePorts();
    const flow = road(ports, { cloud: { wires: [[], []] } });
    bed = await Bed.load(flow, {}, undefined, translate);
    const device = bed.device({ provisioned: { serverName: '127.0.0.1', port: ports.httpsPort } });
    bed.send('cloud', { deviceid: device.deviceid });
    const { text } = await bed.status('cloud', ({ fill }) => fill === 'yellow');
    const label = translate('announcements.wait-for-device.label');
    assert.ok(text.startsWith(label) && label !== PROGRESS_TEXTS['wait-for-device'].label, text);
    const warned = once(bed.node('cloud'), 'call:warn') as Promise<[{ args: unknown[] }]>;
    await device.start();
    assert.equal((await warned)[0].args[0], inGerman('output-not-wired', { deviceid: device.deviceid, output: 1 }));
  });

  it('is that of Node-RED for a network that is lost, and for images that a deploy cannot fetch', async () => {
    const at = { z: 'tab', x: 100, y: 100, name: '', host: 'host', wires: [[], []] };
    const ports = { httpsPort: '0', legacyPort: '0', httpPort: '0', finalStagePort: '0' };
    const nobody = `http://127.0.0.1:${await freePort()}/final.bin`;
    const flow: Flow = [
      { id: 'tab', type: 'tab', label: 'language' },
      { id: 'host', type: 'sonota-host', name: '', bind: '0.0.0.0', address: '127.0.0.1', wifi: 'manual', ...ports },
      { id: 'join', type: 'sonota-wifi', ...at, action: 'join' },
    ];
    bed = await Bed.load(flow, {}, undefined, translate);
    const { wifiSession } = (bed.node('host') as HostNode).flashHost;
    const lost = new FlashError('wifi-lost', { ssid: 'home', reason: quoted('gone') });
    const warned = once(bed.node('join'), 'call:warn') as Promise<[{ args: unknown[] }]>;
    wifiSession.emit('ended', lost);
    assert.equal((await warned)[0].args[0], inGerman('wifi-lost', spoken(lost.values)));

    const lines: string[] = [];
    const emit = (_event: string, { msg }: { msg: unknown }): number => lines.push(String(msg));
    bed.RED?.log.addHandler({ emit } as never);
    await bed.deploy([...flow, { id: 'flash', type: 'sonota-flash', ...at, image: nobody }]);
    await bed.status('flash', ({ text }) => text === 'fetch-failed');
    const isGerman = (line: string): boolean => line.endsWith(translate('errors.fetch-failed.remedy'));
    assert.ok(lines.filter((line) => line.includes(nobody)).some(isGerman), lines.join('\n'));
  });

  it('is that of Node-RED for one of several messages that is cancelled', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(road(await freePorts(), { provision: { url } }), {}, undefined, translate);
    const home = { ssid: 'home', password: 'top secret' };
    bed.send('provision', { ...home, deviceid: '1000000001' });
    bed.send('provision', { ...home, deviceid: '1000000002' });
    await bed.status('provision', ({ text }) => text.endsWith('(+1)'));
    bed.send('provision', { cancel: true, deviceid: '1000000002' });
    assert.equal((await bed.at('caught')).error?.message, inGerman('cancelled'));
    assert.notEqual(bed.shown('provision')?.text, 'cancelled', 'the first one is at work still');
  });

  it('is that of Node-RED for all that Home Assistant gets', async () => {
    const [ID, OTHER] = ['1000a1b2c3', '1000000009'] as const;
    const at = { z: 'tab', x: 100, y: 100, name: '', host: 'host' };
    const ports = { httpsPort: '0', legacyPort: '0', httpPort: '0', finalStagePort: '0' };
    const sinks = ['mqtt', 'caught'].map((id) => ({ id, type: 'sink', ...at, wires: [] }));
    bed = await Bed.load(
      [
        { id: 'tab', type: 'tab', label: 'language' },
        {
          id: 'host',
          type: 'sonota-host',
          name: '',
          bind: '127.0.0.1',
          address: '127.0.0.1',
          wifi: 'manual',
          ...ports,
        },
        { id: 'ha', type: 'sonota-home-assistant', ...at, firmware: '', prefix: '', topic: '', wires: [['mqtt'], []] },
        { id: 'discover', type: 'sonota-discover', ...at, wires: [[], []] },
        { id: 'catch', type: 'catch', ...at, scope: ['ha'], uncaught: false, wires: [['caught']] },
        ...sinks,
      ],
      {},
      undefined,
      translate,
    );
    /** The first payload under a topic that holds a text. */
    const told = async (topic: string, text: string): Promise<void> => {
      const written = JSON.stringify(text).slice(1, -1);
      await bed.at('mqtt', (msg) => msg['topic'] === topic && String(msg.payload).includes(written));
    };
    bed.send('ha', { topic: 'sonota/status', payload: 'online' });
    await bed.at('mqtt', ({ topic }) => topic === 'sonota/state');
    bed.send('ha', { topic: '', payload: [{ ssid: `ITEAD-${ID}`, kind: 'stock', deviceid: ID }] });
    bed.send('ha', { topic: `sonota/set/install/${ID}`, payload: 'INSTALL' });
    const refused = inGerman('not-armed', { deviceid: ID });
    assert.equal((await bed.at('caught')).error?.message, refused);
    await told('sonota/event', refused);

    const { flashHost } = bed.node('host') as HostNode;
    const { jobs, runs } = flashHost;
    const job = jobs.jobFor('finalstage', ID);
    job.enter('finalstage');
    job.running = new AbortController();
    job.lastReport = { name: 'finalstage-again', values: {} };
    runs.emit('reported', job);
    const report = ['text', 'details'].map((part) => translate(`announcements.finalstage-again.${part}`));
    await told(`sonota/device/${ID}/state`, report.join(' '));
    job.running = undefined;
    const resting = jobs.jobFor('cloud', OTHER);
    resting.evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 60 });
    resting.enter('cloud');
    assert.equal(resting.snapshot().verdict?.code, 'on-course');
    await told(`sonota/device/${OTHER}/state`, translate('notes.on-course'));
    runs.refused({}, new FlashError('model-refused', { model: 'a model' }));
    await told('sonota/event', inGerman('model-refused', { model: 'a model' }));
    flashHost.trouble = new FlashError('port-in-use', { port: 1, bind: 'x', reason: quoted('y') });
    flashHost.emit('state');
    await told('sonota/state', inGerman('port-in-use', spoken(flashHost.trouble.values)));
    flashHost.trouble = undefined;
    bed.send('discover', { devices: [{ deviceid: ID, manufacturer: 'Sonoff', model: 'MINI', sw_version: '3.6.0' }] });
    await told('sonota/state', `${translate('methods.diy-button')}. `);
  });
});

describe('nodes: the language of an examined image, of a table of checks and of a queue', () => {
  let bed: Bed;
  afterEach(() => bed.unload());

  const at = { z: 'tab', x: 100, y: 100, name: '', host: 'host' };
  async function load(node: object): Promise<void> {
    const ports = { httpsPort: '0', legacyPort: '0', httpPort: '0', finalStagePort: '0' };
    const flow = [
      { id: 'tab', type: 'tab', label: 'language' },
      { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', wifi: 'manual', ...ports },
      { id: 'node', ...at, ...node },
      { id: 'out', type: 'sink', ...at, wires: [] },
    ] as Flow;
    bed = await Bed.load(flow, {}, undefined, translate);
  }

  it('is that of Node-RED for what the doctor finds, and in its picture', async () => {
    await load({ type: 'sonota-image-doctor', wires: [['out']] });
    bed.send('node', { payload: makeUserImage({ slot: 1 }), target: 'cloud-user2' });
    const { payload, text, picture } = await bed.at('out');
    const [finding] = (payload as Examination).findings;
    assert.ok(finding);
    const [what, remedy] = ['what', 'remedy'].map((part) =>
      translate(`errors.${finding.code}.${part}`, spoken(finding.values)),
    );
    assert.deepEqual([finding.text, finding.remedy], [what, remedy]);
    assert.ok(String(text).endsWith(` ${what} ${remedy}`), String(text));
    assert.ok(String(picture).includes(translate('picture.title')), String(picture));
  });

  it('is that of Node-RED for what a check finds', async () => {
    await load({ type: 'sonota-preflight', wires: [['out']] });
    bed.send('node');
    const { checks } = (await bed.at('out')).payload as PreflightReport;
    const { remedy } = checks.find(({ code }) => code === 'wifi-credentials-missing') ?? {};
    assert.equal(remedy, translate('errors.wifi-credentials-missing.remedy'));
  });

  it('is that of Node-RED for how a flash of the queue failed', async () => {
    await load({ type: 'sonota-queue', wires: [[], [], ['out']] });
    bed.send('node', { deviceid: '1000a1b2c3' });
    const { payload } = await bed.at('out', (msg) => (msg.payload as QueueSnapshot).failed === 1);
    const [entry] = (payload as QueueSnapshot).entries;
    const [what, remedy] = ['what', 'remedy'].map((part) => translate(`errors.queue-not-wired.${part}`, { output: 1 }));
    assert.equal(entry?.text, `${what} ${remedy}`);
  });
});

describe('nodes: the texts of all nodes', () => {
  /** Looks texts up as Node-RED does in English, and notes those that are not there. */
  const missing: string[] = [];
  const texts = sharedTexts();
  const english: Speaker = {
    _: (key: string, values: Record<string, unknown> = {}) => {
      // A code may have dots of its own, as `version-2.6` has.
      const [, table = '', code = '', part] = /:(\w+)\.(.+?)(?:\.(what|remedy|label|text|details))?$/.exec(key) ?? [];
      const entry = (texts[table] as Texts | undefined)?.[code];
      const text = part !== undefined && typeof entry === 'object' ? entry[part] : entry;
      if (typeof text !== 'string') missing.push(key);
      return typeof text === 'string'
        ? text.replace(/__(\w+?)__/g, (whole, name: string) =>
            Object.hasOwn(values, name) ? String(values[name]) : whole,
          )
        : key;
    },
  };

  it('are found where they are looked up, and are in English those of the tables', () => {
    for (const code of ERROR_CODES) {
      const error = new FlashError(code);
      assert.deepEqual(translateSentences(english, error), sentencesOf(code, {}), code);
      assert.equal(translateError(english, error).message, error.message);
    }
    for (const [name, { label, text, details }] of Object.entries(PROGRESS_TEXTS as Record<string, ProgressText>)) {
      const report = { name: name as ProgressTextName, values: {}, label, text, ...(details && { details }) };
      const written = (part: string): string => part.replace(/\{(\w+)\}/g, '__$1__');
      assert.deepEqual(translateReport(english, report), {
        ...report,
        ...{ label: written(label), text: written(text), ...(details && { details: written(details) }) },
      });
    }
    for (const [part, texts] of [
      ['methods', METHODS],
      ['reasons', REASONS],
      ['requests', REQUESTS],
      ['picture', PICTURE_TEXTS],
      ['checks', PHRASES],
      ['wordings', WORDINGS],
    ] as const) {
      for (const [name, text] of Object.entries(texts)) {
        const filled = translateShared(english, `${part}.${name}`, text).replace(/__\w+?__/g, '?');
        assert.equal(filled, fill(text, {}), `${part}.${name}`);
      }
    }
    for (const code of NOTE_CODES)
      assert.equal(english._(`x:notes.${code}`), noteText(code).replace(/\{(\w+)\}/g, '__$1__'));
    assert.deepEqual(missing, []);
  });
});

describe('nodes: the language of a Catch message', () => {
  let bed: Bed;
  afterEach(() => bed.unload());

  for (const [type, message] of Object.entries(REFUSED)) {
    it(`is that of Node-RED for ${type}`, async () => {
      const at = { z: 'tab', x: 100, y: 100 };
      const flow: Flow = [
        { id: 'tab', type: 'tab', label: 'language' },
        { id: 'node', type, ...at, name: '', host: '', wires: [[], [], []] },
        { id: 'catch', type: 'catch', ...at, scope: null, uncaught: false, wires: [['caught']] },
        { id: 'caught', type: 'sink', ...at, wires: [] },
      ];
      bed = await Bed.load(flow, {}, undefined, translate);
      bed.send('node', message);
      const { error } = await bed.at('caught');
      const { code, values } = (await bed.doneBy('node'))[0] as { code: ErrorCode; values: WordingValues };
      const [what, remedy] = ['what', 'remedy'].map((part) => translate(`errors.${code}.${part}`, spoken(values)));
      assert.equal(error?.message, `${what} ${remedy}`);
      assert.notEqual(error.message, explain(code, values));
    });
  }
});
