import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIRMWARE } from '../flash/bench';
import { packageRoot } from '../shared/package-root';
import { freePort } from '../shared/ports';
import { Bed, freePorts, road, type Msg } from './bed';

const PAGE = join(packageRoot(), 'docs', 'messages.md');
const BLOCK = /(<!-- messages[^>]*-->)([\s\S]*?)(<!-- \/messages -->)/;
const HOME = { ssid: 'home', password: 'top secret' };
/** What is another one in each run. */
const VOLATILE: readonly [RegExp, string][] = [
  [/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"2026-01-01T12:00:00.000Z"'],
  [/"[0-9a-f]{64}"/g, '"<sha256>"'],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:8080'],
];

describe('docs/messages.md', () => {
  let bed: Bed | undefined;
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  it('shows the messages of a real run (SONOTA_MESSAGES=1 writes those of this one)', async () => {
    const [apPort, finalStagePort] = [await freePort(), await freePort()];
    const flow = road(await freePorts(), {
      provision: { url: `http://127.0.0.1:${apPort}` },
      upgrade: { firmware: '' },
      finalstage: { url: `http://127.0.0.1:${finalStagePort}` },
    });
    bed = await Bed.load(flow);
    const device = bed.device({ apPort, finalStagePort, homeNetwork: HOME, deviceid: '1000a1b2c3' });
    await device.start();
    bed.send('provision', { ...HOME, _msgid: 'a1b2c3d4e5f60718', firmware: FIRMWARE, topic: 'mine' });
    await bed.at('finalstage-out');
    const results = ['provision', 'cloud', 'upgrade', 'finalstage'].map((id): [string, Msg | undefined] => {
      const result = bed?.messages(`${id}-out`)[0];
      // The flash up to now is shown once, at its end.
      const isLast = id === 'finalstage';
      return [`The result of \`${NODES[id]}\``, isLast || !result ? result : own(result)];
    });
    const [progress] = bed.messages('provision-progress');
    const blocks = [...results, ['Progress of `provision`, while it waits for a person', progress] as const];
    const shown = blocks.map(([title, msg]) => `${title}:\n\n${json(msg)}`).join('\n\n');
    const page = readFileSync(PAGE, 'utf8');
    if (process.env['SONOTA_MESSAGES'] !== undefined) {
      writeFileSync(
        PAGE,
        page.replace(BLOCK, (_, begin: string, __, end: string) => `${begin}\n\n${shown}\n\n${end}`),
      );
      return;
    }
    const there = BLOCK.exec(page)?.[2] ?? '';
    assert.deepEqual(outlines(there), outlines(shown));
    assert.ok(outlines(shown).length === blocks.length);
  });
});

const NODES: Readonly<Record<string, string>> = {
  provision: 'provision',
  cloud: 'cloud emulator',
  upgrade: 'ota serve',
  finalstage: 'finalstage watch',
};

/** What this stage adds to a message, but for the flash as a whole. */
function own({ deviceid, payload }: Msg): Msg {
  return { deviceid, payload };
}

function json(msg: Msg | undefined): string {
  assert.ok(msg);
  // The images themselves, which the message of this test brings.
  const { firmware: _, ...rest } = msg;
  const text = JSON.stringify(rest, undefined, 2);
  return ['```json', VOLATILE.reduce((all, [pattern, by]) => all.replace(pattern, by), text), '```'].join('\n');
}

/** Each block of a page: which properties its message has, and of which type. */
function outlines(page: string): unknown[] {
  return [...page.matchAll(/```json\n([\s\S]*?)\n```/g)].map(([, text = '']) => outline(JSON.parse(text)));
}

function outline(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(outline);
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, its]) => [key, outline(its)]));
}
