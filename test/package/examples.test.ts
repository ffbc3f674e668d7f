import assert from 'node:assert/strict';
import { exampleNumbers, exampleOf } from '../shared/examples';

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
  }
});
