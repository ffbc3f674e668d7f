import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { startNodeRed, type Flow, type NodeRedOptions, type RunningNodeRed } from '../shared/node-red';
import { browserOrSkip } from './browser';
import { EditorPage } from './editor-page';
import { photograph } from './photograph';

export interface EditorSuite {
  readonly editor: EditorPage;
  readonly red: RunningNodeRed;
  /** Begins with an empty workspace again, in the same Node-RED and browser. */
  empty(): Promise<void>;
}

/**
 * Gives the suite around it a real Node-RED with `flow` deployed and its editor in a real browser, and fails each test
 * after which the browser's console is not clean. Where no browser can be started the whole suite is skipped, and the
 * reasons are printed.
 *
 * @param options of the Node-RED, made when the suite begins
 */
export function useEditor(flow: Flow, options: () => Promise<Partial<NodeRedOptions>> = async () => ({})): EditorSuite {
  let browser: Browser | undefined;
  let editor: EditorPage | undefined;
  let red: RunningNodeRed | undefined;

  before(async function () {
    browser = await browserOrSkip(this);
    red = await startNodeRed({ flow, ...(await options()) });
    editor = await EditorPage.open(browser, red.url);
  });

  const reopen = async (meanwhile: () => Promise<void> = async () => undefined): Promise<void> => {
    if (!editor || !browser || !red) return;
    await editor.close();
    await meanwhile();
    editor = await EditorPage.open(browser, red.url);
  };

  afterEach(async function () {
    const complaints = editor?.complaints.splice(0) ?? [];
    if (this.currentTest?.state === 'failed' && editor) {
      await photograph(editor.page, `failed ${this.currentTest.fullTitle()}`);
    }
    // A form that is left open would be in the way of the next test.
    if (this.currentTest?.state === 'failed') await reopen();
    assert.deepEqual(complaints, [], 'the browser complained');
  });

  after(async () => {
    await editor?.close();
    await browser?.close();
    await red?.stop();
  });

  return {
    get editor() {
      assert.ok(editor, 'the editor is not open');
      return editor;
    },
    get red() {
      assert.ok(red, 'Node-RED does not run');
      return red;
    },
    empty: () => reopen(() => red?.deploy([]) ?? Promise.resolve()),
  };
}
