import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { QueueSnapshot } from '../../lib/flash/queue/queue-snapshot';
import type { HostNode } from '../../nodes/shared/hosts';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { FIRMWARE } from '../flash/bench';
import type { Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { Bed, freePorts, road, type Msg, type Ports } from './bed';

const HOME = { ssid: 'home', password: 'top secret' };

describe('nodes: sonota-queue', () => {
  let bed: Bed;
  let ports: Ports;
  let finalStagePort: number;
  let apPort: number;
  let flow: Flow;

  beforeEach(async () => {
    ports = await freePorts();
    finalStagePort = await freePort();
    apPort = await freePort();
    const queue = { atOnce: '', attempts: '', wires: [['provision'], ['finalstage'], ['news']] };
    flow = [
      ...road(ports, {
        provision: { url: `http://127.0.0.1:${apPort}` },
        upgrade: { firmware: '' },
        finalstage: { url: `http://127.0.0.1:${finalStagePort}` },
      }),
      { id: 'queue', type: 'sonota-queue', z: 'tab', x: 100, y: 50, host: 'host', name: '', ...queue },
      { id: 'news', type: 'sink', z: 'tab', x: 300, y: 50, wires: [] },
    ];
    bed = await Bed.load(flow);
  });
  afterEach(() => bed.unload());

  function device(deviceid: string, fault = ''): VirtualSonoff {
    // As long as on a real device: what comes next meets the access point that goes.
    const timings = { apGoes: 1000 };
    const options = { apPort, finalStagePort, homeNetwork: HOME, legacyPort: ports.legacyPort, timings, fault };
    return bed.device({ deviceid, ...options });
  }

  const news = (msg: Msg): QueueSnapshot => msg.payload as QueueSnapshot;

  it('flashes three devices from three messages, one of which is explained; the status counts', async () => {
    const devices = [device('1000000001'), device('1000000002', 'refuse-406'), device('1000000003')];
    for (const { deviceid } of devices) bed.send('queue', { ...HOME, firmware: FIRMWARE, deviceid });
    for (const one of devices) {
      await one.start();
      await bed.at('provision-out', (msg) => msg['deviceid'] === one.deviceid);
      // The next one's has the same address.
      while (one.state === 'access-point') await once(one, 'state');
    }
    const last = news(await bed.at('news', (msg) => news(msg).state === 'idle' && news(msg).done === 2));
    assert.deepEqual(
      last.entries.map(({ deviceid, state, error, attempts }) => [deviceid, state, error, attempts]),
      [
        ['1000000001', 'done', undefined, 1],
        ['1000000002', 'failed', 'model-refused', 1],
        ['1000000003', 'done', undefined, 1],
      ],
    );
    assert.equal(last.percent, 100);
    assert.deepEqual(bed.shown('queue'), { fill: 'red', shape: 'ring', text: '3/3, 1 failed' });
    for (const one of [devices[0], devices[2]]) assert.equal((await one?.ended)?.result, 'flashed');
    assert.ok(!JSON.stringify(bed.arrived).includes(HOME.password));
  });

  it('means one device unless a number or all are asked for', async () => {
    bed.send('queue', { queue: 'pause' });
    const waiting = async (message: Record<string, unknown>, count: number): Promise<void> => {
      bed.send('queue', { queue: 'forget' });
      bed.send('queue', { ...HOME, firmware: FIRMWARE, ...message });
      await bed.at('news', (msg) => news(msg).waiting === count);
      bed.send('queue', { cancel: true });
      await bed.at('news', (msg) => news(msg).waiting === 0 && news(msg).skipped >= count);
    };
    await waiting({}, 1);
    await waiting({ count: 3 }, 3);
    await waiting({ payload: { event_type: 'sonota_flash', event: { count: 4 } } }, 4);
    const { httpsPort: port } = ports;
    const ids = ['1000000001', '1000000002'];
    // The host listens for another device.
    bed.send('cloud', { deviceid: '1000ffffff' });
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    for (const deviceid of ids) {
      const one = bed.device({ deviceid, provisioned: { serverName: '127.0.0.1', port } });
      await one.start();
      while (one.state !== 'ready') await once(one, 'state');
    }
    bed.send('queue', { ...HOME, firmware: FIRMWARE, all: true });
    const all = await bed.at('news', (msg) => news(msg).waiting === 2);
    const named = news(all).entries.filter(({ state }) => state === 'waiting');
    assert.deepEqual(named.map(({ deviceid }) => deviceid).sort(), ids);
  });

  it('adds nothing where more than one of them is asked for, or a number that no home has', async () => {
    bed.send('queue', { queue: 'pause' });
    const wrong = [
      { count: 2, all: true },
      { deviceid: '1000000001', all: true },
      { deviceids: ['1000000001'], count: 2 },
    ];
    for (const message of [...wrong, { count: 201 }, { count: 0 }]) {
      const before = bed.messages('caught').length;
      bed.send('queue', { ...HOME, ...message });
      await bed.at('caught', () => bed.messages('caught').length > before);
      assert.equal(bed.messages('caught').at(-1)?.error?.code, 'value-invalid');
    }
    assert.ok(!bed.messages('news').some((msg) => news(msg).waiting > 0));
  });

  it('pauses, continues, skips and ends on command; outlives a redeploy', async () => {
    bed.send('queue', { queue: 'pause' });
    bed.send('queue', { ...HOME, firmware: FIRMWARE, deviceids: ['1000000001', '1000000002'] });
    await bed.at('news', (msg) => news(msg).state === 'paused' && news(msg).waiting === 2);
    assert.equal(bed.shown('queue')?.fill, 'yellow');
    await bed.deploy(flow);
    bed.send('queue', { queue: 'skip', deviceid: '1000000001' });
    bed.send('queue', { queue: 'resume' });
    await bed.at('news', (msg) => news(msg).running === 1 && news(msg).skipped === 1);
    await bed.at('provision-progress');
    bed.send('queue', { cancel: true });
    const ended = news(await bed.at('news', (msg) => news(msg).state === 'idle' && news(msg).skipped === 2));
    assert.equal(ended.entries.at(-1)?.error, 'cancelled');
    assert.equal((await bed.at('caught')).error?.code, 'cancelled');
  });

  it('ends what waits for its turn when it is disabled', async () => {
    bed.send('queue', { queue: 'pause' });
    bed.send('queue', { ...HOME, firmware: FIRMWARE, deviceids: ['1000000001', '1000000002'] });
    await bed.at('news', (msg) => news(msg).state === 'paused' && news(msg).waiting === 2);
    await bed.deploy(flow.map((node) => (node.id === 'queue' ? { ...node, d: true } : node)));
    const { waiting, skipped } = (bed.node('host') as HostNode).flashHost.queue.snapshot();
    assert.deepEqual([waiting, skipped], [0, 2]);
  });

  it('lets a device through that has been set up before', async () => {
    const one = bed.device({
      deviceid: '1000000001',
      finalStagePort,
      provisioned: { serverName: '127.0.0.1', port: ports.httpsPort },
    });
    await one.start();
    bed.send('queue', { ...HOME, firmware: FIRMWARE, deviceid: one.deviceid });
    assert.equal((await bed.at('provision-out')).payload !== undefined, true);
    await bed.at('news', (msg) => news(msg).done === 1);
    assert.equal((await one.ended).result, 'flashed');
  });

  it('notices a message that the stage behind it refuses', async () => {
    await bed.deploy(flow.map((node) => (node.id === 'provision' ? { ...node, deviceid: '1000000009' } : node)));
    bed.send('queue', { ...HOME, firmware: FIRMWARE, deviceid: '1000000001' });
    const { entries } = news(await bed.at('news', (msg) => news(msg).failed === 1));
    assert.deepEqual([entries[0]?.error, entries[0]?.attempts], ['device-unknown', 2]);
  });

  it('starts each flash as often as its form says', async () => {
    const form: Record<string, object> = { queue: { attempts: '1' }, provision: { deviceid: '1000000009' } };
    await bed.deploy(flow.map((node) => ({ ...node, ...form[node.id] })));
    bed.send('queue', { ...HOME, firmware: FIRMWARE, deviceid: '1000000001' });
    const { entries } = news(await bed.at('news', (msg) => news(msg).failed === 1));
    assert.deepEqual([entries[0]?.error, entries[0]?.attempts], ['device-unknown', 1]);
  });

  it('takes as many devices at a time as a home may have', async () => {
    bed.send('queue', { queue: 'pause' });
    bed.send('queue', { ...HOME, count: 200 });
    await bed.at('news', (msg) => news(msg).waiting === 200);
  });

  it('reports that nothing is wired to it, and that it has no host', async () => {
    await bed.deploy(flow.map((node) => (node.id === 'queue' ? { ...node, wires: [[], [], ['news']] } : node)));
    bed.send('queue', { deviceid: '1000000001' });
    const { entries } = news(await bed.at('news', (msg) => news(msg).failed === 1));
    assert.equal(entries[0]?.error, 'queue-not-wired');
    await bed.deploy(flow.map((node) => (node.id === 'queue' ? { ...node, host: '' } : node)));
    assert.deepEqual(bed.shown('queue'), { fill: 'red', shape: 'ring', text: 'host-missing' });
    bed.send('queue', {});
    assert.equal((await bed.at('caught')).error?.code, 'host-missing');
  });
});
