import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { explain, type ErrorCode } from '../../lib/errors';
import { ADVICE } from '../../lib/image/finding';
import type { WordingValues } from '../../lib/wordings/wording';
import { forNodeRed, sharedTexts } from '../../nodes/shared/texts';
import { packageRoot } from '../shared/package-root';
import type { Flow } from '../shared/node-red';
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
