import assert from 'node:assert/strict';
import { postProvisioning, readDevice } from '../../lib/client/ap-client';
import { bundleOf } from '../../lib/flash/job/evidence-bundle';
import { Job } from '../../lib/flash/job/job';
import type { VirtualResult } from '../../lib/virtual/virtual-sonoff';
import type { Flow } from '../shared/node-red';
import { freePort, occupy } from '../shared/ports';
import { exchange, request } from '../virtual/diy/lab';
import { Bed } from './bed';

function flowOf(apPort: number, more: Record<string, unknown> = {}): Flow {
  const place = { z: 'tab', x: 100, y: 100 };
  return [
    { id: 'tab', type: 'tab', label: 'virtual' },
    // As the form stores them: all strings, most of them empty.
    {
      id: 'virtual',
      type: 'sonota-virtual-device',
      ...place,
      ...{ name: '', apAddress: '', apPort: String(apPort), deviceid: '', model: '', romVersion: '' },
      ...{ transport: 'range', slot: '1', fault: '', speed: '100', wires: [['out']] },
      ...more,
    },
    { id: 'out', type: 'sink', ...place, wires: [] },
    { id: 'catch', type: 'catch', ...place, scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'sink', ...place, wires: [] },
  ];
}

/** The id that the access point tells, once it listens. */
async function deviceAt(apPort: number): Promise<string> {
  for (;;) {
    const options = { signal: new AbortController().signal, limitMs: 60_000 };
    const device = await readDevice(`http://127.0.0.1:${apPort}`, options).catch(() => undefined);
    if (device) return device.deviceid;
  }
}

describe('nodes: sonota-virtual-device', () => {
  let bed: Bed;
  afterEach(() => bed.unload());

  it('is switched on by a message; its access point answers; it ends with one message', async () => {
    const apPort = await freePort();
    bed = await Bed.load(flowOf(apPort));
    assert.equal(bed.shown('virtual')?.fill, 'grey');
    bed.send('virtual', { mine: 'kept' });
    await bed.status('virtual', ({ fill, shape }) => fill === 'blue' && shape === 'dot');
    assert.match(await deviceAt(apPort), /^[0-9a-f]{10}$/);
    // A second message switches it off and another one on.
    bed.send('virtual', { mine: 'second' });
    const first = await bed.at('out');
    assert.equal(first['mine'], 'kept');
    const { result, flashSha256, log } = first.payload as VirtualResult;
    assert.equal(result, 'stopped');
    assert.match(flashSha256, /^[0-9a-f]{64}$/);
    assert.ok(log.length > 0);
    assert.equal((await bed.doneBy('virtual')).length, 1);
    await bed.status(
      'virtual',
      ({ fill }) => fill === 'blue',
      bed.statuses.findIndex(({ status }) => status.fill === 'red'),
    );
  });

  it('says that its port is in use, and works when it is free', async () => {
    const apPort = await freePort();
    const holder = await occupy(apPort);
    bed = await Bed.load(flowOf(apPort));
    bed.send('virtual', { mine: 1 });
    const caught = await bed.at('caught');
    assert.equal(caught.error?.code, 'port-in-use');
    assert.match(caught.error.message, new RegExp(`^Port ${apPort} on 127\\.0\\.0\\.1 `));
    assert.deepEqual(bed.shown('virtual'), { fill: 'red', shape: 'ring', text: 'port-in-use' });
    await holder.release();
    bed.send('virtual', {});
    await bed.status('virtual', ({ fill }) => fill === 'blue');
    await bed.deploy(flowOf(apPort));
    await bed.doneBy('virtual', 2);
    assert.equal(bed.done.filter(({ node, msg }) => node === 'virtual' && msg['mine'] === 1).length, 1);
  });

  it('is a device with DIY mode where that kind is chosen, and names its port where it is in use', async () => {
    const [apPort, lanPort] = [await freePort(), await freePort()];
    const holder = await occupy(lanPort);
    const diy = { kind: 'diy', diyStart: 'diy', diyVersion: '3.5.0', diyFault: 'unlock-500', lanPort: String(lanPort) };
    bed = await Bed.load(flowOf(apPort, diy));
    bed.send('virtual', {});
    assert.match((await bed.at('caught')).error?.message ?? '', new RegExp(`^Port ${lanPort} on 127\\.0\\.0\\.1 `));
    await holder.release();
    bed.send('virtual', {});
    await bed.status('virtual', ({ text }) => text === 'diy-mode');
    const reply = await exchange(lanPort, request('ota_unlock', { data: {} }));
    assert.match(reply ?? '', /"error":500\}$/);
    bed.send('virtual', { cancel: true });
    const { result } = (await bed.at('out')).payload as VirtualResult;
    assert.equal(result, 'stopped');
  });

  it('is switched off by a message that comes while it is being switched on', async () => {
    const apPort = await freePort();
    bed = await Bed.load(flowOf(apPort));
    bed.send('virtual', { mine: 'on' });
    bed.send('virtual', { mine: 'off', cancel: true });
    const stopped = await bed.at('out');
    assert.deepEqual([stopped['mine'], (stopped.payload as VirtualResult).result], ['on', 'stopped']);
    assert.deepEqual(await bed.doneBy('virtual', 2), [undefined, undefined]);
    await (await occupy(apPort)).release();
    bed.send('virtual', { cancel: true });
    assert.deepEqual(await bed.doneBy('virtual', 3), [undefined, undefined, undefined]);
  });

  it('does what the device of a bundle did', async () => {
    const apPort = await freePort();
    bed = await Bed.load(flowOf(apPort));
    const job = new Job('cloud', '1000a1b2c3');
    job.evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 60 });
    const evidence = bundleOf(job, { versions: {}, secrets: [] });
    bed.send('virtual', { evidence });
    await deviceAt(apPort);
    const settings = { serverName: '127.0.0.1', port: await freePort(), ssid: 'home', password: 'top secret' };
    const options = { signal: new AbortController().signal, limitMs: 60_000 };
    await postProvisioning(`http://127.0.0.1:${apPort}`, settings, options);
    await bed.status('virtual', ({ text }) => text.includes('joined'));
    bed.send('virtual', { cancel: true });
    const { log } = (await bed.at('out')).payload as VirtualResult;
    assert.ok(
      log.some((line) => line.includes('state: not-joined')),
      log.join('\n'),
    );
  });

  it('takes a bundle out of the message, and says that it is none', async () => {
    bed = await Bed.load(flowOf(await freePort()));
    bed.send('virtual', { mine: 1, evidence: 'no bundle' });
    const caught = await bed.at('caught');
    assert.equal(caught.error?.code, 'value-invalid');
    assert.match(caught.error.message, /evidence/);
    assert.ok(!('evidence' in caught));
  });

  it('refuses a fault that nobody knows without ending Node-RED', async () => {
    bed = await Bed.load(flowOf(await freePort(), { fault: 'no such fault' }));
    bed.send('virtual');
    assert.equal((await bed.at('caught')).error?.code, 'value-invalid');
  });

  it('outlives a redeploy, and is switched off with its node', async () => {
    const apPort = await freePort();
    const flow = flowOf(apPort);
    bed = await Bed.load(flow);
    bed.send('virtual', {});
    await bed.status('virtual', ({ fill }) => fill === 'blue');
    await bed.deploy(flow);
    assert.deepEqual(await bed.doneBy('virtual'), [undefined]);
    assert.equal(bed.shown('virtual')?.fill, 'blue');
    assert.match(await deviceAt(apPort), /^[0-9a-f]{10}$/);
    await bed.deploy(flow.filter(({ id }) => id !== 'virtual'));
    await (await occupy(apPort)).release();
    assert.equal(bed.messages('out').length, 0);
  });
});
