import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { hosts } from '../../nodes/shared/hosts';
import { useHttpServers } from '../shared/http-server';
import type { Flow } from '../shared/node-red';
import { freePort, occupy } from '../shared/ports';
import { Bed, freePorts, without, type Ports } from './bed';

const at = { z: 'tab', x: 100, y: 100 };

/** Every type of node that uses a host and waits for devices, as its form stores it. */
const WAITING: Record<string, object> = {
  'sonota-cloud-emulator': { every: true, timeout: '' },
  'sonota-home-assistant': { firmware: '', prefix: '', topic: '' },
  'sonota-queue': { atOnce: '', attempts: '' },
};

/** Those that wait for a message. */
const OTHERS: Record<string, object> = {
  'sonota-flash': { timeout: '' },
  'sonota-provision': { url: '', timeout: '' },
  'sonota-cloud-emulator': { every: false, timeout: '' },
  'sonota-ota-serve': { firmware: '', timeout: '' },
  'sonota-finalstage-watch': { firmware: '', url: '', timeout: '' },
  'sonota-diy-flash': { firmware: '', address: '', timeout: '' },
  'sonota-new-firmware': { url: '', timeout: '' },
  'sonota-preflight': { firmware: '' },
  'sonota-wifi': { timeout: '' },
  'sonota-tasmota-setup': { timeout: '' },
};

describe('nodes: what a node leaves behind', () => {
  const servers = useHttpServers();
  let bed: Bed;
  afterEach(() => bed.unload());

  async function listens(port: number): Promise<boolean> {
    const holder = await occupy(port).catch(() => undefined);
    await holder?.release();
    return holder === undefined;
  }

  function flowOf(ports: Ports, type: string, more: object): Flow {
    const numbers = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
    return [
      { id: 'tab', type: 'tab', label: 'users' },
      { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '', ...numbers },
      { id: 'user', type, ...at, host: 'host', wires: [[], []], ...more },
    ];
  }

  for (const [type, more] of Object.entries(WAITING)) {
    it(`a ${type} that waits for devices opens the ports of its host, and frees them when it is removed`, async () => {
      const ports = await freePorts();
      const flow = flowOf(ports, type, more);
      bed = await Bed.load(flow);
      while (!(await listens(ports.httpPort))) await nextTurn();
      // The deploy waits for the node that goes: what comes in its place may need the port.
      await bed.deploy(without(flow, 'user'), 'nodes');
      assert.equal(await listens(ports.httpPort), false);
    });
  }

  for (const [type, more] of Object.entries({ ...WAITING, ...OTHERS }).filter(
    ([type]) => type !== 'sonota-home-assistant',
  )) {
    it(`a ${type} refuses every message while the form of its host cannot be read`, async () => {
      const flow = flowOf(await freePorts(), type, more);
      bed = await Bed.load(flow.map((node) => (node.id === 'host' ? { ...node, httpsPort: 'abc' } : node)));
      await bed.status('user', ({ fill, text }) => fill === 'red' && text === 'value-invalid');
      bed.send('user', { action: 'scan', deviceid: '1000a1b2c3', ssid: 'home', password: 'top secret' });
      const [error] = await bed.doneBy('user');
      assert.equal((error as { code?: string }).code, 'value-invalid');
    });
  }

  for (const [type, more] of Object.entries(OTHERS)) {
    it(`a ${type} leaves the ports of its host alone until a message comes`, async () => {
      const ports = await freePorts();
      bed = await Bed.load(flowOf(ports, type, more));
      const host = hosts.all().find(([id]) => id === 'host')?.[1];
      assert.ok(host);
      // It comes after whatever the node may have asked for.
      await host.stopListening(() => false);
      assert.equal(host.isListening, false);
    });
  }

  it('no listener at its host stays behind a node that is exchanged or removed', async () => {
    const nodes = [
      ...Object.entries(WAITING).map(([type, more]) => ({ ...more, id: `waiting ${type}`, type })),
      ...Object.entries(OTHERS).map(([type, more]) => ({ ...more, id: `other ${type}`, type })),
      { id: 'joiner', type: 'sonota-wifi', action: 'join' },
    ].map((node) => ({ ...at, host: 'host', wires: [[], [], []], ...node }));
    const [tab, host] = flowOf(await freePorts(), 'sonota-flash', {});
    const withAll = [tab, host, ...nodes] as Flow;
    bed = await Bed.load([tab, host] as Flow);
    const listeners = (): Record<string, number> => {
      const flashHost = hosts.all().find(([id]) => id === 'host')?.[1];
      assert.ok(flashHost);
      const { jobs, devices, queue, runs, survey, nextSteps, wifiSession } = flashHost;
      const emitters = { flashHost, jobs, devices, queue, runs, survey, nextSteps, wifiSession } as unknown;
      return Object.fromEntries(
        Object.entries(emitters as Record<string, EventEmitter>).flatMap(([name, emitter]) =>
          emitter.eventNames().map((event) => [`${name} ${String(event)}`, emitter.listenerCount(event)]),
        ),
      );
    };
    const alone = listeners();
    await bed.deploy(withAll);
    const during = listeners();
    assert.notDeepEqual(during, alone);
    await bed.deploy(withAll);
    assert.deepEqual(listeners(), during);
    await bed.deploy([tab, host] as Flow);
    assert.deepEqual(listeners(), alone);
  });

  it('an image doctor that goes in mid-download lets its message go without an error', async () => {
    const asked = new EventEmitter();
    const url = await servers.serve((_, response) => {
      response.write('\xe9');
      asked.emit('asked');
    });
    const flow: Flow = [
      { id: 'tab', type: 'tab', label: 'doctor' },
      { id: 'doctor', type: 'sonota-image-doctor', ...at, road: '', wires: [['out']] },
      { id: 'out', type: 'sink', ...at, wires: [] },
      { id: 'catch', type: 'catch', ...at, scope: null, uncaught: false, wires: [['caught']] },
      { id: 'caught', type: 'sink', ...at, wires: [] },
    ];
    bed = await Bed.load(flow);
    bed.send('doctor', { payload: `${url}/image.bin` });
    await once(asked, 'asked');
    const shown = bed.statuses.length;
    await bed.deploy(flow);
    assert.deepEqual(await bed.doneBy('doctor'), [undefined]);
    assert.deepEqual([bed.messages('caught'), bed.messages('out')], [[], []]);
    assert.ok(!bed.statuses.slice(shown).some(({ status }) => status.fill === 'red'));
  });

  it('a virtual device that is exchanged lets its message go, and the new one puts out how it ended', async () => {
    const apPort = await freePort();
    const flow: Flow = [
      { id: 'tab', type: 'tab', label: 'virtual' },
      {
        id: 'virtual',
        type: 'sonota-virtual-device',
        ...at,
        ...{ name: '', apAddress: '', apPort: String(apPort), deviceid: '', model: '', romVersion: '' },
        ...{ transport: 'range', slot: '1', fault: '', speed: '100', wires: [['out']] },
      },
      { id: 'out', type: 'sink', ...at, wires: [] },
    ];
    bed = await Bed.load(flow);
    bed.send('virtual', { mine: 'kept' });
    await bed.status('virtual', ({ fill, shape }) => fill === 'blue' && shape === 'dot');
    assert.deepEqual(bed.done, []);
    await bed.deploy(flow.map((node) => (node.id === 'virtual' ? { ...node, name: 'again' } : node)));
    assert.deepEqual(await bed.doneBy('virtual'), [undefined]);
    bed.send('virtual', { cancel: true });
    await bed.at('out');
    assert.equal(bed.messages('out').length, 1);
  });
});
