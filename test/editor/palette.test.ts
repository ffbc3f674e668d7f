import assert from 'node:assert/strict';
import { CONFIG_TYPES, EVERY_NODE, idOf, VISIBLE_TYPES } from './every-node';
import { useEditor } from './suite';

describe('editor: palette and help', () => {
  const suite = useEditor(EVERY_NODE);

  for (const [type, icon] of Object.entries(VISIBLE_TYPES)) {
    it(`shows ${type} in the category Sonoff, with its own icon`, async () => {
      const { editor } = suite;
      const category = editor.page.locator('#red-ui-palette-container-Sonoff');
      assert.equal(await category.locator('.red-ui-palette-header').innerText(), 'Sonoff');
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
