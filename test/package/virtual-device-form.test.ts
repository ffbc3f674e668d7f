import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VIRTUAL_STATES } from '../../lib/virtual/device/context';
import { DIY_FAULTS } from '../../lib/virtual/diy/faults';
import { DIY_VERSIONS } from '../../lib/virtual/diy/versions';
import { FAULTS } from '../../lib/virtual/virtual-sonoff';
import { packageRoot } from '../shared/package-root';

const TYPE = 'sonota-virtual-device';
const folder = join(packageRoot(), 'nodes', TYPE);

describe("the virtual device's form", () => {
  const form = readFileSync(join(folder, `${TYPE}.form.html`), 'utf8');
  const catalogue = JSON.parse(readFileSync(join(folder, 'locales', 'en-US', `${TYPE}.json`), 'utf8')) as {
    [TYPE]: Record<string, Record<string, string>>;
  };

  /** The values of one list, in the form's order. */
  function choices(property: string): string[] {
    const list = new RegExp(`id="node-input-${property}"[\\s\\S]*?</select>`).exec(form)?.[0] ?? '';
    return [...list.matchAll(/<option value="([^"]*)"/g)].map((match) => match[1] as string);
  }

  it('offers each fault that the virtual device knows, and none that it does not', () => {
    const names = FAULTS.map((fault) => fault.name);
    assert.deepEqual([...choices('fault')].sort(), ['', ...names].sort());
  });

  it('offers each fault and each version of a DIY device', () => {
    assert.deepEqual(choices('diyFault'), ['', ...DIY_FAULTS.map(({ name }) => name)]);
    assert.deepEqual(choices('diyVersion'), DIY_VERSIONS);
  });

  it('shows each state of a device in words', () => {
    const { idle, flashed, stopped, ...states } = catalogue[TYPE]['status'] ?? {};
    assert.ok(idle && flashed && stopped);
    assert.deepEqual(Object.keys(states), VIRTUAL_STATES);
  });

  it('names each fault, each class and each slot in words', () => {
    const texts = catalogue[TYPE];
    assert.deepEqual(Object.keys(texts['fault'] ?? {}).sort(), ['none', ...FAULTS.map(({ name }) => name)].sort());
    assert.deepEqual(Object.keys(texts['transport'] ?? {}).sort(), choices('transport').sort());
    assert.deepEqual(Object.keys(texts['slot'] ?? {}).sort(), choices('slot').sort());
    assert.deepEqual(Object.keys(texts['kind'] ?? {}), choices('kind'));
    assert.deepEqual(Object.keys(texts['diyStart'] ?? {}), choices('diyStart'));
    assert.deepEqual(Object.keys(texts['diyFault'] ?? {}), ['none', ...choices('diyFault').slice(1)]);
  });
});
