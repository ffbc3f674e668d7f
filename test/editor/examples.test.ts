import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { CommsClient } from '../shared/comms';
import { exampleNumbers, exampleOf, nameOf, plainExamples } from '../shared/examples';
import { packageRoot } from '../shared/package-root';
import { isPictureMade } from '../shared/photograph';
import { Film } from './film';
import { useEditor } from './suite';
import { WITH_SET_UP } from '../shared/stage-nodes';

const REHEARSAL_LIMIT_MS = 90_000;

describe('editor: the examples', () => {
  const suite = useEditor([]);

  for (const number of exampleNumbers()) {
    const modules = exampleOf(number).find(({ type }) => type === 'global-config')?.['modules'];
    if (!modules) continue;
    it(`${number} is offered with the palettes that it needs`, async () => {
      await suite.empty();
      await suite.editor.importExample(nameOf(number));
      const offer = suite.editor.page.locator('.red-ui-notification', { hasText: Object.keys(modules)[0] as string });
      await offer.getByRole('button', { name: 'Install all' }).waitFor();
    });
  }

  for (const { name, flow } of plainExamples()) {
    describe(name, () => {
      before(() => suite.empty());
      /** With `SONOTA_SCREENSHOT` set, for the README. */
      const isFilmed = isPictureMade('rehearsal') && name.startsWith('01 ');
      const stages = WITH_SET_UP.filter((stage) => flow.some(({ type }) => type === stage));

      it('is imported from the menu whole, with every node properly configured', async () => {
        await suite.editor.importExample(name);
        const nodes = await suite.editor.nodes();
        assert.deepEqual(
          nodes.map((node) => node.type).sort(),
          flow
            .map((node) => node.type)
            .filter((type) => type !== 'tab')
            .sort(),
        );
        for (const node of nodes) assert.notEqual(node.valid, false, `${node.type}: ${String(node.validationErrors)}`);
      });

      it('has a comment that says what to do', () => {
        const comments = flow.filter((node) => node.type === 'comment');
        assert.ok(comments.some((node) => typeof node['info'] === 'string' && node['info'].length > 40));
      });

      it('is deployed', async () => {
        const from = suite.red.log.length;
        await suite.editor.deploy();
        await suite.red.logged(/Started flows/, 20_000, from);
        const told = suite.red.log.slice(from).filter((line) => /\[(error|warn)\]/.test(line));
        assert.deepEqual(told, []);
      });

      if (stages.length > 0 && flow.some((node) => node.type === 'sonota-virtual-device')) {
        it('runs to the end, and each node shows what it does', async function () {
          this.timeout(REHEARSAL_LIMIT_MS + 10_000);
          const comms = await suite.red.comms();
          try {
            const nodes = await suite.editor.nodes();
            const idOf = (type: string): string => nodes.find((node) => node.type === type)?.id ?? type;
            const tab = flow.find((node) => node.type === 'tab');
            if (typeof tab?.['label'] === 'string') await suite.editor.showTab(tab['label']);
            await suite.editor.showSidebar('debug');
            const film = isFilmed ? await filmOfFlow() : undefined;
            const rolling = film?.roll();
            await suite.editor.pressInject(idOf('inject'));
            await Promise.race([everyStageDone(comms, stages.map(idOf)), failure(comms, new Set(stages.map(idOf)))]);
            film?.cut();
            await rolling;
            film?.write(join(packageRoot(), 'docs', 'rehearsal.gif'));
            for (const type of stages) assertSawAllColours(comms, idOf(type), type);
            await suite.editor.page.locator('.red-ui-debug-msg', { hasText: 'flashed' }).first().waitFor();
            assert.ok((await suite.editor.statuses()).length >= stages.length, 'the canvas shows the statuses');
          } finally {
            comms.close();
          }
        });
      }

      /** The flow from its left upper corner, as far as its nodes go. */
      async function filmOfFlow(): Promise<Film> {
        const { page } = suite.editor;
        await page.setViewportSize({ width: 1280, height: 640 });
        await page.evaluate("$('#red-ui-workspace-chart').scrollLeft(0).scrollTop(0)");
        const { x = 0, y = 0 } = (await page.locator('#red-ui-workspace-chart').boundingBox()) ?? {};
        return new Film(page, { x, y, width: 780, height: 480 });
      }
    });
  }
});

/** Waits until the nodes of all stages are green, in their order. */
async function everyStageDone(comms: CommsClient, ids: readonly string[]): Promise<void> {
  for (const stage of ids) {
    await comms.status((id, { fill }) => id === stage && fill === 'green', REHEARSAL_LIMIT_MS);
  }
}

/** Fails as soon as one of these nodes turns red. */
async function failure(comms: CommsClient, ids: ReadonlySet<string>): Promise<never> {
  const { text } = await comms.status((id, { fill }) => ids.has(id) && fill === 'red', REHEARSAL_LIMIT_MS * 2);
  throw new Error(`a node turned red: ${text ?? ''}`);
}

/** Design, "Status": yellow while it waits, blue with a percent while it works, green at the end. */
function assertSawAllColours(comms: CommsClient, node: string, type: string): void {
  const seen = comms.statuses.filter(({ id }) => id === node).map(({ status }) => status);
  const fills = seen.map(({ fill }) => fill);
  assert.equal(fills.at(-1), 'green', `${type} ended with ${JSON.stringify(seen.at(-1))}`);
  assert.ok(fills.includes('yellow') || fills.includes('blue'), `${type} showed only ${JSON.stringify(seen)}`);
}
