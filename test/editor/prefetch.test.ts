import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import type { Flow } from '../shared/node-red';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { useEditor } from './suite';

const AT = { type: 'sonota-flash', ssid: '', image: '', intermediate: '', deviceid: '', timeout: '', force: false };
const NO_URLS = { apUrl: '', finalStageUrl: '', newFirmwareUrl: '' };

describe('editor: images behind a deploy', () => {
  const http = useHttpServers();
  const asked: string[] = [];
  const nodes: Flow[number][] = [];
  let away = '';

  before(async () => {
    const base = await http.serve((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(404).end();
    });
    away = `http://127.0.0.1:${await freePort()}`;
    const ports = Object.fromEntries(
      await Promise.all(
        ['httpsPort', 'legacyPort', 'httpPort', 'finalStagePort'].map(async (name) => [name, String(await freePort())]),
      ),
    ) as object;
    const host = { type: 'sonota-host', name: '', address: '127.0.0.1', ssid: '', ...ports };
    const firmware = (id: string, place: string): Flow[number] => ({
      ...{ id: `firmware-${id}`, type: 'sonota-firmware', name: '', digests: {} },
      ...{ user1: `${place}/user1`, user2: `${place}/user2`, final: `${place}/final` },
    });
    const flash = (id: string, z: string, hostId: string, y: number): Flow[number] => ({
      ...{ id, z, name: id, host: hostId, firmware: `firmware-${id}`, ...AT, ...NO_URLS, x: 300, y, wires: [[], []] },
    });
    nodes.push(
      { id: 'tab', type: 'tab', label: 'Behind a deploy' },
      { id: 'off-tab', type: 'tab', label: 'Off', disabled: true },
      { id: 'open', ...host, bind: '' },
      { id: 'loopback', ...host, bind: '127.0.0.1' },
      ...[firmware('off', `${base}/off`), firmware('rehearsal', `${base}/rehearsal`), firmware('offline', away)],
      // They have their turn one after another, in this order.
      ...[flash('off', 'off-tab', 'open', 80), flash('rehearsal', 'tab', 'loopback', 80)],
      flash('offline', 'tab', 'open', 160),
    );
  });
  const suite = useEditor(nodes);

  it('show in yellow and in one line of the log that they cannot be fetched; never for a disabled tab or a rehearsal', async () => {
    const { editor, red } = suite;
    await editor.page.evaluate(`RED.nodes.node('offline').changed = true; RED.nodes.dirty(true)`);
    const from = red.log.length;
    await editor.deploy();
    await red.logged(/Started flows/, 20_000, from);
    await status('offline', 'fetch-failed').waitFor();
    const [, colour] = /-ring-(\w+)/.exec((await mark('offline').getAttribute('class')) ?? '') ?? [];
    assert.equal(colour, 'yellow');
    await status('rehearsal', 'idle').waitFor();
    assert.deepEqual(asked, []);
    const told = red.log.slice(from).filter((line) => line.includes(away));
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0] ?? '', /\[info\] \[sonota-flash:offline\]/);
  });

  function status(id: string, text: string): Locator {
    return suite.editor.flowNode(id).locator('.red-ui-flow-node-status-label', { hasText: text });
  }

  function mark(id: string): Locator {
    return suite.editor.flowNode(id).locator('[class*="red-ui-flow-node-status-ring"]');
  }
});
