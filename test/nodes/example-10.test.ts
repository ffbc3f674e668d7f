import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';
import { packageRoot } from '../shared/package-root';

const EXAMPLE = join(packageRoot(), 'examples', '10 - Examine an image.json');

describe('example 10 - Examine an image', () => {
  const flow = JSON.parse(readFileSync(EXAMPLE, 'utf8')) as Flow;
  let red: RunningNodeRed;
  before(async () => {
    red = await startNodeRed({ flow });
  });
  after(() => red.stop());

  it('parts the images at its switch, and catches what cannot be read', async () => {
    const comms = await red.comms();
    try {
      const inject = (name: string): string => flow.find((node) => node['name'] === name)?.id ?? name;
      const doctor = flow.find((node) => node.type === 'sonota-image-doctor')?.id;
      for (const [name, fill, text] of [
        ['user1 as the final image', 'red', 'image-invalid'],
        ['A file of mine (path)', 'red', 'image-unreadable'],
        ['A made-up final image', 'yellow', 'image-rehearsal'],
      ] as const) {
        await red.inject(inject(name));
        const status = await comms.status((id, one) => id === doctor && one.text === text, 60_000);
        assert.equal(status.fill, fill);
      }
      const told = comms.debugs.map(({ name }) => name);
      for (const name of ['must not', 'error']) assert.ok(told.includes(name), `${name} among ${told.join()}`);
      for (const { name, format } of comms.debugs)
        assert.match(String(format), /^string/, `${String(name)} shows a sentence`);
    } finally {
      comms.close();
    }
  });

  it('shows the picture in a browser', async () => {
    const response = await fetch(`${red.url}/sonota-picture`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^image\/svg\+xml/);
    assert.match(await response.text(), /^<svg/);
  });
});
