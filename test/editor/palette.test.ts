import assert from 'node:assert/strict';
import { CONFIG_TYPES, EVERY_NODE, idOf, VISIBLE_TYPES } from './every-node';
import { useEditor } from './suite';
import { SINGLE_STEPS } from '../shared/stage-nodes';

/** Search terms of people who look for a way to flash a Sonoff. */
const TERMS = ['sonoff', 'flash', 'esphome', 'tasmota', 'ewelink', 'firmware', 'update', 'upload'];

describe('editor: palette and help', () => {
  const suite = useEditor(EVERY_NODE);

  it('groups the single steps in their order, behind what holds them all', async () => {
    const types = async (id: string): Promise<(string | null)[]> => {
      const nodes = await suite.editor.page.locator(`#red-ui-palette-container-${id} .red-ui-palette-node`).all();
      return Promise.all(nodes.map((node) => node.getAttribute('data-palette-type')));
    };
    assert.deepEqual(await types('Sonoff_steps'), SINGLE_STEPS);
    assert.equal((await types('Sonoff'))[0], 'sonota-flash');
  });

  it('calls the configuration nodes what the docs call them', async () => {
    const called = await suite.editor.page.evaluate<string[]>(
      "['sonota-host', 'sonota-firmware'].map((type) => RED.utils.getPaletteLabel(type, RED.nodes.getType(type)))",
    );
    assert.deepEqual(called, ['sonoff host', 'firmware']);
  });

  describe('the filter of the palette', () => {
    const filter = async (text: string): Promise<void> => {
      const field = suite.editor.page.locator('#red-ui-palette-search input');
      // Categories slide, and what is filtered meanwhile may stay as it is.
      await suite.editor.page.waitForFunction('$("#red-ui-palette :animated").length === 0');
      await field.fill(text);
      // It looks at what is typed.
      await field.press('End');
    };
    beforeEach(async () => {
      await filter('no such node');
      await suite.editor.paletteNode('sonota-flash').waitFor({ state: 'hidden' });
    });
    after(() => filter(''));

    for (const term of TERMS) {
      it(`finds the node of the whole flash by "${term}"`, async () => {
        await filter(term);
        await suite.editor.paletteNode('sonota-flash').waitFor();
      });
    }

    it('finds every node by "sonoff", and none of others', async () => {
      await filter('sonoff');
      for (const type of Object.keys(VISIBLE_TYPES)) await suite.editor.paletteNode(type).waitFor();
      assert.equal(await suite.editor.paletteNode('inject').isVisible(), false);
    });
  });

  for (const [type, icon] of Object.entries(VISIBLE_TYPES)) {
    it(`shows ${type} in its category, with its own icon`, async () => {
      const { editor } = suite;
      const [id, title] = SINGLE_STEPS.includes(type) ? ['Sonoff_steps', 'Sonoff: single steps'] : ['Sonoff', 'Sonoff'];
      const category = editor.page.locator(`#red-ui-palette-container-${id}`);
      assert.equal(await category.locator('.red-ui-palette-header').innerText(), title);
      const entry = category.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
      await entry.scrollIntoViewIfNeeded();
      assert.ok(await entry.isVisible());
      assert.doesNotMatch(await entry.innerText(), /sonota|label/, 'a palette label is translated');
      assert.equal(await editor.answer(`/icons/@sonota/node-red/${icon}`), 200);
    });

    it(`shows the help of ${type} in the sidebar`, async () => {
      const help = await suite.editor.showHelp(idOf(type));
      const headings = await help.locator('h3').allInnerTexts();
      // Some also have references (Node-RED's help style guide).
      assert.deepEqual(
        headings.filter((heading) => heading !== 'References'),
        ['Inputs', 'Outputs', 'Details'],
      );
      assert.ok((await help.locator('dl.message-properties dt').count()) > 0);
      const links = await help.locator('a').evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''));
      assert.ok(links.some((link) => link.endsWith('/docs/messages.md')));
      for (const code of await help.locator('a code').allInnerTexts())
        assert.ok(
          links.some((link) => link.endsWith(`/docs/codes.md#${code}`)),
          code,
        );
    });
  }

  for (const type of CONFIG_TYPES) {
    it(`keeps ${type} out of the palette`, async () => {
      assert.equal(await suite.editor.paletteNode(type).count(), 0);
    });
  }

  it('finds every node of the flow properly configured', async () => {
    const nodes = await suite.editor.nodes();
    assert.deepEqual(
      nodes.map((node) => node.type).sort(),
      EVERY_NODE.map((node) => node.type)
        .filter((type) => type !== 'tab')
        .sort(),
    );
    for (const node of nodes) assert.notEqual(node.valid, false, `${node.type}: ${String(node.validationErrors)}`);
  });
});
