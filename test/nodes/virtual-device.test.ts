import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { explain } from '../../lib/errors';
import { quoted } from '../../lib/wordings/wording';
import { postProvisioning, readDevice } from '../../lib/client/ap-client';
import { bundleOf } from '../../lib/flash/job/evidence-bundle';
import { Job } from '../../lib/flash/job/job';
import type { VirtualResult, VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { MessageValues } from '../../nodes/shared/messages';
import { Values } from '../../nodes/shared/values';
import { deviceOf } from '../../nodes/sonota-virtual-device/chosen-device';
import {
  detach,
  switchOff,
  switchOffAbandoned,
  switchOn,
  takeOver,
  type RehearsalOutlet,
} from '../../nodes/sonota-virtual-device/rehearsals';
import type { Flow } from '../shared/node-red';
import { freePort, occupy } from '../shared/ports';
import { replyTo, request } from '../virtual/diy/lab';
import { Bed } from './bed';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

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
    const reason = quoted(`listen EADDRINUSE: address already in use 127.0.0.1:${apPort}`);
    assert.equal(caught.error.message, explain('port-in-use', { port: apPort, bind: '127.0.0.1', reason }));
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
    assert.match(await replyTo(lanPort, request('ota_unlock', { data: {} })), /"error":500\}$/);
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

  it('refuses an unknown fault without ending Node-RED', async () => {
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

describe('nodes: the device that the form of sonota-virtual-device describes', () => {
  const COMMON = { apAddress: '127.0.0.1', apPort: 10080, deviceid: '1000f1a5b0', speed: 1, lingerMs: 900_000 };
  const CLOUD = { ...COMMON, romVersion: '1.5.5', transport: 'range', slot: 1, fault: '' };
  const DIY = { ...COMMON, version: '3.7.6', fault: '', lanPort: 10082, vendorPort: 80 };
  const lives = { apAddress: '127.0.0.1', apPort: 10080, homePort: 10081 };
  const bundle = '{"bundle":1}\n{"kind":"dispatched","via":"plain","model":"PSC-B01-GL"}\n';

  const ROWS: [what: string, form: object, kind: 'cloud' | 'diy', options: object][] = [
    ['an empty one', {}, 'cloud', CLOUD],
    ['an empty one of a device with DIY mode', { kind: 'diy' }, 'diy', DIY],
    ['one that lives on', { livesOn: true }, 'cloud', { ...CLOUD, newFirmware: lives }],
    [
      'one that lives on elsewhere',
      { kind: 'diy', livesOn: true, apPort: '1', newApPort: '2', homePort: '3' },
      'diy',
      { ...DIY, apPort: 1, newFirmware: { ...lives, apPort: 2, homePort: 3 } },
    ],
    [
      'one that lives on in the place of its access point',
      { livesOn: true, apAddress: '127.0.0.9', apPort: '1' },
      'cloud',
      {
        ...CLOUD,
        apAddress: '127.0.0.9',
        apPort: 1,
        newFirmware: { apAddress: '127.0.0.9', apPort: 1, homePort: 10081 },
      },
    ],
    [
      'all of its fields',
      {
        ...{ deviceid: 'ITEAD-1000A1B2C3', model: 'PSB-B04-GL', romVersion: '2.0.1', transport: 'plain' },
        ...{ slot: '2', fault: 'refuse-406', speed: '10', diyFault: 'unlock-500' },
      },
      'cloud',
      {
        ...{ ...CLOUD, deviceid: '1000a1b2c3', model: 'PSB-B04-GL', romVersion: '2.0.1', transport: 'plain' },
        ...{ slot: 2, fault: 'refuse-406', speed: 10 },
      },
    ],
    [
      'all of its fields for DIY mode',
      {
        ...{ kind: 'diy', model: 'BASICR3', diyVersion: '3.5.0', diyFault: 'unlock-500', diyStart: 'ewelink' },
        ...{ lanPort: '1', vendorPort: '2', dns: '127.0.0.1:53', fault: 'refuse-406' },
      },
      'diy',
      {
        ...{ ...DIY, model: 'BASICR3', version: '3.5.0', fault: 'unlock-500', startsIn: 'ewelink' },
        ...{ lanPort: 1, vendorPort: 2, dns: '127.0.0.1:53' },
      },
    ],
  ];
  for (const [what, form, kind, options] of ROWS) {
    it(`is that of ${what}`, () => {
      assert.deepEqual(deviceOf(Values.ofForm(form)), { kind, options });
    });
  }

  it('is that of a bundle of evidence, whichever kind the form has', () => {
    const message = { evidence: bundle };
    const { kind, options } = deviceOf(
      Values.ofForm({ kind: 'diy', deviceid: '1000a1b2c3', model: 'PSB-B04-GL' }),
      new MessageValues(message),
    );
    assert.deepEqual([kind, options.deviceid, options.model], ['cloud', '1000a1b2c3', 'PSC-B01-GL']);
    assert.ok(!('evidence' in message), 'it is not sent on');
    const asRead = deviceOf(Values.ofForm({ kind: 'diy' }), new MessageValues({ evidence: Buffer.from(bundle) }));
    assert.deepEqual([asRead.kind, asRead.options.model], ['cloud', 'PSC-B01-GL'], 'as a file is read');
    for (const evidence of [undefined, null, '']) {
      assert.equal(deviceOf(Values.ofForm({ kind: 'diy' }), new MessageValues({ evidence })).kind, 'diy');
    }
  });

  it('has every way of starting and downloading that its form offers', () => {
    const read = (form: object): unknown => deviceOf(Values.ofForm(form)).options;
    for (const transport of ['range', 'no-range', 'plain', 'verifying']) {
      assert.equal((read({ transport }) as { transport: string }).transport, transport);
    }
    for (const diyStart of ['access-point', 'diy', 'ewelink', 'jumper']) {
      assert.equal((read({ kind: 'diy', diyStart }) as { startsIn: string }).startsIn, diyStart);
    }
  });

  it('is refused for a value of the kind that is not chosen, too', () => {
    for (const form of [{ diyFault: 'nothing' }, { kind: 'diy', fault: 'nothing' }, { kind: 'third' }]) {
      assert.throws(() => deviceOf(Values.ofForm(form)), { code: 'value-invalid' }, JSON.stringify(form));
    }
  });
});

describe('nodes: virtual devices behind their nodes', () => {
  let count = 0;
  let id: string;
  const told: string[] = [];
  const outlet = (name = ''): RehearsalOutlet => ({
    state: (state) => told.push(`${name}${state}`),
    ended: ({ result }) => told.push(`${name}ended: ${result}`),
    off: () => told.push(`${name}off`),
  });

  /** What a device tells, without its hardware. */
  class Told extends EventEmitter {
    isOn = false;
    private end: (result: { result: string }) => void = () => undefined;
    readonly ended = new Promise<{ result: string }>((resolve) => (this.end = resolve));
    start(): Promise<void> {
      this.isOn = true;
      this.emit('state', 'access-point');
      return Promise.resolve();
    }
    async stop(result = 'stopped'): Promise<void> {
      this.isOn = false;
      this.end({ result });
      await this.ended;
      await nextTurn();
    }
  }

  async function on(device = new Told(), name = ''): Promise<Told> {
    await switchOn(id, () => device as unknown as VirtualSonoff, outlet(name));
    return device;
  }

  beforeEach(() => {
    id = `rehearsal-${(count += 1)}`;
    told.length = 0;
  });
  afterEach(async () => {
    timeGoesOn();
    await switchOff(id);
  });

  it('are reported once at their end, and one that keeps running when it is flashed and when it is off', async () => {
    await (await on()).stop();
    takeOver(id, outlet('next '));
    assert.deepEqual(told.splice(0), ['access-point', 'ended: stopped']);
    const device = await on();
    device.emit('flashed', { result: 'flashed' });
    device.emit('flashed', { result: 'flashed' });
    device.emit('state', 'new-firmware');
    await device.stop();
    assert.deepEqual(told, ['access-point', 'ended: flashed', 'new-firmware', 'off']);
    takeOver(id, outlet('next '));
    assert.equal(told.at(-1), 'off', 'there is nothing to take over');
  });

  it('show under their node, and in a message of it, how they ended and when one that keeps running is off', async () => {
    id = 'virtual';
    const device = await on();
    const bed = await Bed.load(flowOf(await freePort()));
    try {
      await bed.status('virtual', ({ fill, shape, text }) => `${fill} ${shape} ${text}` === 'blue dot access-point');
      device.emit('flashed', { result: 'flashed' });
      assert.deepEqual((await bed.at('out')).payload, { result: 'flashed' });
      assert.deepEqual(bed.shown('virtual'), { fill: 'green', shape: 'dot', text: 'flashed' });
      await device.stop();
      assert.deepEqual(bed.shown('virtual'), { fill: 'grey', shape: 'ring', text: 'idle' });
      const broken = await on();
      takeOver(id, outlet());
      await bed.deploy(flowOf(await freePort()));
      await broken.stop('half-erased');
      assert.deepEqual(bed.shown('virtual'), { fill: 'red', shape: 'ring', text: 'half-erased' });
      assert.equal(bed.messages('out').length, 2);
    } finally {
      await bed.unload();
    }
  });

  it('are switched off behind a deploy that has not brought their node back', async () => {
    const [abandoned, kept] = [await on(), new Told()];
    await switchOn('virtual', () => kept as unknown as VirtualSonoff, outlet());
    for (const one of [id, 'virtual']) await detach(one, false);
    const bed = await Bed.load(flowOf(await freePort()));
    try {
      assert.deepEqual([abandoned.isOn, kept.isOn], [false, true]);
    } finally {
      await bed.unload();
      await switchOff('virtual');
    }
  });

  it('are one at a time for each node, and one that cannot be switched on is none', async () => {
    const first = await on();
    const second = await on(new Told(), 'second ');
    assert.deepEqual([first.isOn, second.isOn], [false, true]);
    const broken = Object.assign(new Told(), { start: () => Promise.reject(new Error('no port')), stop: assert.fail });
    await assert.rejects(on(broken), /no port/);
    assert.equal(second.isOn, false);
    // There is nothing to switch off.
    await switchOff(id);
    takeOver(id, outlet('next '));
    assert.ok(!told.some((text) => text.startsWith('next')));
  });

  it('are switched off by hand, though the one before them ends only after it was switched off', async () => {
    const late = await on(Object.assign(new Told(), { stop: () => Promise.resolve() }));
    const second = await on(new Told(), 'second ');
    await Told.prototype.stop.call(late);
    await switchOff(id);
    assert.equal(second.isOn, false);
  });

  it('are switched off by hand also where they run their new firmware', async () => {
    const device = await on();
    device.emit('flashed', { result: 'flashed' });
    device.emit('state', 'new-firmware');
    await switchOff(id);
    assert.equal(device.isOn, false);
    assert.equal(told.at(-1), 'off');
  });

  it('go over to the next instance of their node, which gets their state', async () => {
    timeStands(['setTimeout']);
    const device = await on();
    device.emit('state', 'joined');
    await detach(id, false);
    device.emit('state', 'upgrading');
    timePasses(4999);
    takeOver(id, outlet('next '));
    timePasses(10_000);
    assert.equal(device.isOn, true);
    device.emit('state', 'blinking');
    assert.deepEqual(told, ['access-point', 'joined', 'next upgrading', 'next blinking']);
    await switchOffAbandoned();
    assert.equal(device.isOn, true, 'it has a node');
  });

  it('are switched off where no next instance comes, after a deploy or soon, and with a node that is removed', async () => {
    timeStands(['setTimeout']);
    const left = await on();
    await detach(id, false);
    timePasses(5000);
    assert.equal(left.isOn, false);
    const abandoned = await on();
    await detach(id, false);
    await switchOffAbandoned();
    assert.equal(abandoned.isOn, false);
    const removed = await on();
    await detach(id, true);
    assert.equal(removed.isOn, false);
    assert.ok(!told.some((text) => text.includes('ended')), 'nobody is left to tell');
  });
});
