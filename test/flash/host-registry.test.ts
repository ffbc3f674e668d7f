import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlashError } from '../../lib/errors';
import type { FlashHost } from '../../lib/flash/host/host';
import { HostRegistry } from '../../lib/flash/host/host-registry';
import { sharedPorts } from '../../lib/flash/host/shared-listener';
import { Job } from '../../lib/flash/job/job';
import type { TaskContext } from '../../lib/flash/run/task';
import { TaskRuns } from '../../lib/flash/run/task-runs';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { WAITS, type Waits } from '../../lib/flash/stage/waits';
import { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { processFolder } from '../shared/process-folder';
import { freePort, occupy } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { ON_LOOPBACK, Recorder } from './bench';

/** One TLS identity for all of its hosts: a new key costs up to a second. */
const folder = processFolder('registry');
/** So long that no sweep comes in a test. */
const DAY_MS = 24 * 60 * 60_000;

describe('flash/host-registry', () => {
  let registry: HostRegistry;
  const hosts = new Set<FlashHost>();
  afterEach(async () => {
    timeGoesOn();
    await Promise.all([...hosts].map((host) => host.close({ forget: true })));
    hosts.clear();
  });

  function start(waits: Partial<Waits> = {}): void {
    registry = new HostRegistry({ ...WAITS, ...waits });
    registry.on('added', (host: FlashHost) => hosts.add(host));
  }

  /** A config node of this id comes. */
  function attach(owner: object, settings = ON_LOOPBACK): FlashHost {
    return registry.attach('host', owner, settings, folder);
  }

  /** A node uses it that waits for devices, so that it listens. */
  async function used(host: FlashHost, userId = 'user'): Promise<void> {
    registry.addUser('host', userId, { awaitsDevices: true });
    await host.open();
  }

  /** A stage starts for the device, of a node that does not wait for devices. */
  function begin(host: FlashHost, deviceid: string): { end: () => void; fail: () => void } {
    const stage = new EventEmitter();
    const over = once(stage, 'end');
    over.catch(() => undefined);
    host.runs.begin({
      nodeId: 'node',
      stage: 'newfirmware',
      message: {},
      deviceid,
      findJob: () => host.jobs.jobFor('newfirmware', deviceid),
      run: async ({ signal }) => {
        await host.open();
        signal.throwIfAborted();
        await Promise.race([over, once(signal, 'abort')]);
        signal.throwIfAborted();
        return {};
      },
    });
    return { end: () => stage.emit('end'), fail: () => stage.emit('error', new FlashError('download-failed')) };
  }

  const untilItEnds = async ({ signal }: TaskContext): Promise<never> => {
    await once(signal, 'abort');
    throw signal.reason as Error;
  };

  /** A task of a node starts, which the next instance of the node is to start again. @returns the id of its message */
  function beginTask(runs: TaskRuns, nodeId: string): string {
    return runs.begin({ nodeId, stage: 'tasmota', message: {}, deviceid: undefined, run: untilItEnds }).id;
  }

  function codesOf({ outcomes }: Recorder): unknown[] {
    return [...outcomes.values()].map((outcome) => outcome instanceof FlashError && outcome.code);
  }

  /** Resolves when it listens, or when it does not. */
  async function listens(host: FlashHost, whether: boolean): Promise<void> {
    while (host.isListening !== whether) await once(host, 'state');
  }

  it('hands a host from one config node to the next, whose coming the old one may only leave after', async () => {
    start({ handOverMs: 1 });
    const [old, next] = [{}, {}];
    const host = attach(old);
    await used(host);
    assert.equal(attach(next), host);
    await registry.detach('host', old, true);
    await registry.settle();
    assert.equal(host.isListening, true);
    assert.equal(attach({}), host);
  });

  it('keeps a host between two config nodes, and closes it when no next one comes', async () => {
    start({ handOverMs: 1 });
    const owner = {};
    const host = attach(owner);
    await used(host);
    const closed = once(registry, 'closed');
    await registry.detach('host', owner, false);
    assert.deepEqual(registry.all(), [['host', host]]);
    await closed;
    assert.equal(host.isListening, false);
    assert.deepEqual(registry.all(), []);
    assert.notEqual(attach({}), host);
  });

  it('does not close a host whose next config node has come in time', async () => {
    start({ handOverMs: 20 });
    const owner = {};
    const host = attach(owner);
    await used(host);
    await registry.detach('host', owner, false);
    attach({});
    // A host that goes is closed after the same time, so the other one has had its own.
    registry.attach('other', owner, ON_LOOPBACK, folder);
    const closed = once(registry, 'closed');
    await registry.detach('other', owner, false);
    await closed;
    assert.deepEqual(registry.all(), [['host', host]]);
    assert.equal(host.isListening, true);
  });

  it('gives the next config node of each deploy its time, whatever is left of that of the last one', async () => {
    timeStands();
    start({ handOverMs: 1000 });
    const [first, second] = [{}, {}];
    const host = attach(first);
    await registry.detach('host', first, false);
    timePasses(900);
    attach(second);
    await registry.detach('host', second, false);
    timePasses(900);
    assert.equal(attach({}), host);
  });

  it('ends nothing of a node that comes back later than its next config node, in a deploy that takes long', async () => {
    start({ handOverMs: 1000 });
    const first = {};
    const host = attach(first);
    registry.addUser('host', 'node');
    begin(host, '1000a1b2c3');
    await listens(host, true);
    timeStands();
    await registry.detach('host', first, false);
    await registry.removeUser('host', 'node', false);
    timePasses(900);
    attach({});
    timePasses(900);
    assert.equal(host.runs.isIn('node'), true);
    registry.addUser('host', 'node');
    await nextTurn();
    assert.equal(host.jobs.latest('1000a1b2c3')?.isOpen, true);
  });

  it('closes a host immediately that was removed, and forgets what its nodes wait for', async () => {
    start();
    const owner = {};
    const host = attach(owner);
    await used(host);
    const { http } = host.ports;
    await registry.detach('host', owner, true);
    assert.deepEqual(registry.all(), []);
    await (await occupy(http)).release();
  });

  it('has the jobs of a host again that was not removed, and none of one that was', async () => {
    start();
    const owner = {};
    const host = attach(owner);
    const job = host.jobs.jobFor('finalstage', '1000a1b2c3');
    job.finalStage = new FinalStageSession();
    await registry.detach('host', owner, false);
    // Node-RED stops.
    await registry.settle();
    const again = attach(owner);
    assert.notEqual(again, host);
    assert.deepEqual(
      again.jobs.all().map(({ id }) => id),
      [job.id],
    );
    await registry.detach('host', owner, true);
    assert.deepEqual(attach({}).jobs.all(), []);
  });

  it('receives nothing any more for a host that was closed', async () => {
    start();
    const before = sharedPorts.listenerCount('freed');
    const owner = {};
    const host = attach(owner);
    assert.equal(sharedPorts.listenerCount('freed'), before + 1);
    const own = host.listenerCount('need');
    await registry.detach('host', owner, true);
    assert.deepEqual([sharedPorts.listenerCount('freed'), host.listenerCount('need')], [before, own - 1]);
  });

  it('gives a host that is handed on its new settings', async () => {
    start();
    const host = attach({});
    await used(host);
    const httpPort = await freePort();
    const opened = new Promise<void>((resolve) => {
      host.on('state', () => host.isListening && resolve());
    });
    attach({}, { ...ON_LOOPBACK, httpPort });
    await opened;
    assert.equal(host.ports.http, httpPort);
  });

  it('logs where the new settings cannot be taken on', async () => {
    start();
    const host = attach({});
    await used(host);
    const httpPort = await freePort();
    const holder = await occupy(httpPort);
    const said = new Promise<string>((resolve) => {
      host.log = (level, text) => void (level === 'warn' && resolve(text));
    });
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    attach({}, { ...ON_LOOPBACK, httpPort });
    assert.match(await said, new RegExp(`${httpPort}`));
    await holder.release();
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });

  it('listens from the first user on that waits for devices until the last one was removed', async () => {
    start();
    const host = attach({});
    assert.equal(host.isListening, false);
    await used(host, 'one');
    registry.addUser('host', 'two', { awaitsDevices: true });
    await registry.removeUser('host', 'one', true);
    assert.equal(host.isListening, true);
    await registry.removeUser('host', 'two', true);
    assert.equal(host.isListening, false);
  });

  it('listens on while its only user is exchanged, and no longer where that one does not come back', async () => {
    start();
    const host = attach({});
    await used(host);
    await registry.removeUser('host', 'user', false);
    registry.addUser('host', 'other', { awaitsDevices: true });
    await registry.removeUser('host', 'other', true);
    assert.equal(host.isListening, true, 'the first may be back in this deploy');
    registry.addUser('host', 'user', { awaitsDevices: true });
    await registry.settle();
    assert.equal(host.isListening, true);
    await registry.removeUser('host', 'user', false);
    await registry.settle();
    assert.equal(host.isListening, false);
  });

  it('forgets of a user that was exchanged and comes back that it was away', async () => {
    start();
    const host = attach({});
    await used(host);
    await registry.removeUser('host', 'user', false);
    registry.addUser('host', 'user', { awaitsDevices: true });
    await registry.removeUser('host', 'user', true);
    assert.equal(host.isListening, false);
    await registry.settle();
  });

  it('cuts nothing off where the last user is followed by the next before the ports are seen to', async () => {
    start();
    const host = attach({});
    await used(host);
    const { http } = host.ports;
    let states = 0;
    host.on('state', () => (states += 1));
    const left = registry.removeUser('host', 'user', true);
    registry.addUser('host', 'next', { awaitsDevices: true });
    await left;
    await host.open();
    assert.deepEqual([host.ports.http, states], [http, 0]);
  });

  it('prepares a host for its first user, though it does not listen', () => {
    start();
    const host = attach({});
    host.writeLine('warn', 'early');
    const logged: string[] = [];
    host.log = (_level, text) => void logged.push(text);
    registry.addUser('host', 'node');
    assert.deepEqual([logged, host.isListening], [['early'], false]);
  });

  it('gives its waits to its hosts, and reports each once', () => {
    start({ leaveMs: 7 });
    const added: unknown[] = [];
    registry.on('added', (host) => added.push([host, registry.all()]));
    const host = attach({});
    attach({});
    assert.deepEqual(host.waits, { ...WAITS, leaveMs: 7 });
    assert.deepEqual(added, [[host, [['host', host]]]]);
  });

  it('settles automatically where nothing says that a deploy is over', async () => {
    start({ handOverMs: 1 });
    const host = attach({});
    await used(host);
    const over = once(host, 'state');
    await registry.removeUser('host', 'user', false);
    await over;
    assert.equal(host.isListening, false);
  });

  it('ends what a node waits for that did not come back, and nothing of one that did', async () => {
    start();
    const host = attach({});
    const ended: string[] = [];
    for (const nodeId of ['gone', 'back']) {
      await used(host, nodeId);
      host.runs.begin({
        nodeId,
        stage: 'cloud',
        message: {},
        deviceid: `1000${nodeId}`,
        findJob: () => host.jobs.jobFor('cloud', `1000${nodeId}`),
        run: ({ signal }) =>
          new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              ended.push(nodeId);
              reject(signal.reason as Error);
            }),
          ),
      });
    }
    await nextTurn();
    await registry.removeUser('host', 'gone', false);
    await registry.removeUser('host', 'back', false);
    registry.addUser('host', 'back');
    await registry.settle();
    assert.deepEqual(ended, ['gone']);
    assert.deepEqual([...host.runs.pending.nodes()], ['back']);
  });

  it('takes no node for gone that the next deploy exchanges while the ports of the last one are seen to', async () => {
    start();
    const owner = {};
    const host = attach(owner);
    registry.addUser('host', 'node');
    const stage = begin(host, '1000a1b2c3');
    const recorder = new Recorder();
    host.runs.attach('node', recorder);
    await once(host.runs, 'in-job');
    const settled = registry.settle();
    // The next deploy starts before that is through.
    host.runs.detach('node', false);
    await registry.removeUser('host', 'node', false);
    await settled;
    registry.addUser('host', 'node');
    host.runs.attach('node', recorder);
    await registry.settle();
    stage.end();
    const [pending] = host.runs.pending.all();
    assert.ok(pending, 'its message was not let go');
    assert.ok(!((await recorder.outcome(host.runs.pending.messageOf(pending))) instanceof FlashError));
  });

  it('forgets what a node left that is in no flow any more, and keeps it for one that is disabled', async () => {
    start();
    const { runs } = attach({});
    for (const nodeId of ['gone', 'disabled']) {
      beginTask(runs, nodeId);
      runs.detach(nodeId, false);
    }
    await registry.settle();
    assert.deepEqual([...runs.pending.nodes()], ['gone', 'disabled'], 'a deploy that takes long brings them yet');
    await registry.settle((nodeId) => nodeId === 'disabled');
    assert.deepEqual([...runs.pending.nodes()], ['disabled']);
    await registry.settle(() => true);
    assert.deepEqual([...runs.pending.nodes()], ['disabled']);
  });

  it('gives a node that uses another host now what it left, and that its stages ended', async () => {
    start();
    const host = attach({});
    const other = registry.attach('other', {}, ON_LOOPBACK, folder);
    registry.addUser('host', 'node');
    begin(host, '1000a1b2c3');
    await once(host.runs, 'in-job');
    const task = beginTask(host.runs, 'node');
    await registry.removeUser('host', 'node', false);
    registry.addUser('other', 'node');
    const recorder = new Recorder();
    other.runs.attach('node', recorder);
    await registry.settle(() => true);
    assert.deepEqual(codesOf(recorder), ['cancelled']);
    assert.deepEqual(
      other.runs.pending.claim('node').map(({ pending }) => pending.id),
      [task],
    );
    assert.deepEqual([...host.runs.pending.nodes()], []);
  });

  it('has what nodes left at a host that was removed for their next host, until the deploy is over', async () => {
    start();
    const owner = {};
    const { runs } = attach(owner);
    const other = registry.attach('other', {}, ON_LOOPBACK, folder);
    for (const nodeId of ['without', 'moved', 'late']) {
      const deviceid = `1000${nodeId}`;
      const findJob = (): Job => new Job('cloud', deviceid);
      runs.begin({ nodeId, stage: 'cloud', message: {}, deviceid, findJob, run: untilItEnds });
    }
    await registry.detach('host', owner, true);
    const ofNodes = new TaskRuns();
    const [without, moved, late] = [new Recorder(), new Recorder(), new Recorder()];
    ofNodes.attach('without', without);
    ofNodes.attach('late', late);
    other.runs.attach('moved', moved);
    registry.takeOfRemoved('without', ofNodes);
    assert.deepEqual([codesOf(without), codesOf(moved), codesOf(late)], [['host-missing'], [], []]);
    registry.addUser('other', 'moved');
    await registry.settle();
    assert.deepEqual(codesOf(moved), [], 'more nodes are still to come');
    await registry.settle(() => true);
    assert.deepEqual(codesOf(moved), ['cancelled']);
    registry.takeOfRemoved('late', ofNodes);
    assert.deepEqual(codesOf(late), []);
  });

  it('does not listen merely because nodes exist', async () => {
    start();
    const host = attach({});
    let states = 0;
    host.on('state', () => (states += 1));
    registry.addUser('host', 'user');
    await registry.settle();
    assert.deepEqual([host.isListening, states], [false, 0]);
  });

  it('tries a port that is taken once, whatever happens meanwhile', async () => {
    start();
    const httpPort = await freePort();
    const holder = await occupy(httpPort);
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      const host = attach({}, { ...ON_LOOPBACK, httpPort });
      let states = 0;
      host.on('state', () => (states += 1));
      registry.addUser('host', 'user', { awaitsDevices: true });
      while (!host.trouble) await once(host, 'state');
      for (let times = 0; times < 3; times += 1) host.queue.pause();
      // Whatever was to be opened has had its turn by then.
      await host.apply({ ...ON_LOOPBACK, httpPort });
      assert.equal(states, 1);
      await nextTurn();
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', note);
      await holder.release();
    }
  });

  it('has freed its ports when its last user is gone for good', async () => {
    start();
    const host = attach({});
    await used(host);
    let isFree = false;
    sharedPorts.once('freed', () => (isFree = true));
    await registry.removeUser('host', 'user', true);
    assert.equal(isFree, true);
    await used(host);
    await registry.removeUser('host', 'user', false);
    isFree = false;
    sharedPorts.once('freed', () => (isFree = true));
    await registry.settle();
    assert.equal(isFree, true);
  });

  it('listens while a job is open, and no longer once it is done', async () => {
    start();
    const host = attach({});
    registry.addUser('host', 'node');
    const stage = begin(host, '1000a1b2c3');
    await listens(host, true);
    stage.end();
    await listens(host, false);
  });

  it('listens on for a while after a failure, for another try', async () => {
    start({ retryableMs: 1, sweepMs: DAY_MS });
    const host = attach({});
    registry.addUser('host', 'node');
    const stage = begin(host, '1000a1b2c3');
    await listens(host, true);
    stage.fail();
    await listens(host, false);
  });

  it('listens on after a failure for no longer than that may be tried again', async () => {
    start({ retryableMs: 1000, sweepMs: DAY_MS });
    const host = attach({});
    registry.addUser('host', 'node');
    const stage = begin(host, '1000a1b2c3');
    await listens(host, true);
    timeStands(['setTimeout', 'Date'], Date.now());
    const failed = once(host.runs, 'failed');
    stage.fail();
    await failed;
    await nextTurn();
    timePasses(999);
    await nextTurn();
    assert.equal(host.isListening, true);
    timePasses(1);
    await listens(host, false);
  });

  it('does not cease to listen right after a failure', async () => {
    start();
    const host = attach({});
    registry.addUser('host', 'node');
    const stage = begin(host, '1000a1b2c3');
    await listens(host, true);
    const failed = once(host.runs, 'failed');
    stage.fail();
    await failed;
    await registry.settle();
    assert.equal(host.isListening, true);
    // A person has taken it out of the list.
    const job = host.jobs.latest('1000a1b2c3');
    assert.ok(job && host.jobs.forget(job));
    await listens(host, false);
  });

  it('listens while something waits in the queue', async () => {
    start();
    const host = attach({});
    registry.addUser('host', 'node');
    const { id } = host.queue.add({ deviceid: '1000a1b2c3' }, { nodeId: 'node' });
    await listens(host, true);
    host.queue.skip(id);
    await listens(host, false);
  });

  it('listens while something waits in a queue that is paused: its devices stay', async () => {
    start();
    const host = attach({});
    registry.addUser('host', 'node');
    host.queue.add({ deviceid: '1000a1b2c3' }, { nodeId: 'node' });
    await listens(host, true);
    host.queue.pause();
    // Whatever it does about that is done when the next one has had its turn.
    await registry.whileListening('host', () => host.open());
    assert.equal(host.isListening, true);
    host.queue.skip('1000a1b2c3');
    await listens(host, false);
  });

  it('listens while a device is connected', async () => {
    start();
    const host = attach({});
    registry.addUser('host', 'node');
    await used(host);
    const device = new VirtualSonoff({
      apAddress: '127.0.0.1',
      apPort: 0,
      speed: 100,
      provisioned: { serverName: '127.0.0.1', port: host.ports.https },
    });
    const ready = once(host.devices, 'ready');
    await device.start();
    await ready;
    await registry.removeUser('host', 'user', true);
    assert.equal(host.isListening, true);
    await device.stop();
    await listens(host, false);
  });

  it('listens for a job that an earlier process has left open', async () => {
    start();
    const before = registry.attach('kept', {}, ON_LOOPBACK, folder);
    registry.addUser('kept', 'node');
    begin(before, '1000a1b2c3');
    await listens(before, true);
    await before.whenStored();
    start();
    const after = registry.attach('kept', {}, ON_LOOPBACK, folder);
    registry.addUser('kept', 'node');
    await listens(after, true);
  });

  it('does not listen for a job that has no node left to continue it', async () => {
    start();
    const host = attach({});
    await used(host);
    host.jobs.jobFor('cloud', '1000a1b2c3');
    assert.equal(host.neededUntil(), Infinity);
    await registry.removeUser('host', 'user', true);
    assert.equal(host.isListening, false);
  });

  it('sets itself no time for what is needed without end', async () => {
    start();
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    try {
      const host = attach({});
      await used(host);
      for (let turn = 0; turn < 10; turn += 1) await nextTurn();
      assert.deepEqual(warnings, []);
    } finally {
      process.off('warning', note);
    }
  });

  it('tries again when another host lets go of its port', async () => {
    start();
    const httpsPort = await freePort();
    const [one, other] = ['one', 'other'].map((id) => registry.attach(id, {}, { ...ON_LOOPBACK, httpsPort }, folder));
    assert.ok(one && other);
    registry.addUser('one', 'user', { awaitsDevices: true });
    await listens(one, true);
    registry.addUser('other', 'user', { awaitsDevices: true });
    while (!other.trouble) await once(other, 'state');
    assert.equal(other.trouble.code, 'port-of-other-host');
    await registry.removeUser('one', 'user', true);
    await listens(other, true);
    assert.equal(other.trouble, undefined);
  });

  it('tries a port that was taken again with the next deploy', async () => {
    start();
    const httpPort = await freePort();
    const holder = await occupy(httpPort);
    const host = attach({}, { ...ON_LOOPBACK, httpPort });
    registry.addUser('host', 'user', { awaitsDevices: true });
    while (!host.trouble) await once(host, 'state');
    await holder.release();
    registry.addUser('host', 'user', { awaitsDevices: true });
    await listens(host, true);
  });

  it('asks a host nothing any more that was closed, whatever it was to be asked later', async () => {
    start();
    const owner = {};
    const host = attach(owner);
    let asked = 0;
    host.neededUntil = () => {
      asked += 1;
      return Date.now() + 60_000;
    };
    timeStands();
    registry.addUser('host', 'node');
    for (const _ of [1, 2]) {
      host.emit('need');
      await nextTurn();
    }
    await registry.detach('host', owner, true);
    asked = 0;
    timePasses(120_000);
    assert.equal(asked, 0);
  });

  it('listens for the time of a task, whether it ends well or badly', async () => {
    start();
    const host = attach({});
    registry.addUser('host', 'node');
    const look = async (): Promise<boolean> => {
      await listens(host, true);
      return host.isListening;
    };
    assert.equal(await registry.whileListening('host', look), true);
    assert.equal(host.isListening, false);
    const fail = (): Promise<never> => Promise.reject(new Error('broken'));
    await assert.rejects(registry.whileListening('host', fail), /broken/);
    assert.equal(host.isListening, false);
  });

  it('knows nothing of a user that never came', async () => {
    start();
    const host = attach({});
    await used(host);
    await registry.removeUser('host', 'nobody', true);
    await registry.removeUser('nothing', 'user', true);
    registry.addUser('nothing', 'user');
    assert.equal(host.isListening, true);
    const recorder = new Recorder();
    host.runs.attach('nobody', recorder);
    assert.deepEqual(recorder.queue, [0]);
  });
});
