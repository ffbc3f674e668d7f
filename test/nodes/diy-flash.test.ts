import assert from 'node:assert/strict';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import { StrictDiyServer } from '../client/diy/strict-server';
import type { Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { Bed, freePorts, type Msg } from './bed';

const ID = '10000a1b2c';
const AT = { z: 'tab', x: 1, y: 1, name: '' };

describe('nodes: sonota-diy-flash', () => {
  let bed: Bed | undefined;
  const devices: VirtualDiySonoff[] = [];
  afterEach(async () => {
    await Promise.all(devices.splice(0).map((device) => device.stop()));
    await bed?.unload();
    bed = undefined;
  });

  /** A device in DIY mode, with a place for its new firmware. */
  async function device(options: Partial<VirtualDiyOptions> = {}) {
    const apPort = await freePort();
    const sonoff = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort: 0, lanPort: 0, mdns: false, speed: 100, deviceid: ID, startsIn: 'diy' },
      newFirmware: { apAddress: '127.0.0.1', apPort, homePort: 0 },
      ...options,
    });
    devices.push(sonoff);
    const { lanPort } = await sonoff.start();
    return { sonoff, address: `127.0.0.1:${lanPort}`, newUrl: `http://127.0.0.1:${apPort}` };
  }

  async function flow(diy: object, newFirmware: object = {}): Promise<Flow> {
    const stage = { ...AT, host: 'host', timeout: '' };
    return [
      { id: 'tab', type: 'tab', label: 'DIY' },
      {
        ...{ id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '' },
        ...(await freePorts()),
        wifi: 'manual',
      },
      { id: 'firmware', type: 'sonota-firmware', name: '', user1: '', user2: '', final: 'rehearsal:final' },
      {
        ...{ id: 'diy', type: 'sonota-diy-flash', firmware: 'firmware', address: '', force: false },
        ...{ wires: [['diy-out', 'new'], ['progress']] },
        ...stage,
        ...diy,
      },
      { id: 'diy-out', type: 'sink', ...AT, wires: [] },
      { id: 'new', type: 'sonota-new-firmware', url: '', ...stage, ...newFirmware, wires: [['new-out'], ['progress']] },
      { id: 'new-out', type: 'sink', ...AT, wires: [] },
      { id: 'progress', type: 'sink', ...AT, wires: [] },
      { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
      { id: 'caught', type: 'sink', ...AT, wires: [] },
    ];
  }

  it('flashes a device whose address a message names, and hands the job to the look for the new firmware', async () => {
    // Held: progress is reported a few times a second, and the whole download could lie between two reports.
    const { sonoff, address, newUrl } = await device({ behaviours: { holdsAtByte: 8192 } });
    bed = await Bed.load(await flow({ address: '192.0.2.1' }, { url: newUrl }));
    bed.send('diy', { mine: 1, address, deviceid: ID });
    await bed.at('progress', ({ topic, transfer }) => topic === `${ID}/diy` && transfer !== undefined);
    sonoff.behave({ holdsAtByte: undefined });
    const msg = await bed.at('diy-out');
    assert.deepEqual([msg['mine'], msg['deviceid']], [1, ID]);
    const { proof, version, size } = msg.payload as Record<string, unknown>;
    assert.deepEqual([proof, version, size], ['reported', '3.7.6', 482_432]);
    assert.equal(msg.sonota?.['percent'], 60);
    assert.equal(msg.sonota?.['stage'], 'diy');
    const done = await bed.at('new-out');
    assert.deepEqual([done.sonota?.['stage'], done.sonota?.['percent'], done['deviceid']], ['done', 100, ID]);
    assert.equal((done.payload as { kind?: string }).kind, 'tasmota');
    const progress = bed.messages('progress');
    const percents = progress.map(({ payload }) => Number(payload));
    assert.deepEqual(
      percents,
      [...percents].sort((one, other) => one - other),
    );
    assert.equal(sonoff.state, 'new-access-point');
    assert.deepEqual(await bed.doneBy('diy'), [undefined]);
    assert.equal(bed.messages('caught').length, 0);
  });

  it('takes the address of its form, and reports a failure to Catch with its code', async () => {
    const { address } = await device({ fault: 'unlock-503' });
    bed = await Bed.load(await flow({ address }));
    bed.send('diy', { mine: 2 });
    const caught = await bed.at('caught');
    assert.equal(caught.error?.code, 'diy-unlock-offline');
    assert.equal(caught['mine'], 2);
    assert.deepEqual(bed.shown('diy'), { fill: 'red', shape: 'ring', text: 'diy-unlock-offline' });
  });

  it('waits for the device to come here to be unlocked if its form asks for that', async () => {
    const { address } = await device({ fault: 'unlock-503' });
    bed = await Bed.load(await flow({ address, unlock: 'local' }));
    bed.send('diy');
    // Where this process may not open port 80, or another one has it, that is what is reported.
    assert.match(String((await bed.at('caught')).error?.code), /^diy-unlock-(not-asked|port)$/);
  });

  it('waits for the device to come here to be unlocked if its message asks for that', async () => {
    const { address } = await device({ fault: 'unlock-503' });
    bed = await Bed.load(await flow({ address }));
    bed.send('diy', { unlock: 'local' });
    assert.match(String((await bed.at('caught')).error?.code), /^diy-unlock-(not-asked|port)$/);
  });

  it('lets the relay click before the flash if its form asks for that, and only then', async () => {
    const hasClicked = ({ text }: Msg): boolean => /the relay that clicks/.test(String(text));
    const { address } = await device();
    bed = await Bed.load(await flow({ address, clicks: true }));
    bed.send('diy');
    await bed.at('progress', hasClicked);
    await bed.unload();
    bed = await Bed.load(await flow({ address }));
    bed.send('diy');
    await bed.at('diy-out');
    assert.ok(!bed.messages('progress').some(hasClicked));
  });

  it('flashes what may be of another chip if its form insists, and only then', async () => {
    const data = { deviceid: ID, fwVersion: '3.6.0', switches: [{ switch: 'off', outlet: 0 }] };
    const server = new StrictDiyServer((command) => ({ error: command === 'info' ? 0 : 500, data }));
    try {
      const address = `127.0.0.1:${await server.listen()}`;
      for (const [form, isRefused] of [
        [{}, true],
        [{ clicks: true }, true],
        [{ force: true }, false],
      ] as const) {
        bed = await Bed.load(await flow({ address, ...form }));
        bed.send('diy');
        const { error } = await bed.at('caught');
        assert.equal(error?.code === 'device-not-supported', isRefused, error?.message);
        await bed.unload();
        bed = undefined;
      }
    } finally {
      await server.close();
    }
  });

  it('flashes no other device at an address than the one that its message names', async () => {
    const { sonoff, address } = await device();
    bed = await Bed.load(await flow({ address }));
    bed.send('diy', { deviceid: '1000ffffff' });
    assert.equal((await bed.at('caught')).error?.code, 'diy-other-device');
    assert.equal(sonoff.state, 'diy-mode');
  });

  it('continues over a redeploy, and is cancelled by a message', async () => {
    const nodes = await flow({ address: `127.0.0.1:${await freePort()}` });
    bed = await Bed.load(nodes);
    bed.send('diy', { mine: 3 });
    await bed.status('diy', ({ fill, text }) => fill === 'yellow' && text.startsWith('start DIY mode'));
    const from = bed.statuses.length;
    await bed.deploy(nodes);
    await bed.status('diy', ({ fill, text }) => fill === 'yellow' && text.startsWith('start DIY mode'), from);
    bed.send('diy', { cancel: true });
    assert.equal((await bed.at('caught')).error?.code, 'cancelled');
  });

  it('says that it has no firmware, and which address is none', async () => {
    bed = await Bed.load(await flow({ firmware: '' }));
    bed.send('diy');
    assert.equal((await bed.at('caught')).error?.code, 'firmware-missing');
    bed.send('diy', { mine: 4, address: 'https://192.0.2.1', firmware: 'firmware' });
    assert.equal((await bed.at('caught', ({ mine }) => mine === 4)).error?.code, 'url-invalid');
  });
});
