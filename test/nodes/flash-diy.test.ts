import assert from 'node:assert/strict';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import type { Flow } from '../shared/node-red';
import { ownMdnsPort } from '../shared/own-mdns';
import { freePort } from '../shared/ports';
import { Bed, freePorts } from './bed';

const HOME = { ssid: 'home', password: 'top secret' };
const AT = { z: 'tab', x: 1, y: 1, name: '' };
const ID = '1000a1b2c3';

describe('nodes: sonota-flash and DIY mode', () => {
  let bed: Bed | undefined;
  const devices: VirtualDiySonoff[] = [];
  let [apPort, lanPort, newPort] = [0, 0, 0];

  beforeEach(async () => {
    [apPort, lanPort, newPort] = [await freePort(), await freePort(), await freePort()];
  });
  afterEach(async () => {
    await Promise.all(devices.splice(0).map((device) => device.stop()));
    await bed?.unload();
    bed = undefined;
  });

  async function device(options: Partial<VirtualDiyOptions> = {}): Promise<VirtualDiySonoff> {
    const made = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort, lanPort, speed: 100, deviceid: ID, homeNetwork: HOME },
      newFirmware: { apAddress: '127.0.0.1', apPort: newPort, homePort: 0 },
      mdns: { port: await ownMdnsPort() },
      ...options,
    });
    devices.push(made);
    await made.start();
    return made;
  }

  async function load(node: object = {}): Promise<Bed> {
    const sink = (id: string): Flow[number] => ({ id, type: 'sink', ...AT, wires: [] });
    bed = await Bed.load(
      [
        { id: 'tab', type: 'tab', label: 'flash' },
        {
          ...{ id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '' },
          ...{ ...(await freePorts()), wifi: 'manual' },
        },
        {
          ...{ id: 'firmware', type: 'sonota-firmware', name: '' },
          ...{ user1: 'rehearsal:', user2: 'rehearsal:', final: 'rehearsal:final' },
        },
        {
          ...{ id: 'flash', type: 'sonota-flash', ...AT, host: 'host', firmware: 'firmware', timeout: '600' },
          ...{ ssid: HOME.ssid, apUrl: `http://127.0.0.1:${apPort}`, newFirmwareUrl: `http://127.0.0.1:${newPort}` },
          wires: [['out'], ['progress']],
          ...node,
        },
        ...['out', 'progress', 'caught'].map(sink),
        { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
      ],
      { flash: { password: HOME.password } },
    );
    return bed;
  }

  /** The stages that a flash has passed through, as its job has them. */
  async function flashed(message: object): Promise<string[]> {
    assert.ok(bed);
    bed.send('flash', { ...message });
    const failed = bed.at('caught').then(({ error }) => {
      const { log = [] } = devices.at(-1) ?? {};
      return assert.fail([`${error?.code}: ${error?.message}`, ...log].join('\n'));
    });
    const msg = await Promise.race([bed.at('out'), failed]);
    assert.deepEqual([msg['deviceid'], msg.sonota?.['stage'], msg.sonota?.['percent']], [ID, 'done', 100]);
    assert.equal((msg.payload as { kind?: string }).kind, 'tasmota');
    assert.deepEqual(await bed.doneBy('flash'), [undefined]);
    assert.deepEqual(bed.shown('flash'), { fill: 'green', shape: 'dot', text: 'done' });
    return Object.keys(msg.sonota?.['stages'] as object);
  }

  it('takes a 3.7.6 from its access point through DIY mode to its new firmware', async () => {
    const bed = await load();
    const made = await device();
    assert.deepEqual(await flashed({ mine: 1 }), ['provision', 'diy', 'newfirmware']);
    assert.equal(made.state, 'new-access-point');
    const progress = bed.messages('progress');
    const stages = new Set(progress.map(({ topic }) => String(topic).split('/')[1]));
    assert.deepEqual([...stages], ['provision', 'diy', 'newfirmware']);
    const percents = progress.map(({ payload }) => Number(payload));
    assert.deepEqual(
      percents,
      [...percents].sort((one, other) => one - other),
    );
    assert.ok(!JSON.stringify([bed.arrived, bed.statuses]).includes(HOME.password));
  });

  it('flashes a device that is in DIY mode at home, by its id', async () => {
    await load();
    await device({ startsIn: 'diy' });
    assert.deepEqual(await flashed({ deviceid: ID }), ['provision', 'diy', 'newfirmware']);
  });

  it('flashes the only device that is in DIY mode at home where that method is chosen', async () => {
    await load({ method: 'diy' });
    await device({ startsIn: 'diy' });
    assert.deepEqual(await flashed({}), ['provision', 'diy', 'newfirmware']);
  });

  it('flashes one at the address of the message, with firmware 3.3 that announces nothing', async () => {
    await load({ ssid: '' });
    await device({ startsIn: 'diy', version: '3.3.0', mdns: false });
    assert.deepEqual(await flashed({ deviceid: ID, address: `127.0.0.1:${lanPort}` }), ['diy', 'newfirmware']);
  });

  it('lets the relay click before the flash if its form asks for that', async () => {
    const bed = await load({ clicks: true });
    await device({ startsIn: 'diy' });
    bed.send('flash', { deviceid: ID, address: `127.0.0.1:${lanPort}` });
    await bed.at('progress', ({ text }) => /the relay that clicks/.test(String(text)));
  });

  it('waits for the device to come here to be unlocked if its form asks for that', async () => {
    const bed = await load({ unlock: 'local' });
    await device({ startsIn: 'diy', fault: 'unlock-503' });
    bed.send('flash', { deviceid: ID, address: `127.0.0.1:${lanPort}` });
    // Where this process may not open port 80, or another one has it, that is what is reported.
    assert.match(String((await bed.at('caught')).error?.code), /^diy-unlock-(not-asked|port)$/);
  });

  const s31 = () => device({ version: '3.5.0', model: 'S31', fault: 'no-diy-mode' });

  it('refuses a 3.5.0 without DIY mode before anything is posted', async () => {
    const bed = await load();
    const made = await s31();
    bed.send('flash', { mine: 4 });
    assert.equal((await bed.at('caught')).error?.code, 'diy-mode-missing');
    assert.ok(!made.log.includes('access point: took settings'), made.log.join('\n'));
  });

  for (const [what, node, message] of [
    ['where a person insists', { force: true }, {}],
    ['where the form says so', { method: 'cloud' }, {}],
    ['where the message says so', { method: 'diy' }, { method: 'cloud' }],
  ] as const) {
    it(`sends one to the emulated cloud ${what}`, async () => {
      const bed = await load(node);
      await s31();
      bed.send('flash', message);
      await bed.at('progress', ({ topic }) => topic === `${ID}/cloud`);
    });
  }
});
