import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TasmotaSetUp } from '../../lib/tasmota/set-up';
import type { Flow } from '../shared/node-red';
import { booted, pageOf, TASMOTA } from '../virtual/booted';
import { closeAll } from '../virtual/lab';
import { freePort } from '../shared/ports';
import type { HostNode } from '../../nodes/shared/hosts';
import { Bed, without } from './bed';

const SECRETS = ['wifi-secret', 'mqtt-secret', 'web-secret'] as const;
const [WIFI, MQTT, WEB] = SECRETS;
/** What a message brings in a property of its own. */
const MESSAGE = 'message-secret';

function flowOf(form: Record<string, unknown>): Flow {
  const place = { z: 'tab', x: 100, y: 100 };
  const ports = { bind: '127.0.0.1', address: '127.0.0.1', httpsPort: '0', legacyPort: '0', httpPort: '0' };
  return [
    { id: 'tab', type: 'tab', label: 'tasmota' },
    { id: 'host', type: 'sonota-host', name: '', ssid: 'home', ...ports, finalStagePort: 0 },
    // As the form stores them: all strings, most of them empty.
    {
      id: 'setup',
      type: 'sonota-tasmota-setup',
      ...place,
      ...{ name: '', host: 'host', url: '', address: '', topic: '', deviceName: '', template: '' },
      ...{ mqttHost: '', mqttPort: '', timeout: '20', wires: [['out'], ['progress']] },
      ...form,
    },
    { id: 'out', type: 'sink', ...place, wires: [] },
    { id: 'progress', type: 'sink', ...place, wires: [] },
    { id: 'catch', type: 'catch', ...place, scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'sink', ...place, wires: [] },
  ];
}

const CREDENTIALS = { host: { password: WIFI }, setup: { mqttPassword: MQTT, mqttUser: 'me', webPassword: WEB } };

describe('nodes: sonota-tasmota-setup', () => {
  let bed: Bed | undefined;
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
    await closeAll();
  });

  /** A Tasmota in its access point, and the two addresses at which it is found. */
  async function tasmota(): Promise<{ url: string; address: string; log: string[] }> {
    const homePort = await freePort();
    const device = await booted(TASMOTA, { speed: 50, newFirmware: { apAddress: '127.0.0.1', apPort: 0, homePort } });
    return { url: await pageOf(device, 'ap'), address: `127.0.0.1:${homePort}`, log: device.log };
  }

  /** What is stored: started again behind a deploy or a restart. */
  const left = (): unknown[] => (bed!.node('host') as HostNode).flashHost.runs.pending.all();

  it('sets a Tasmota up, keeps what the message brought, and shows no password anywhere', async () => {
    const { url, address, log } = await tasmota();
    bed = await Bed.load(flowOf({ url, address, topic: 'sonoff_{deviceid}' }), CREDENTIALS);
    const job = { deviceid: '10000a1b2c', model: 'PSC-B01-GL', mac: null, ip: null };
    bed.send('setup', {
      _msgid: 'one',
      mine: 'kept',
      deviceid: '10000a1b2c',
      sonota: job,
      tasmota: { name: 'Washer' },
    });
    const result = await bed.at('out');
    const { url: home, topic, name, module, mqtt, warnings } = result.payload as TasmotaSetUp;
    assert.deepEqual(
      { home, topic, name, module, mqtt, warnings, mine: result['mine'], sonota: result.sonota },
      {
        home: `http://${address}`,
        topic: 'sonoff_10000a1b2c',
        name: 'Washer',
        module: { number: 6, name: 'Sonoff Pow' },
        mqtt: { broker: null, state: 'not-set', connects: 0 },
        warnings: [],
        mine: 'kept',
        sonota: job,
      },
    );
    assert.deepEqual(await bed.doneBy('setup'), [undefined]);
    assert.deepEqual(bed.shown('setup'), { fill: 'green', shape: 'dot', text: 'done' });
    const progress = bed.messages('progress');
    const percents = progress.map(({ payload }) => Number(payload));
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    assert.equal(percents.at(-1), 100);
    for (const [index, { topic: told, text }] of progress.entries()) {
      assert.notEqual(text, progress[index - 1]?.['text'], 'the same thing once');
      assert.equal(told, '10000a1b2c/tasmota');
      assert.ok(String(text).length > 20);
      const { _msgid, deviceid, sonota } = progress[index] ?? {};
      assert.deepEqual([_msgid, deviceid, sonota], ['one', '10000a1b2c', job], 'it belongs to the message');
    }
    assert.deepEqual([progress[0]?.['waiting'], progress.at(-1)?.['waiting']], [true, false]);
    assert.ok(progress.some(({ details }) => typeof details === 'string' && details.length > 20));
    assert.ok(progress.some((told) => !('details' in told)));
    const all = JSON.stringify([bed.arrived, bed.statuses, log]);
    for (const secret of SECRETS) assert.ok(!all.includes(secret), secret);
    const denied = await fetch(`http://${address}/cm?cmnd=Status`, { headers: { Referer: `http://${address}` } });
    assert.equal(denied.status, 401, 'it has its web password');
    assert.deepEqual(left(), []);
  });

  it('warns of a model that does not tell the module', async () => {
    const { url, address } = await tasmota();
    bed = await Bed.load(flowOf({ url, address }), CREDENTIALS);
    bed.send('setup', { sonota: { model: 'PSB-B04-GL' } });
    const { warnings } = (await bed.at('out')).payload as TasmotaSetUp;
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['template-unknown'],
    );
    assert.deepEqual(bed.shown('setup'), { fill: 'yellow', shape: 'ring', text: 'template-unknown' });
  });

  it('does one after the other, and cancels on command', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(flowOf({ url: nobody, address: nobody }), CREDENTIALS);
    bed.send('setup', { deviceid: 'first' });
    bed.send('setup', { deviceid: 'second' });
    await bed.status('setup', ({ text }) => text.endsWith('(+1)'));
    assert.equal(left().length, 2);
    bed.send('setup', { deviceid: 'second', cancel: true });
    assert.equal((await bed.at('caught')).error?.code, 'cancelled');
    assert.equal(bed.shown('setup')?.fill, 'yellow', 'the first one is at work still');
    assert.equal(left().length, 1);
    assert.equal(bed.shown('setup')?.fill, 'yellow', 'the first one still waits');
    // What Home Assistant says is taken as the message's own.
    bed.send('setup', { payload: { event_type: 'sonota_flash', event: { cancel: true } } });
    await bed.status('setup', ({ text }) => text === 'cancelled');
    await bed.at('caught', ({ deviceid }) => deviceid === 'first');
    const caught = bed.messages('caught').map(({ deviceid, error }) => [deviceid, error?.code]);
    assert.deepEqual(caught, [
      ['second', 'cancelled'],
      ['first', 'cancelled'],
    ]);
    assert.deepEqual(left(), []);
  });

  it('says what it cannot start with', async () => {
    bed = await Bed.load(flowOf({ host: '' }), CREDENTIALS);
    bed.send('setup', { mine: 1 });
    assert.equal((await bed.at('caught')).error?.code, 'host-missing');
    await bed.unload();
    bed = await Bed.load(flowOf({ address: 'ftp://x' }), CREDENTIALS);
    bed.send('setup', { mine: 1 });
    assert.equal((await bed.at('caught')).error?.code, 'url-invalid');
    await bed.unload();
    bed = await Bed.load(flowOf({}), CREDENTIALS);
    bed.send('setup', { deviceid: { not: 'an id' } });
    await bed.status('setup', ({ text }) => text === 'value-invalid');
    bed.send('setup', { payload: { kind: 'esphome', url: 'http://192.168.1.9' } });
    await bed.status('setup', ({ text }) => text === 'tasmota-other-firmware');
    assert.deepEqual(left(), [], 'it was refused, and not begun');
  });

  it('is not in the way of a deploy', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const flow = flowOf({ url: nobody, address: nobody });
    bed = await Bed.load(flow, CREDENTIALS);
    bed.send('setup', { mine: 1 });
    await bed.status('setup', ({ fill }) => fill === 'yellow');
    // One that waits behind it is let go as well.
    bed.send('setup', { mine: 2 });
    await bed.status('setup', ({ text }) => text.endsWith('(+1)'));
    await bed.deploy(flow);
    assert.deepEqual(await bed.doneBy('setup', 2), [undefined, undefined]);
    assert.equal(bed.messages('caught').length, 0);
    assert.equal(left().length, 2);
    await bed.deploy(without(flow, 'setup'));
    assert.deepEqual(left(), [], 'the node is no more');
  });

  it('starts a message once that comes just before it continues with what is left', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const flow = flowOf({ url: nobody, address: nobody });
    bed = await Bed.load(flow, CREDENTIALS);
    const { RED } = bed;
    assert.ok(RED);
    // As an inject node that fires when the flows start.
    RED.events.prependOnceListener('flows:started', () => bed?.send('setup', { mine: 1 }));
    await bed.deploy(flow);
    await bed.status('setup', ({ fill }) => fill === 'yellow');
    assert.equal(left().length, 1);
    bed.send('setup', { cancel: true });
    await bed.at('caught');
    await bed.doneBy('setup', 2);
    assert.deepEqual([bed.messages('caught').length, left()], [1, []]);
    assert.ok(!bed.statuses.some(({ status }) => status.text.includes('(+')), 'nothing waits behind it');
  });

  it('continues with its message behind a deploy', async () => {
    const { url, address } = await tasmota();
    const nobody = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(flowOf({ url: nobody, address: nobody }));
    bed.send('setup', { mine: 'kept', password: WIFI });
    await bed.status('setup', ({ fill }) => fill === 'yellow');
    await bed.deploy(flowOf({ url, address }));
    const result = await bed.at('out');
    assert.equal(result['mine'], 'kept');
    assert.equal((result.payload as TasmotaSetUp).url, `http://${address}`);
    assert.equal(bed.messages('caught').length, 0);
  });

  it('closes behind a deploy the access point that it had left open before', async () => {
    const { url, address } = await tasmota();
    const nobody = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(flowOf({ url: nobody, address: nobody, template: 'keep' }));
    bed.send('setup', { password: WIFI });
    await bed.status('setup', ({ fill }) => fill === 'yellow');
    // So far it had come: the device has the Wi-Fi, and would open its access point again without one.
    await fetch(`${url}/cm?cmnd=${encodeURIComponent(`Backlog SSID1 home;Password1 ${WIFI};WifiConfig 2`)}`);
    const home = `http://${address}`;
    while (!(await fetch(home).catch(() => undefined))) await nextTurn();
    await bed.deploy(flowOf({ url, address, template: 'keep' }));
    await bed.at('out');
    const status = await fetch(`${home}/cm?cmnd=Status%205`, { headers: { Referer: home } });
    assert.equal(((await status.json()) as { StatusNET: Record<string, unknown> }).StatusNET['WifiConfig'], 4);
  });

  /** The flow with a second host, and what is to be different about some nodes. */
  function withSecond(form: Record<string, unknown>, more: Record<string, Record<string, unknown>> = {}): Flow {
    const flow = flowOf(form);
    const second = flow.flatMap((node) => (node.id === 'host' ? [{ ...node, id: 'second' }] : []));
    return [...flow, ...second].map((node) => ({ ...node, ...more[node.id] }));
  }

  for (const type of ['full', 'flows', 'nodes'] as const) {
    it(`takes its messages along to another host, in a deploy of ${type}`, async () => {
      const { url, address } = await tasmota();
      const nobody = `http://127.0.0.1:${await freePort()}`;
      bed = await Bed.load(withSecond({ url: nobody, address: nobody }));
      bed.send('setup', { mine: 'kept', password: WIFI });
      await bed.status('setup', ({ fill }) => fill === 'yellow');
      await bed.deploy(withSecond({ url, address, host: 'second' }), type);
      const result = await bed.at('out');
      assert.equal(result['mine'], 'kept');
      assert.equal(bed.messages('caught').length, 0);
      assert.deepEqual(left(), [], 'the first host has it no longer');
    });
  }

  it('takes its messages along from a host that is removed', async () => {
    const { url, address } = await tasmota();
    const nobody = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(withSecond({ url: nobody, address: nobody }));
    bed.send('setup', { mine: 'first', password: WIFI });
    bed.send('setup', { mine: 'second', password: WIFI });
    await bed.status('setup', ({ text }) => text.endsWith('(+1)'));
    await bed.deploy(without(withSecond({ url, address, host: 'second' }), 'host'));
    for (const mine of ['first', 'second']) await bed.at('out', (msg) => msg['mine'] === mine);
    assert.equal(bed.messages('caught').length, 0);
  });

  it('says of each of its messages that its host was removed', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const flow = flowOf({ url: nobody, address: nobody });
    bed = await Bed.load(flow);
    bed.send('setup', { mine: 'first' });
    bed.send('setup', { mine: 'second' });
    await bed.status('setup', ({ text }) => text.endsWith('(+1)'));
    await bed.deploy(without(flow, 'host'));
    for (const mine of ['first', 'second']) {
      assert.equal((await bed.at('caught', (msg) => msg['mine'] === mine)).error?.code, 'host-missing');
    }
  });

  it('continues once it is enabled again', async () => {
    const { url, address } = await tasmota();
    const nobody = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(flowOf({ url: nobody, address: nobody }));
    bed.send('setup', { mine: 'kept', password: WIFI });
    await bed.status('setup', ({ fill }) => fill === 'yellow');
    await bed.deploy(flowOf({ url, address, d: true }));
    assert.equal(left().length, 1);
    await bed.deploy(flowOf({ url, address }));
    assert.equal((await bed.at('out'))['mine'], 'kept');
    assert.equal(bed.messages('caught').length, 0);
  });

  it('takes along what it left at another host before Node-RED was ended', async () => {
    const { url, address } = await tasmota();
    const nobody = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(withSecond({ url: nobody, address: nobody }), CREDENTIALS);
    bed.send('setup', { mine: 'kept' });
    await bed.status('setup', ({ fill }) => fill === 'yellow');
    await (bed.node('host') as HostNode).flashHost.whenStored();
    const files = await filesIn(bed.folder);
    await bed.unload();
    const secondCredentials = { second: { password: WIFI } };
    bed = await Bed.load(withSecond({ url, address, host: 'second' }), secondCredentials, (folder) =>
      putFiles(folder, files),
    );
    assert.equal((await bed.at('out'))['mine'], 'kept');
  });

  it('continues with all of its messages after Node-RED was killed, and no password is in any file', async () => {
    const { url, address } = await tasmota();
    const nobody = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(flowOf({ url: nobody, address: nobody }), CREDENTIALS);
    bed.send('setup', { mine: 'first', password: MESSAGE });
    bed.send('setup', { mine: 'second', mqtt: { password: MESSAGE }, apiKey: MESSAGE });
    await bed.status('setup', ({ text }) => text.endsWith('(+1)'));
    await (bed.node('host') as HostNode).flashHost.whenStored();
    const files = await filesIn(bed.folder);
    const texts = [...files.values()].join('\n');
    for (const word of ['first', 'second', 'tasmota']) assert.ok(texts.includes(word), word);
    for (const secret of [...SECRETS, MESSAGE]) assert.ok(!texts.includes(secret), secret);
    await bed.unload();
    // As it was when it was killed, whatever has been written at its end.
    bed = await Bed.load(flowOf({ url, address }), CREDENTIALS, (folder) => putFiles(folder, files));
    for (const mine of ['first', 'second']) await bed.at('out', (msg) => msg['mine'] === mine);
    assert.deepEqual(
      bed.messages('out').map(({ mine }) => mine),
      ['first', 'second'],
    );
    assert.deepEqual([bed.messages('caught'), left()], [[], []]);
  });

  it('leaves nothing to do behind a restart where it is gone, and all where it is disabled', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const flow = flowOf({ url: nobody, address: nobody });
    bed = await Bed.load(flow, CREDENTIALS);
    bed.send('setup', { mine: 'kept' });
    await bed.status('setup', ({ fill }) => fill === 'yellow');
    await (bed.node('host') as HostNode).flashHost.whenStored();
    const files = await filesIn(bed.folder);
    for (const [next, count] of [
      [flow.map((node) => (node.id === 'setup' ? { ...node, d: true } : node)), 1],
      [without(flow, 'setup'), 0],
    ] as const) {
      await bed.unload();
      bed = await Bed.load(next, CREDENTIALS, (folder) => putFiles(folder, files));
      assert.equal(left().length, count);
    }
  });

  it('continues with what a version before 0.2 had stored for it', async () => {
    const { url, address } = await tasmota();
    const stored = { format: 'sonota-set-ups/1', setUps: [{ id: '1', message: { mine: 'stored' } }] };
    const files = new Map([['set-ups/setup.json', JSON.stringify(stored)]]);
    bed = await Bed.load(flowOf({ url, address }), CREDENTIALS, (folder) => putFiles(folder, files));
    assert.equal((await bed.at('out'))['mine'], 'stored');
    assert.deepEqual(left(), []);
  });
});

/** All files below a folder, by their paths in it. */
async function filesIn(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = paths.map(async (path) => [relative(folder, path), await readFile(path, 'latin1')] as const);
  return new Map(await Promise.all(read));
}

async function putFiles(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, text] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text, 'latin1');
  }
}
