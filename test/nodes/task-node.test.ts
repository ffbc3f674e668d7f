import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { Node } from 'node-red';
import type { HostNode } from '../../nodes/shared/hosts';
import type { WiredNodeDef } from '../../nodes/shared/node-wiring';
import { TaskNode, type Task, type TaskNodeOptions } from '../../nodes/shared/task-node';
import type { Flow } from '../shared/node-red';
import { Bed, freePorts, without } from './bed';

const AT = { z: 'tab', x: 100, y: 100 };

describe('nodes: a node that does a task for each message', () => {
  let bed: Bed;
  let flow: Flow;
  let tasks: Task[];
  let options: Partial<TaskNodeOptions>;
  let ends: ((found: Record<string, unknown> | undefined) => void)[];
  const news = new EventEmitter();

  beforeEach(async () => {
    tasks = [];
    ends = [];
    options = {};
    flow = [
      { id: 'tab', type: 'tab', label: 'tasks' },
      {
        ...{ id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', wifi: 'manual' },
        ...(await freePorts()),
      },
      { id: 'probe', type: 'probe', ...AT, name: '', host: 'host', wires: [['out'], ['progress']] },
      ...['out', 'progress', 'caught'].map((id) => ({ id, type: 'sink', ...AT, wires: [] })),
      { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
    ];
    bed = await Bed.load(without(flow, 'probe'));
    const { RED } = bed;
    assert.ok(RED);
    RED.nodes.registerType('probe', function (this: Node, config: WiredNodeDef) {
      RED.nodes.createNode(this, config);
      new TaskNode(RED, this, config, { run, ...options });
    });
  });
  afterEach(() => bed.unload());

  /** A task that ends when the test says so, or when it is cancelled. */
  function run(task: Task): Promise<Record<string, unknown> | undefined> {
    tasks.push(task);
    news.emit('begun');
    return new Promise((resolve, reject) => {
      ends.push(resolve);
      task.signal.addEventListener('abort', () => reject(task.signal.reason as Error));
    });
  }

  async function begun(count: number): Promise<Task> {
    while (tasks.length < count) await once(news, 'begun');
    return tasks[count - 1] as Task;
  }

  it('does each immediately, or one after another', async () => {
    await bed.deploy(flow);
    for (const mine of [1, 2]) bed.send('probe', { mine });
    await begun(2);
    options = { oneAtATime: true };
    await bed.deploy(flow);
    for (const mine of [3, 4]) bed.send('probe', { mine });
    await bed.status('probe', ({ text }) => text.endsWith('(+1)'));
    ends[2]?.({});
    const { said } = await begun(4);
    assert.equal(said.raw('mine'), 4);
    assert.equal((await bed.at('out'))['mine'], 3);
  });

  it('waits for no other node', async () => {
    options = { oneAtATime: true };
    const second = flow.flatMap((node) => (node.id === 'probe' ? [{ ...node, id: 'second' }] : []));
    await bed.deploy([...flow, ...second]);
    for (const id of ['probe', 'second']) bed.send(id, { mine: id });
    await begun(2);
    assert.deepEqual(
      tasks.map(({ said }) => said.raw('mine')),
      ['probe', 'second'],
    );
  });

  it('puts out the message with what was found, shows its end, and is done once', async () => {
    const shown: unknown[] = [];
    options = { showEnd: (found) => shown.push(found) };
    await bed.deploy(flow);
    bed.send('probe', { _msgid: 'one', mine: 'kept', payload: 'before' });
    await begun(1);
    ends[0]?.({ payload: 7 });
    assert.deepEqual(await bed.at('out'), { _msgid: 'one', mine: 'kept', payload: 7 });
    assert.deepEqual(await bed.doneBy('probe'), [undefined]);
    bed.send('probe', { mine: 'not sent on' });
    await begun(2);
    ends[1]?.(undefined);
    assert.deepEqual(await bed.doneBy('probe', 2), [undefined, undefined]);
    assert.deepEqual([shown, bed.messages('out').length], [[{ payload: 7 }], 1]);
  });

  it('reports where it is under the node and in a message with the device and the job of its own', async () => {
    await bed.deploy(flow);
    bed.send('probe', { _msgid: 'one', deviceid: 'ITEAD-1000A1B2C3', sonota: { stage: 'done' }, foreign: 1 });
    const { report } = await begun(1);
    report('load-firmware', {}, { fraction: 0.3 });
    const { payload, waiting, deviceid, sonota, topic, _msgid, ...more } = await bed.at('progress');
    assert.deepEqual(
      { payload, waiting, deviceid, sonota, topic, _msgid },
      {
        ...{ payload: 30, waiting: false, deviceid: '1000a1b2c3', sonota: { stage: 'done' } },
        ...{ topic: '1000a1b2c3/task', _msgid: 'one' },
      },
    );
    assert.ok(!('foreign' in more));
    assert.deepEqual([bed.shown('probe')?.fill, bed.shown('probe')?.text.endsWith(' 30 %')], ['blue', true]);
  });

  it('logs that its progress cannot be sent, and continues with the task', async () => {
    await bed.deploy(
      flow.map((node) => (node.id === 'probe' ? { ...node, wires: [['out'], ['progress', 'out']] } : node)),
    );
    // What goes down a second wire is a copy.
    const sonota = Object.defineProperty({}, 'broken', {
      enumerable: true,
      get: () => {
        throw new Error('it cannot be copied');
      },
    });
    bed.send('probe', { mine: 1, sonota });
    const { report, signal } = await begun(1);
    const logged = once(bed.node('probe'), 'call:error') as Promise<[{ args: unknown[] }]>;
    assert.doesNotThrow(() => report('load-firmware', {}, { fraction: 0.3 }));
    assert.match(String((await logged)[0].args[0]), /it cannot be copied/);
    assert.deepEqual([signal.aborted, bed.done], [false, []]);
    ends[0]?.(undefined);
    assert.deepEqual(await bed.doneBy('probe'), [undefined]);
  });

  it('takes a message that cancels for one like any other, unless it can be cancelled', async () => {
    await bed.deploy(flow);
    bed.send('probe', { mine: 1, cancel: true });
    assert.equal((await begun(1)).said.raw('mine'), 1);
    options = { cancels: true };
    await bed.deploy(flow);
    bed.send('probe', { mine: 2 });
    await begun(2);
    bed.send('probe', { mine: 3, cancel: true });
    const { mine, error } = await bed.at('caught');
    assert.deepEqual([mine, error?.code, tasks.length], [2, 'cancelled', 2]);
  });

  it('begins again behind a deploy what its message stays pending for, with its password, and knows that it does', async () => {
    options = { pendingFor: 'tasmota' };
    await bed.deploy(flow);
    bed.send('probe', { mine: 'kept', password: 'top secret' });
    const first = await begun(1);
    assert.deepEqual([first.isResumed, first.said.password(), first.signal.aborted], [false, 'top secret', false]);
    await bed.deploy(flow);
    const second = await begun(2);
    const { isResumed, said } = second;
    assert.deepEqual([isResumed, said.password(), said.raw('mine')], [true, 'top secret', 'kept']);
    assert.equal(first.signal.aborted, true);
    ends[1]?.({ payload: 1 });
    assert.equal((await bed.at('out'))['mine'], 'kept');
    assert.ok(!JSON.stringify(bed.arrived).includes('top secret'));
    await bed.deploy(flow);
    assert.deepEqual((bed.node('host') as HostNode).flashHost.runs.pending.all(), []);
    assert.equal(tasks.length, 2);
  });

  it('does not begin again what was for the moment', async () => {
    await bed.deploy(flow);
    bed.send('probe', { mine: 1 });
    const { signal } = await begun(1);
    await bed.deploy(flow);
    bed.send('probe', { mine: 2 });
    await begun(2);
    assert.deepEqual([signal.aborted, tasks.map(({ said }) => said.raw('mine'))], [true, [1, 2]]);
    assert.deepEqual(await bed.doneBy('probe'), [undefined]);
  });

  it('refuses a message before it waits for its turn', async () => {
    options = { oneAtATime: true, refuse: (said) => void said.deviceId() };
    await bed.deploy(flow);
    bed.send('probe', { mine: 1 });
    await begun(1);
    bed.send('probe', { mine: 2, deviceid: 'no id' });
    const { mine, error } = await bed.at('caught');
    assert.deepEqual([mine, error?.code], [2, 'value-invalid']);
    assert.ok(!bed.statuses.some(({ status }) => status.text.includes('(+')));
  });

  it('lets go of its messages before it closes, and holds up no deploy with what goes wrong then', async () => {
    let heldAtClose: unknown;
    options = {
      closed: () => {
        heldAtClose = bed.done.length;
        return Promise.reject(new Error('it cannot be closed'));
      },
    };
    await bed.deploy(flow);
    bed.send('probe', { mine: 1 });
    await begun(1);
    const told: unknown[] = [];
    (bed.node('probe') as unknown as EventEmitter).on('call:error', ({ args }: { args: unknown[] }) => told.push(args));
    await bed.deploy(flow);
    assert.equal(heldAtClose, 1);
    assert.deepEqual(told, [], 'Node-RED has not waited for it without effect');
  });
});
