import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';
import { packageRoot } from '../shared/package-root';

interface Catalogue {
  readonly [key: string]: string | Catalogue;
}

/** What each node is sent: what it refuses, so that every one has something to say. */
const SENT: Record<string, Record<string, unknown>> = {
  'sonota-flash': { deviceid: 'no id' },
  'sonota-provision': { deviceid: 'no id' },
  'sonota-cloud-emulator': { force: 'perhaps' },
  'sonota-ota-serve': {},
  'sonota-finalstage-watch': { deviceid: 'no id' },
  'sonota-diy-flash': { firmware: { final: '/nowhere/at/all.bin' } },
  'sonota-new-firmware': { deviceid: 'no id' },
  'sonota-preflight': {},
  'sonota-queue': { count: 'many' },
  'sonota-wifi': { action: 'dance' },
  'sonota-tasmota-setup': { deviceid: 'no id' },
  'sonota-image-doctor': { payload: '/nowhere/at/all.bin' },
};

describe('nodes: all that a German Node-RED says', () => {
  const types = Object.keys(SENT);
  let red: RunningNodeRed;

  before(async () => {
    red = await startNodeRed({ flow: flow(), settings: { lang: 'de' } });
  });
  after(() => red.stop());

  it('is German: errors, outputs and statuses', async () => {
    const comms = await red.comms();
    try {
      for (const type of types) {
        await red.inject(`inject-${type}`);
        while (!comms.debugs.some(({ name }) => name === type)) await once(comms, 'debug');
      }
      const said = [
        ...comms.debugs.map(({ msg }) => saidIn(msg)),
        ...comms.statuses.map(({ status }) => status.text ?? ''),
      ];
      const sentences = english();
      assert.ok(sentences.length > 500, `${sentences.length} sentences are looked for`);
      for (const text of said) {
        const found = sentences.find((sentence) => text.includes(sentence));
        assert.equal(found, undefined, `"${found}" is English in: ${text}`);
      }
    } finally {
      comms.close();
    }
  });

  function flow(): Flow {
    const at = { z: 'tab', x: 100, y: 100 };
    const ports = { httpPort: '0', httpsPort: '0', legacyPort: '0', bind: '127.0.0.1', address: '127.0.0.1' };
    return [
      { id: 'tab', type: 'tab', label: 'german' },
      { id: 'host', type: 'sonota-host', name: '', wifi: 'manual', ...ports },
      ...types.flatMap((type) => [
        {
          ...{ id: `inject-${type}`, type: 'inject', ...at, name: '', once: false, repeat: '', crontab: '' },
          props: Object.entries(SENT[type] ?? {}).map(([p, value]) => ({ p, v: JSON.stringify(value), vt: 'json' })),
          wires: [[type]],
        },
        {
          id: type,
          type,
          ...at,
          name: '',
          host: 'host',
          wires: [[`debug-${type}`], [`debug-${type}`], [`debug-${type}`]],
        },
        { id: `catch-${type}`, type: 'catch', ...at, scope: [type], uncaught: false, wires: [[`debug-${type}`]] },
        {
          ...{ id: `debug-${type}`, type: 'debug', ...at, name: type, active: true, tosidebar: true, console: false },
          ...{ complete: 'true', targetType: 'full', wires: [] },
        },
      ]),
    ] as Flow;
  }
});

/** A message without what its sentences were filled with, which has the English beside each code, and without stacks. */
function saidIn(message: unknown): string {
  return JSON.stringify(JSON.parse(String(message)), (key, value: unknown) =>
    key === 'values' || key === 'stack' ? undefined : value,
  );
}

/** The parts of the English sentences between their placeholders, as far as no German text has them too. */
function english(): string[] {
  const german = textsOf('de').join('\n');
  const parts = textsOf('en-US').flatMap((text) => text.split(/__\w+__/).map((part) => part.trim()));
  return [...new Set(parts)].filter((part) => part.split(/\s+/).length >= 3 && !german.includes(part));
}

function textsOf(language: string): string[] {
  const nodes = join(packageRoot(), 'dist', 'nodes');
  return readdirSync(nodes, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes(join('locales', language)) && path.endsWith('.json'))
    .flatMap((path) => leavesOf(JSON.parse(readFileSync(join(nodes, path), 'utf8')) as Catalogue));
}

function leavesOf(catalogue: Catalogue): string[] {
  return Object.values(catalogue).flatMap((one) => (typeof one === 'string' ? [one] : leavesOf(one)));
}
