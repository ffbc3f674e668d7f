import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exampleNumbers, exampleOf } from '../shared/examples';
import { packageRoot } from '../shared/package-root';
import { STAGE_NODES } from '../shared/stage-nodes';

/** So far to the right a node is seen whole in a window of 1280 pixels, with the palette and the sidebar open. */
const RIGHTMOST = 740;
/** Behind the names of the others in the comments' names. */
const LANGUAGES = [/^(?!Deutsch|Français)/, /^Deutsch: /, /^Français\u00a0: /];
const TYPES = readdirSync(join(packageRoot(), 'nodes')).filter((name) => name.startsWith('sonota-'));

/** Which palette brings a type, by the beginning of its name. */
const PALETTES: Record<string, RegExp> = {
  '@flowfuse/node-red-dashboard': /^ui-/,
  'node-red-contrib-home-assistant-websocket': /^(server|server-events|api-call-service)$/,
};

describe('the examples', () => {
  for (const number of exampleNumbers()) {
    it(`${number} names the palettes that it needs, so that the editor offers to install them`, () => {
      const flow = exampleOf(number);
      const needed = Object.entries(PALETTES).filter(([, types]) => flow.some(({ type }) => types.test(type)));
      const modules = flow.find(({ type }) => type === 'global-config')?.['modules'] ?? {};
      assert.deepEqual(
        Object.keys(modules),
        needed.map(([name]) => name),
      );
    });

    // A queue skips what it has begun.
    if (!exampleOf(number).some(({ type }) => type === 'sonota-queue'))
      it(`${number} can be cancelled wherever it waits for a device`, () => {
        const flow = exampleOf(number);
        const cancels = flow.filter(({ props }) =>
          (props as { p: string }[] | undefined)?.some(({ p }) => p === 'cancel'),
        );
        const reached = cancels.flatMap(({ wires }) => (wires as string[][]).flat());
        const waiting = flow.filter(({ type, every }) => STAGE_NODES.includes(type) && every !== true);
        assert.deepEqual(reached.sort(), waiting.map(({ id }) => id).sort());
        if (waiting.length === 0) return;
        for (const { info } of flow.filter(({ type }) => type === 'comment'))
          assert.match(String(info), /\*\*Cancel\*\*/);
      });

    if (number !== '35')
      it(`${number} says what to do in three languages`, () => {
        const comments = exampleOf(number).filter(({ type }) => type === 'comment');
        assert.equal(comments.length, LANGUAGES.length);
        for (const [index, { name, info }] of comments.entries()) {
          assert.match(String(name), LANGUAGES[index] ?? /^$/);
          assert.ok(String(info).length > 100, `${String(name)}: ${String(info)}`);
        }
      });

    if (number !== '35')
      it(`${number} calls the nodes what the palette calls them`, () => {
        const said = exampleOf(number).flatMap(({ type, name, info }) => (type === 'comment' ? [name, info] : [name]));
        for (const type of TYPES) {
          const short = type.replace('sonota-', '');
          const spelling = new RegExp(
            `sonota-${short}\\b${short.includes('-') && short !== 'home-assistant' ? `|\\b${short}\\b` : ''}`,
          );
          // A file is named as it is.
          const text = said.join('\n').replaceAll(/docs\/[\w-]+\.md/g, '');
          assert.doesNotMatch(text, spelling);
        }
      });

    if (number !== '35')
      it(`${number} fits the canvas`, () => {
        for (const { type, name, x, y } of exampleOf(number)) {
          if (x === undefined || type === 'comment') continue;
          assert.ok(Number(x) <= RIGHTMOST, `${type} ${String(name)} at ${Number(x)}, ${Number(y)}`);
        }
      });
  }
});
