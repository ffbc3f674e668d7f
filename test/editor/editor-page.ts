import type { Browser, Locator, Page, Response } from 'playwright-core';

/** How long one action of a person may wait for the editor; under the time limit of a test, to fail with a reason. */
const ACTION_LIMIT_MS = 60_000;

/** The part of the editor's own objects that these tests read, inside the page. */
declare const RED: {
  nodes: {
    filterNodes(filter: object): EditorNode[];
    eachConfig(act: (node: EditorNode) => void): void;
    node(id: string): Record<string, unknown> | null;
  };
  sidebar: { show(tab: string): void };
  actions: { invoke(name: string): void };
};

export interface EditorNode {
  id: string;
  type: string;
  valid?: boolean;
  validationErrors?: string[];
}

/** How long something may take to show itself after a click, and how often the click is repeated. */
const CLICK_LIMIT_MS = 4000;
const CLICKS_AT_MOST = 10;

/**
 * The editor of one Node-RED in one browser page, used as a person does. `complaints` gathers whatever a careful
 * person would find in the browser's console: errors, exceptions, requests that failed.
 */
export class EditorPage {
  readonly complaints: string[] = [];
  /** Path of everything the page asked Node-RED for, with the status of the last answer. */
  readonly answers = new Map<string, number>();

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(ACTION_LIMIT_MS);
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.complaints.push(`exception: ${error.message}`));
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      this.answers.set(decodeURIComponent(pathname), response.status());
      if (response.status() >= 400) this.complaints.push(`${response.status()}: ${pathname}`);
    });
  }

  /** Opens the editor and waits until it can be used. */
  static async open(browser: Browser, url: string): Promise<EditorPage> {
    const editor = new EditorPage(await browser.newPage({ viewport: { width: 1400, height: 900 } }));
    await editor.page.goto(url);
    await editor.loaded();
    return editor;
  }

  /** Chooses the language of the editor, as its settings do. */
  async speak(language: string): Promise<void> {
    await this.page.evaluate(`localStorage.setItem("editor-language", "${language}")`);
    await this.page.reload();
    await this.loaded();
  }

  private async loaded(): Promise<void> {
    await this.page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    await this.page.locator('#red-ui-main-container').waitFor();
    await this.page.locator('.red-ui-palette-node').first().waitFor({ state: 'attached' });
    // The flows come last, when every type is registered.
    await this.page.locator('#red-ui-workspace-tabs li').first().waitFor();
  }

  /** The status of the answer to what the page asks for, once that has come. */
  async answer(path: string): Promise<number> {
    const isIt = (response: Response): boolean => decodeURIComponent(new URL(response.url()).pathname) === path;
    return this.answers.get(path) ?? (await this.page.waitForResponse(isIt)).status();
  }

  async close(): Promise<void> {
    await this.page.close();
  }

  paletteNode(type: string): Locator {
    return this.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
  }

  flowNode(id: string): Locator {
    return this.page.locator(`g[id="${id}"]`);
  }

  /** Drags a node from the palette onto the canvas; a busy editor may lose the first tries. */
  async dragFromPalette(type: string): Promise<void> {
    const entry = this.paletteNode(type);
    await entry.waitFor();
    const chart = this.page.locator('#red-ui-workspace-chart');
    const isThere = async (): Promise<boolean> => (await this.nodes()).some((node) => node.type === type);
    const arrives = async (): Promise<boolean> => {
      const node = this.page.locator('.red-ui-flow-node-group').first();
      return node.waitFor({ timeout: CLICK_LIMIT_MS }).then(isThere, () => false);
    };
    for (let tries = 1; ; tries++) {
      // The categories that a filter hides slide away, and take what is dragged with them.
      await this.page.waitForFunction('$("#red-ui-palette :animated").length === 0');
      await entry.dragTo(chart, { targetPosition: { x: 300, y: 200 } });
      if (await arrives()) return;
      if (tries === CLICKS_AT_MOST) throw new Error(`no ${type} on the canvas after ${tries} tries`);
    }
  }

  /** Opens a node's form by a double click, and waits until it has slid in. */
  async openForm(id: string): Promise<Locator> {
    const node = this.flowNode(id).locator('rect.red-ui-flow-node');
    return this.opened('#dialog-form', () => node.dblclick());
  }

  /** From an open form: opens the config node that it names, by the pencil beside it. */
  async openConfigForm(property: string): Promise<Locator> {
    const pencil = this.page.locator(`#node-input-btn-${property}-edit`);
    return this.opened('#node-config-dialog-edit-form', () => pencil.click({ timeout: CLICK_LIMIT_MS }));
  }

  private async opened(selector: string, click: () => Promise<void>): Promise<Locator> {
    const form = this.page.locator(selector);
    await this.clickUntil(form, click);
    await this.trayIsStill();
    return form;
  }

  /**
   * The editor measures the time between two clicks itself, and what is clicked while a tray or a list still slides is
   * lost: a busy machine may be too slow for it. Then, as a person would, it is clicked again.
   */
  private async clickUntil(wanted: Locator, click: () => Promise<void>): Promise<void> {
    for (let clicks = 1; ; clicks++) {
      // It may cover by now what is to be clicked again.
      if (clicks === 1 || !(await wanted.isVisible())) await click();
      const isShown = await wanted.waitFor({ timeout: CLICK_LIMIT_MS }).then(
        () => true,
        () => false,
      );
      if (isShown) return;
      if (clicks === CLICKS_AT_MOST) throw new Error(`no ${String(wanted)} after ${clicks} clicks`);
    }
  }

  async cancelForm(): Promise<void> {
    await this.page.locator('#node-dialog-cancel').click();
    await this.page.locator('#dialog-form').waitFor({ state: 'detached' });
  }

  async cancelConfigForm(): Promise<void> {
    await this.page.locator('#node-config-dialog-cancel').click();
    await this.page.locator('#node-config-dialog-edit-form').waitFor({ state: 'detached' });
    await this.trayIsStill();
  }

  /** Types into a field as a person does, and leaves it. */
  async enter(field: Locator, text: string): Promise<void> {
    await field.fill(text);
    await field.press('End');
    await field.blur();
  }

  /** Opens the help of the node that is selected. */
  async showHelp(id: string): Promise<Locator> {
    await this.flowNode(id).locator('rect.red-ui-flow-node').click();
    await this.showSidebar('help');
    const help = this.page.locator('.red-ui-help');
    await help.locator('p').first().waitFor();
    return help;
  }

  /** Hides what stands on both sides of the canvas, or shows it again. */
  async toggleSidebars(): Promise<void> {
    for (const action of ['core:toggle-sidebar', 'core:toggle-palette']) await this.invoke(action);
  }

  async showSidebar(tab: 'help' | 'debug'): Promise<void> {
    await this.page.evaluate((name) => RED.sidebar.show(name), tab);
  }

  /** Does what a menu or a key would; not before the flows are there, since the editor shows its own tab then. */
  async invoke(action: string): Promise<void> {
    await this.page.locator('#red-ui-workspace-tabs li').first().waitFor();
    await this.page.evaluate((name) => RED.actions.invoke(name), action);
  }

  /** Menu Import > Examples > our package > `name`, into an editor that is empty. */
  async importExample(name: string): Promise<void> {
    await this.page.locator('#red-ui-workspace-chart').click({ position: { x: 500, y: 400 } });
    await this.page.keyboard.press('Control+i');
    await this.page.locator('#red-ui-tab-red-ui-clipboard-dialog-import-tab-examples').click();
    const tree = this.page.locator('#red-ui-clipboard-dialog-import-tabs-content');
    const example = tree.getByText(name, { exact: true });
    const ok = this.page.locator('#red-ui-clipboard-dialog-ok:not([disabled])');
    await this.clickUntil(example, () => tree.getByText('@sonota/node-red', { exact: true }).click());
    await this.clickUntil(ok, () => example.click());
    await ok.click();
    await this.page.waitForFunction(() => RED.nodes.filterNodes({}).length > 0);
    await this.page.locator('#red-ui-clipboard-dialog-ok').waitFor({ state: 'hidden' });
  }

  /** Brings a flow's tab to the front; an imported one opens behind the one that is shown. */
  async showTab(label: string): Promise<void> {
    await this.page.locator('#red-ui-workspace-tabs').getByText(label, { exact: true }).click();
  }

  /** Every node that the editor holds, config nodes among them. */
  async nodes(): Promise<EditorNode[]> {
    return await this.page.evaluate(() => {
      const all: EditorNode[] = [];
      const take = ({ id, type, valid, validationErrors }: EditorNode): void => {
        all.push({
          id,
          type,
          ...(valid === undefined ? {} : { valid }),
          ...(validationErrors ? { validationErrors } : {}),
        });
      };
      RED.nodes.filterNodes({}).forEach(take);
      RED.nodes.eachConfig(take);
      return all;
    });
  }

  /** Gives a node on the canvas a value that no person types in this test. */
  async give(id: string, property: string, value: string): Promise<void> {
    await this.page.evaluate(
      ([node = '', name = '', its = '']) => {
        const given = RED.nodes.node(node);
        if (!given || !(name in given)) throw new Error(`no ${name} of a node ${node}`);
        given[name] = its;
      },
      [id, property, value],
    );
  }

  /** Presses Deploy and waits for Node-RED's answer. */
  async deploy(): Promise<void> {
    const answer = this.page.waitForResponse(
      (response) => new URL(response.url()).pathname === '/flows' && response.request().method() === 'POST',
    );
    await this.page.locator('#red-ui-header-button-deploy').click();
    const { ok, status } = await answer.then((response) => ({ ok: response.ok(), status: response.status() }));
    if (!ok) throw new Error(`the deploy was answered with ${status}`);
  }

  /** Presses the button of an Inject node. */
  async pressInject(id: string): Promise<void> {
    await this.flowNode(id).locator('.red-ui-flow-node-button-button').click();
  }

  /** The statuses under the nodes that are on the canvas now. */
  async statuses(): Promise<string[]> {
    return (await this.page.locator('.red-ui-flow-node-status-label').allTextContents()).filter((text) => text !== '');
  }

  /** A form slides in; a click in mid-flight misses. */
  private async trayIsStill(): Promise<void> {
    await this.page.waitForFunction('$(".red-ui-tray:animated").length === 0');
  }
}
