import assert from 'node:assert/strict';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import type { HostNode } from '../../nodes/shared/hosts';
import type { Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { Bed, freePorts, type Ports } from './bed';

const HOME = { ssid: 'home', password: 'top secret' };
const ID = '10000a1b2c';
const AT = { z: 'tab', x: 1, y: 1, name: '' };

describe('nodes: sonota-provision chooses the method', () => {
  let bed: Bed | undefined;
  const devices: VirtualDiySonoff[] = [];
  let ports: Ports;
  let apPort: number;
  let lanPort: number;
  let newPort: number;

  beforeEach(async () => {
    ports = await freePorts();
    [apPort, lanPort, newPort] = [await freePort(), await freePort(), await freePort()];
  });
  afterEach(async () => {
    await Promise.all(devices.splice(0).map((device) => device.stop()));
    await bed?.unload();
    bed = undefined;
  });

  /** A device of firmware 3.x in its access point. */
  async function diyDevice(options: Partial<VirtualDiyOptions> = {}): Promise<VirtualDiySonoff> {
    const device = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort, lanPort, mdns: false, speed: 100, deviceid: ID },
      ...{ startsIn: 'access-point', version: '3.7.6', homeNetwork: HOME },
      newFirmware: { apAddress: '127.0.0.1', apPort: newPort, homePort: 0 },
      ...options,
    });
    devices.push(device);
    await device.start();
    return device;
  }

  /** Output 1 leads to the emulated cloud, output 3 to DIY mode. */
  function flow(provision: object = {}): Flow {
    const stage = { ...AT, host: 'host', timeout: '' };
    const sink = (id: string): Flow[number] => ({ id, type: 'sink', ...AT, wires: [] });
    return [
      { id: 'tab', type: 'tab', label: 'both' },
      {
        ...{ id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '' },
        ...ports,
        wifi: 'manual',
      },
      { id: 'firmware', type: 'sonota-firmware', name: '', user1: '', user2: '', final: 'rehearsal:final' },
      {
        ...{ id: 'provision', type: 'sonota-provision', url: `http://127.0.0.1:${apPort}`, ...stage },
        wires: [['cloud', 'provision-out'], ['progress'], ['diy', 'provision-diy']],
        ...provision,
      },
      { id: 'cloud', type: 'sonota-cloud-emulator', every: false, ...stage, wires: [['cloud-out'], ['progress']] },
      {
        ...{ id: 'diy', type: 'sonota-diy-flash', firmware: 'firmware', address: `127.0.0.1:${lanPort}`, force: false },
        ...{ ...stage, wires: [['new'], ['progress']] },
      },
      {
        ...{ id: 'new', type: 'sonota-new-firmware', ...stage, url: `http://127.0.0.1:${newPort}` },
        wires: [['new-out'], ['progress']],
      },
      ...['provision-out', 'provision-diy', 'cloud-out', 'new-out', 'progress', 'caught'].map(sink),
      { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
    ];
  }

  it('takes a 1.5.5, a 3.7.6 and an S31 with 3.5.0 one after the other, each its own way', async () => {
    bed = await Bed.load(flow());
    const old = bed.device({ apPort, homeNetwork: HOME });
    await old.start();
    bed.send('provision', { ...HOME, mine: 1 });
    const inCloud = await bed.at('cloud-out');
    assert.deepEqual([inCloud['mine'], inCloud['deviceid']], [1, old.deviceid]);
    await old.stop();

    const newer = await diyDevice();
    bed.send('provision', { ...HOME, mine: 2 });
    const done = await bed.at('new-out');
    assert.deepEqual(
      [done['mine'], done['deviceid'], done.sonota?.['stage'], done.sonota?.['percent']],
      [2, ID, 'done', 100],
    );
    assert.deepEqual(Object.keys(done.sonota?.['stages'] as object), ['provision', 'diy', 'newfirmware'], 'one job');
    assert.equal((done.payload as { kind?: string }).kind, 'tasmota');
    assert.equal(newer.state, 'new-access-point');
    await newer.stop();

    const s31 = await diyDevice({ deviceid: '1000531531', version: '3.5.0', fault: 'no-diy-mode' });
    bed.send('provision', { ...HOME, mine: 3 });
    const caught = await bed.at('caught');
    assert.deepEqual([caught['mine'], caught.error?.code], [3, 'diy-mode-missing']);
    assert.ok(!s31.log.includes('access point: took settings'), s31.log.join('\n'));
    assert.deepEqual(bed.shown('provision'), { fill: 'red', shape: 'ring', text: 'diy-mode-missing' });

    const [cloud, diy] = ['provision-out', 'provision-diy'].map((sink) => bed!.messages(sink).map(({ mine }) => mine));
    assert.deepEqual([cloud, diy], [[1], [2]]);
    const [inDiyMode] = bed.messages('provision-diy');
    assert.ok(inDiyMode && !('address' in inDiyMode) && !('password' in inDiyMode));
  });

  it('takes the method of the message before that of the form', async () => {
    bed = await Bed.load(flow({ method: 'cloud', wires: [['provision-out'], ['progress'], ['provision-diy']] }));
    const first = await diyDevice();
    bed.send('provision', { ...HOME, mine: 1 });
    await bed.at('provision-out');
    await first.stop();
    await diyDevice({ deviceid: '1000999999' });
    bed.send('provision', { ...HOME, mine: 2, method: 'diy' });
    await bed.at('provision-diy');
    assert.deepEqual(
      bed.messages('provision-out').map(({ mine }) => mine),
      [1],
    );
  });

  it('warns where a flow has no third output yet, and takes no wrong one', async () => {
    bed = await Bed.load(flow({ wires: [['provision-out'], ['progress']] }));
    await diyDevice();
    bed.send('provision', { ...HOME });
    await bed.status('provision', ({ text }) => text === 'output-not-wired');
    assert.deepEqual(await bed.doneBy('provision'), [undefined]);
    assert.deepEqual(bed.messages('provision-out'), []);
    const { jobs } = (bed.node('host') as HostNode).flashHost;
    assert.deepEqual(jobs.latest(ID)?.lastReport?.values, { output: 3 });
  });
});
