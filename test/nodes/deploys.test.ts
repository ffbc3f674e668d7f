import assert from 'node:assert/strict';
import { once } from 'node:events';
import { onDeployOver, whenFlowsRun } from '../../nodes/shared/deploys';
import type { HostNode } from '../../nodes/shared/hosts';
import { Bed, freePorts, road } from './bed';

describe('nodes: what follows a deploy', () => {
  let bed: Bed;
  afterEach(() => bed.unload());

  it('follows it once, and a stop for good, but not the stop with which a deploy starts', async () => {
    bed = await Bed.load(road(await freePorts()));
    const { RED } = bed;
    assert.ok(RED);
    let calls = 0;
    onDeployOver(RED, () => (calls += 1));
    const after = (name: string, event?: object): number => {
      calls = 0;
      RED.events.emit(name, event);
      return calls;
    };
    const state = (payload?: object, id = 'runtime-state'): number => after('runtime-event', { id, payload });
    assert.equal(after('flows:started'), 1);
    assert.equal(state({ state: 'stop' }), 1);
    assert.deepEqual(
      [state({ state: 'stop', deploy: true }), state({ state: 'start' }), state(), state({ state: 'stop' }, 'other')],
      [0, 0, 0, 0],
    );
  });
});

describe('nodes: what nodes do once the flows run', () => {
  let bed: Bed;
  afterEach(() => bed.unload());

  it('is done once, by no node that has gone before, and ends nothing where it fails', async () => {
    const flow = road(await freePorts());
    bed = await Bed.load(flow);
    const { RED } = bed;
    assert.ok(RED);
    const done: string[] = [];
    whenFlowsRun(RED, bed.node('slow'), () => done.push('of a node that goes'));
    await bed.deploy(flow);
    assert.equal(done.length, 0);
    const node = bed.node('slow');
    const told = once(node, 'call:error');
    whenFlowsRun(RED, node, () => {
      throw new Error('it cannot begin');
    });
    whenFlowsRun(RED, node, () => done.push('of a node that stays'));
    RED.events.emit('flows:started');
    RED.events.emit('flows:started');
    await told;
    assert.deepEqual(done, ['of a node that stays']);
  });

  it('puts a cloud that answers every device on those that are ready already, and takes the old one off', async () => {
    const ports = await freePorts();
    const cloud = { wires: [['cloud-out'], []] };
    bed = await Bed.load(road(ports, { cloud: { ...cloud, every: false } }));
    const device = bed.device({
      provisioned: { serverName: '127.0.0.1', port: ports.httpsPort },
      behaviours: { refusesWith: 404 },
    });
    const { devices } = (bed.node('host') as HostNode).flashHost;
    const ready = once(devices, 'ready');
    // It listens for another device.
    bed.send('cloud', { deviceid: '1000ffffff' });
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    await device.start();
    await ready;
    const every = road(ports, { cloud: { ...cloud, every: true } });
    await bed.deploy(every);
    assert.equal((await bed.at('cloud-out'))['deviceid'], device.deviceid);
    const before = devices.listenerCount('ready');
    await bed.deploy(every);
    assert.equal(devices.listenerCount('ready'), before);
    assert.equal(bed.messages('cloud-out').length, 1, 'a device in work is not announced again');
  });
});
