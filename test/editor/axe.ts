import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** Inside the page, once its script is there. */
declare const axe: { run(context: unknown, options: unknown): Promise<{ violations: Violation[] }> };

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];

/**
 * Fails where axe finds a fault below `selector`: a field without a label, a contrast too low, a role that is none.
 * It waits until nothing there moves: what slides in or out is half covered, and about to be whole or gone.
 *
 * @param except what below it is the editor's own, not ours
 */
export async function assertAccessible(page: Page, selector: string, except: string[] = []): Promise<void> {
  if (!(await page.evaluate('typeof axe === "object"'))) {
    await page.addScriptTag({ path: createRequire(__filename).resolve('axe-core/axe.min.js') });
    // The editor's body clips what flows over it and is 0 px high: axe takes all of its texts for unseen then.
    await page.addStyleTag({ content: 'html, body { min-height: 100vh }' });
  }
  await page.waitForFunction(
    `typeof $ === 'undefined' || $(${JSON.stringify(selector)}).find('*').addBack().filter(':animated').length === 0`,
  );
  const violations = await page.evaluate(
    async ([include, exclude, tags]) => {
      const context = { include: [include], exclude: exclude.map((one) => [one]) };
      return (await axe.run(context, { runOnly: tags })).violations;
    },
    [selector, except, RULES] as [string, string[], string[]],
  );
  const told = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id} (${help}): ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  );
  assert.deepEqual(told, [], `not accessible: ${selector}`);
}
