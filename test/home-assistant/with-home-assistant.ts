import assert from 'node:assert/strict';
import { launchBrowser } from '../editor/browser';
import { EditorPage } from '../editor/editor-page';
import { exampleOf } from '../shared/examples';
import { photographForDocs } from '../shared/photograph';
import { documented } from './documented';
import { Frontend } from './frontend';
import type { EntityState, HomeAssistant } from './home-assistant';
import { RealSuite } from './real-suite';
import { NEW_FIRMWARE, type Scene, type SceneOptions } from './scene';

const ID = '1000a1b2c3';
const OTHER = '1000d4e5f6';
const TOKEN = 'a long random value';
/** Slow enough for a progress that can be looked at. */
const SLOWLY = { behaviours: { blockPauseMs: 60 } };
/** The time that the documented script gives a device to start. */
const A_MINUTE_MS = 60_000;
const palette = process.env['SONOTA_HOME_ASSISTANT_PALETTE'];

describe('home assistant: with a real one', function () {
  this.timeout(300_000);
  /** Where Node-RED will be, as the documented rest_command has it. */
  const nodeRedPort = 20_000 + Math.floor(Math.random() * 20_000);
  const suite = RealSuite.register(() => {
    const files = documented();
    const rest = String(files['configuration.yaml']).replace(
      'http://homeassistant.local:1880/endpoint',
      `http://127.0.0.1:${nodeRedPort}`,
    );
    assert.ok(rest.includes(String(nodeRedPort)), 'the documented address is another one');
    return {
      ...files,
      'configuration.yaml': `automation: !include automations.yaml\nscript: !include scripts.yaml\n${rest}`,
      'secrets.yaml': String(files['secrets.yaml']).replace('the-long-random-value', TOKEN),
    };
  });

  let ha: HomeAssistant;
  before(() => (ha = suite.ha));
  const open = (options?: SceneOptions): Promise<Scene> => suite.open(options);
  const until = (isSo: () => Promise<boolean>): Promise<void> => suite.until(isSo);
  const isNotified = async (wanted: (message: string) => boolean): Promise<boolean> =>
    (await ha.notifications()).some(({ message }) => wanted(message));
  const update = (deviceid: string): string => `update.sonota_${deviceid}_update`;
  const sensor = (deviceid: string, name: string): string => `sensor.sonota_${deviceid}_${name}`;
  const run = (slug: string): Promise<void> => ha.call('automation.trigger', { entity_id: `automation.${slug}` });

  it('second door: its example is properly configured with the palette that its comment names', async function () {
    const browser = await launchBrowser();
    if (Array.isArray(browser) || palette === undefined) {
      const why = Array.isArray(browser) ? browser.join('; ') : 'the palette could not be installed';
      console.log(`    Skipped: example 31 in the editor, because ${why}.`);
      return this.skip();
    }
    const flow = exampleOf('31');
    assert.ok(
      flow.some(
        ({ type, info }) =>
          type === 'comment' && String(info).includes('**node-red-contrib-home-assistant-websocket**'),
      ),
    );
    try {
      const here = await open({ number: '31', nodeRed: { palettes: [palette] } });
      const editor = await EditorPage.open(browser, here.red.url);
      await editor.page.locator('.red-ui-flow-node').first().waitFor();
      for (const node of await editor.nodes()) {
        assert.notEqual(node.valid, false, `${node.type}: ${String(node.validationErrors)}`);
      }
    } finally {
      await browser.close();
    }
  });

  it('second way: the event sonota_flash flashes, and a notification reports the end', async function () {
    if (palette === undefined) {
      console.log('    Skipped: node-red-contrib-home-assistant-websocket could not be installed.');
      return this.skip();
    }
    const here = await open({
      number: '31',
      nodeRed: { palettes: [palette] },
      credentials: { server: { host: ha.url, access_token: ha.token } },
    });
    await here.red.logged(/Connected to/i, 30_000);
    const device = here.device();
    await device.start();
    await here.ready(ID);
    await run('flash_the_sonoff_in_the_hall_by_event');
    assert.equal((await device.ended).result, 'flashed');
    await until(async () => (await ha.notifications()).some(({ title }) => title === 'Sonoff flashed'));
  });

  it('first door: an automation installs; the update entity goes through progress to done', async () => {
    const device = await (await open()).dialsIn(SLOWLY);
    const before = await ha.state(update(ID), ({ state }) => state === 'off');
    assert.equal(before.attributes['installed_version'], 'ITEAD 1.5.5');
    await assert.rejects(ha.call('update.install', { entity_id: update(ID) }), 'it is not offered yet');
    const browser = await launchBrowser();
    const frontend = Array.isArray(browser) ? undefined : await Frontend.open(ha, browser);
    await frontend?.goToDevice(`sonota_${ID}`);
    await run('install_the_new_firmware_on_the_sonoff_in_the_hall');
    await ha.state(update(ID), ({ attributes }) => attributes['in_progress'] === true);
    await ha.state(update(ID), ({ attributes }) => Number(attributes['update_percentage']) > 20);
    // The installation has used the arming up.
    const armed = await ha.state(`switch.sonota_${ID}_arm`, ({ state }) => state === 'on');
    await ha.state(`switch.sonota_${ID}_arm`, ({ state }) => state === 'off', ha.states.indexOf(armed));
    if (frontend)
      await photographForDocs('home-assistant', frontend.page, frontend.page.locator('ha-config-device-page'));
    if (!Array.isArray(browser)) await browser.close();
    await ha.state(sensor(ID, 'stage'), ({ attributes }) => attributes['stage'] === 'finalstage');
    const done = await ha.state(update(ID), ({ attributes }) => attributes['installed_version'] === NEW_FIRMWARE);
    assert.deepEqual([done.state, done.attributes['in_progress']], ['off', false]);
    await ha.state(sensor(ID, 'stage'), ({ state }) => state === 'Done');
    assert.equal((await device.ended).result, 'flashed');
    await ha.state(`event.sonota_${ID}_result`, ({ attributes }) => attributes['event_type'] === 'succeeded');
    await ha.state('sensor.sonota_flasher_done', ({ state }) => state === '1');
    const from = ha.states.length;
    await ha.call('button.press', { entity_id: `button.sonota_${ID}_remove` });
    await ha.state(update(ID), ({ state }) => state === 'removed', from);
  });

  it('a flash that fails ends with the error sensor set, and a notification of what to do', async () => {
    await (await open()).dialsIn({ behaviours: { refusesWith: 406 } });
    await suite.install(ID);
    await ha.state(sensor(ID, 'error'), ({ attributes }) => attributes['code'] === 'model-refused');
    const stage = await ha.state(sensor(ID, 'stage'), ({ state }) => state === 'Failed');
    assert.match(String(stage.attributes['text']), /406/);
    const ended = ha.states.findLast(({ entity_id }) => entity_id === update(ID));
    assert.equal(ended?.attributes['in_progress'], false);
    await until(() => isNotified((message) => message.includes('406')));
    // When Node-RED is back the event is shown again; it is not reported again.
    await ha.call('persistent_notification.dismiss_all');
    const here = suite.scene;
    await here?.restart();
    const events = 'event.sonota_flasher_events';
    const gone = await ha.state(events, ({ state }) => state === 'unavailable');
    await ha.state(events, ({ attributes }) => attributes['error'] === 'model-refused', ha.states.indexOf(gone));
    await ha.state(sensor(ID, 'stage'), ({ state }) => state === 'Failed', ha.states.indexOf(gone));
    assert.equal(await isNotified((message) => message.includes('406')), false);
  });

  it('shows what a person must do as a notification, for as long as it is needed', async () => {
    await open({ credentials: { 'sonota-host': { password: 'top secret' } } });
    await ha.state('button.sonota_flasher_start', ({ state }) => state !== 'unavailable');
    await ha.call('button.press', { entity_id: 'button.sonota_flasher_start' });
    const isAsked = (message: string): boolean => message.startsWith('Hold the button');
    await until(() => isNotified(isAsked));
    await ha.call('button.press', { entity_id: 'button.sonota_flasher_cancel_all' });
    await until(async () => !(await isNotified(isAsked)));
  });

  it('the script flashes all, one after another, and one that fails holds up no other', async () => {
    const here = await open();
    await here.dialsIn({ behaviours: { refusesWith: 406 } });
    await here.dialsIn({ deviceid: OTHER });
    for (const id of [ID, OTHER]) await ha.state(update(id), ({ state }) => state === 'off');
    const from = ha.states.length;
    const since = Date.now();
    await ha.call('script.turn_on', { entity_id: 'script.sonota_flash_all' });
    await ha.state(`event.sonota_${OTHER}_result`, ({ attributes }) => attributes['event_type'] === 'succeeded', from);
    assert.ok(Date.now() - since < A_MINUTE_MS, 'the one that failed was waited for');
    await ha.state('script.sonota_flash_all', ({ state }) => state === 'off', from);
    await until(async () => (await ha.notifications()).some(({ message }) => /1 flashed, 1 failed/.test(message)));
  });

  it('is unavailable while Node-RED is gone, and comes back', async () => {
    const here = await open();
    await here.dialsIn();
    await ha.state(update(ID), ({ state }) => state === 'off');
    const from = ha.states.length;
    await here.restart();
    await ha.state(update(ID), ({ state }) => state === 'unavailable', from);
    const gone = ha.states.length;
    await ha.state(update(ID), ({ state }) => state === 'off', gone - 1);
  });

  it('third way: a rest_command flashes, and none without the token does', async () => {
    const tab = exampleOf('32').find(({ type }) => type === 'tab');
    assert.ok(tab);
    const here = await open({
      number: '32',
      credentials: { tab: { SONOTA_TOKEN: TOKEN } },
      nodeRed: { settings: { uiPort: nodeRedPort } },
    });
    const device = here.device();
    await device.start();
    await here.ready(ID);
    for (const authorization of ['', 'Bearer ', 'Bearer undefined', `Bearer ${TOKEN}x`]) {
      const answer = await fetch(`${here.red.url}/sonota/flash`, { method: 'POST', headers: { authorization } });
      assert.equal(answer.status, 401, authorization);
    }
    await run('flash_the_sonoff_in_the_hall_by_rest');
    assert.equal((await device.ended).result, 'flashed');
  });

  it('has run every automation and script that is documented', async () => {
    const states = (await ha.api.ask({ type: 'get_states' })) as EntityState[];
    const runs = states.filter(({ entity_id }) => /^(automation|script)\./.test(entity_id));
    const documentedOnes = [
      ...Object.values(documented())
        .join('')
        .matchAll(/^ {2}alias: (.*)$/gm),
    ].map(([, name]) => name);
    assert.deepEqual(runs.map(({ attributes }) => attributes['friendly_name']).sort(), documentedOnes.sort());
    const idle = runs.filter(({ attributes }) => attributes['last_triggered'] === null);
    assert.deepEqual(
      idle.map(({ entity_id }) => entity_id),
      [],
    );
  });

  it('knows everything again after a restart of its own', async () => {
    const here = await open();
    await here.dialsIn();
    await ha.state(update(ID), ({ state }) => state === 'off');
    const from = ha.states.length;
    await ha.restart();
    await ha.state(update(ID), ({ state }) => state === 'off', from);
    await ha.state('sensor.sonota_flasher_state', ({ state }) => state === 'Idle', from);
  });
});
