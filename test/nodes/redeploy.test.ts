import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import type { VirtualSonoff, VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import type { HostNode } from '../../nodes/shared/hosts';
import { FIRMWARE } from '../flash/bench';
import type { Flow } from '../shared/node-red';
import { freePort, occupy } from '../shared/ports';
import { Bed, freePorts, road, without, type Ports } from './bed';

/** Resolves when all of these ports can be opened by another program; tries until then. */
async function untilFree(ports: Ports): Promise<void> {
  for (const port of new Set(Object.values(ports) as number[])) {
    for (;;) {
      const holder = await occupy(port).catch(() => undefined);
      await holder?.release();
      if (holder) break;
      // A port in use is reported before anything else gets its turn, also what would free it.
      await nextTurn();
      // A port that is taken is refused in the same turn of the event loop, in which nothing can be freed.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** In the middle of its download. */
const HELD = { holdsAtByte: 8192 };
/** Behind the end of user2, and in the middle of the final image. */
const HELD_IN_FINALSTAGE = { holdsAtByte: 28_672 };
const RELEASED = { holdsAtByte: undefined };

const STAGES = ['provision', 'cloud', 'upgrade', 'finalstage'];

describe('nodes: redeploys and removals', () => {
  let bed: Bed;
  let ports: Ports;
  let flow: Flow;
  let device: VirtualSonoff;
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);

  before(() => void process.on('unhandledRejection', note));
  after(() => void process.off('unhandledRejection', note));
  afterEach(async () => {
    await bed.unload();
    await untilFree(ports);
    assert.deepEqual(unhandled, []);
  });

  /**
   * A flow and a device for it, provisioned. One whose progress is waited for is held: progress is reported a few times a
   * second, and its whole download could lie between two of them.
   */
  async function setUp(behaviours: VirtualSonoffOptions['behaviours'] = {}): Promise<void> {
    ports = await freePorts();
    const finalStagePort = await freePort();
    flow = road(ports, {
      upgrade: { firmware: '' },
      finalstage: { url: `http://127.0.0.1:${finalStagePort}` },
    });
    bed = await Bed.load(flow);
    device = bed.device({
      finalStagePort,
      provisioned: { serverName: '127.0.0.1', port: ports.httpsPort },
      behaviours,
    });
    await device.start();
  }

  const firmware = {
    ...FIRMWARE,
    user2: makeUserImage({ slot: 2, size: 24_576 }),
    final: makeFinalImage({ size: 40_960 }),
  };

  for (const type of ['full', 'nodes'] as const) {
    it(`a redeploy (${type}) in mid-upgrade and one in mid-FinalStage break nothing`, async () => {
      await setUp(HELD);
      /** Another value in a form: what makes Node-RED exchange a node. */
      const changed = (mark: string): Flow =>
        flow.map((node) => (STAGES.includes(node.id) ? { ...node, name: mark } : node));
      bed.send('cloud', { deviceid: device.deviceid, firmware, mine: 'kept' });
      const { transfer, waiting } = await bed.at('upgrade-progress', ({ text }) =>
        /downloads user2/.test(String(text)),
      );
      assert.deepEqual(
        [{ ...(transfer as object), sent: 0 }, waiting],
        [{ image: 'user2', sent: 0, size: firmware.user2.length }, false],
      );
      const old = bed.node('upgrade');
      await bed.deploy(changed('once'), type);
      assert.notEqual(bed.node('upgrade'), old);
      assert.deepEqual(await bed.doneBy('upgrade'), [undefined], 'the old one’s done, without an error');
      device.behave(HELD_IN_FINALSTAGE);
      const upgraded = await bed.at('upgrade-out');
      assert.equal(upgraded['mine'], 'kept');
      assert.equal((upgraded.payload as { sessions: number }).sessions, 1);
      assert.deepEqual(bed.shown('upgrade'), { fill: 'green', shape: 'dot', text: 'done' });

      const final = await bed.at('finalstage-progress', ({ text }) => /Final image: /.test(String(text)));
      assert.deepEqual(
        { ...(final['transfer'] as object), sent: 0 },
        { image: 'final', sent: 0, size: firmware.final.length },
      );
      await bed.deploy(changed('twice'), type);
      device.behave(RELEASED);
      assert.deepEqual(await bed.doneBy('finalstage'), [undefined]);
      const last = await bed.at('finalstage-out');
      assert.equal(last['mine'], 'kept');
      assert.equal((last.sonota as { stage: string }).stage, 'done');
      const { result, log } = await device.ended;
      assert.equal(result, 'flashed', log.join('\n'));
      assert.equal(log.filter((line) => /state: fetching/.test(line)).length, 1, log.join('\n'));
      assert.ok(Buffer.from(device.flash.subarray(0, firmware.final.length)).equals(firmware.final));
      assert.equal(bed.messages('caught').length, 0);
      for (const id of ['upgrade', 'finalstage']) {
        assert.equal(bed.messages(`${id}-out`).length, 1);
        assert.equal(bed.done.filter(({ node }) => node === id).length, 1);
      }
    });
  }

  it('a result that comes in the middle of a deploy is put out by the new node, to whom it is wired', async () => {
    await setUp(HELD);
    const verdict = new Promise<void>((resolve) => {
      device.on('state', (state: string) => void (state === 'blinking' && resolve()));
    });
    bed.send('cloud', { deviceid: device.deviceid, firmware, mine: 'kept' });
    await bed.at('upgrade-progress', ({ text }) => /downloads user2/.test(String(text)));
    // Between the old nodes and the new ones the device gives its verdict.
    const deployed = bed.closing().then(async (goOn) => {
      device.behave(RELEASED);
      await verdict;
      goOn();
    });
    // The deploy takes longer than the helper waits for it.
    await bed.deploy(flow).catch(() => undefined);
    await deployed;
    const upgraded = await bed.at('upgrade-out');
    assert.equal(upgraded['mine'], 'kept');
    await bed.at('finalstage-progress');
  });

  it('a failure that comes after a redeploy reaches Catch, with the message that was taken', async () => {
    await setUp(HELD);
    bed.send('cloud', { deviceid: device.deviceid, firmware, mine: 'kept' });
    await bed.at('upgrade-progress', ({ text }) => /downloads user2/.test(String(text)));
    await bed.deploy(flow);
    bed.send('upgrade', { cancel: true });
    const caught = await bed.at('caught');
    assert.equal(caught.error?.code, 'cancelled');
    assert.equal(caught['mine'], 'kept');
    assert.deepEqual(bed.shown('upgrade'), { fill: 'red', shape: 'ring', text: 'cancelled' });
  });

  it('a stage that waits continues showing so, behind a redeploy too, when its host listens again', async () => {
    await setUp();
    bed.send('cloud', { deviceid: '1000999999', mine: 'kept' });
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    const from = bed.statuses.length;
    await bed.deploy(flow);
    await bed.status('cloud', ({ fill }) => fill === 'yellow', from);
    const { flashHost } = bed.node('host') as HostNode;
    await flashHost.stopListening();
    await flashHost.open();
    assert.equal(bed.shown('cloud')?.fill, 'yellow');
  });

  it('removing the host in mid-upgrade frees the ports immediately, whatever the device does', async () => {
    await setUp(HELD);
    bed.send('cloud', { deviceid: device.deviceid, firmware });
    await bed.at('upgrade-progress', ({ text }) => /downloads user2/.test(String(text)));
    await bed.deploy(without(flow, 'host'));
    await untilFree(ports);
    assert.deepEqual(bed.shown('upgrade'), { fill: 'red', shape: 'ring', text: 'host-missing' });
  });

  // That the host waits until every byte is handed over is held by flash/host-close, with a device that stops reading.
  it('removing the host in mid-FinalStage leaves a device with its firmware, and frees the ports', async () => {
    await setUp(HELD_IN_FINALSTAGE);
    const large = makeFinalImage({ size: 480_000 });
    bed.send('cloud', { deviceid: device.deviceid, firmware: { ...firmware, final: large } });
    await bed.at('finalstage-progress', ({ text }) => /Final image: /.test(String(text)));
    const closed = bed.closing().then(async (goOn) => {
      goOn();
      for (let turn = 0; turn < 500; turn += 1) await nextTurn();
      return 'the device still has its image to come';
    });
    const deployed = bed.deploy(without(flow, 'host')).then(() => 'the deploy is over');
    assert.equal(await Promise.race([deployed, closed]), 'the device still has its image to come');
    device.behave(RELEASED);
    await deployed;
    const { result } = await device.ended;
    assert.equal(result, 'flashed');
    assert.ok(Buffer.from(device.flash.subarray(0, large.length)).equals(large));
    await untilFree(ports);
  });

  it('removing all users of a host frees its ports; adding one opens them again', async () => {
    await setUp();
    await bed.deploy(without(flow, ...STAGES));
    await untilFree(ports);
    await bed.deploy(flow);
    bed.send('cloud', { deviceid: device.deviceid, firmware });
    await bed.at('upgrade-out');
  });

  for (const isRemoved of [false, true]) {
    it(`says that a stage ended whose node has another host now${isRemoved ? ', the first being removed' : ''}`, async () => {
      ports = await freePorts();
      const second = { id: 'second', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1' };
      const closed = { httpsPort: '0', legacyPort: '0', httpPort: '0', finalStagePort: '0' };
      const withHost = (host: string): Flow => [...road(ports, { cloud: { host } }), { ...second, ...closed }];
      bed = await Bed.load(withHost('host'));
      bed.send('cloud', { deviceid: '1000a1b2c3', mine: 1 });
      await bed.status('cloud', ({ fill }) => fill === 'yellow');
      await bed.deploy(isRemoved ? without(withHost('second'), 'host') : withHost('second'), 'nodes');
      const { error, mine } = await bed.at('caught');
      assert.deepEqual([error?.code, error?.source.id, mine], ['cancelled', 'cloud', 1]);
      assert.equal(bed.shown('cloud')?.text, 'cancelled');
    });
  }

  it('a node that was removed gets nothing when it comes back', async () => {
    await setUp();
    bed.send('cloud', { deviceid: '1000999999', mine: 'old' });
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    await bed.deploy(without(flow, 'cloud'));
    const before = bed.statuses.length;
    await bed.deploy(flow);
    bed.send('cloud', { deviceid: device.deviceid, firmware, mine: 'new' });
    await bed.at('cloud-out');
    assert.equal(bed.messages('caught').length, 0);
    const shown = bed.statuses.slice(before).filter(({ id }) => id === 'cloud');
    assert.ok(!shown.some(({ status }) => status.text === 'cancelled'));
  });

  it('other ports are taken on with a redeploy', async () => {
    await setUp();
    const old = ports;
    const next = await freePorts();
    await bed.deploy(
      flow.map((node) =>
        node.id === 'host' ? { ...node, httpsPort: String(next.httpsPort), legacyPort: String(next.legacyPort) } : node,
      ),
    );
    await untilFree({ ...old, httpPort: old.httpsPort, finalStagePort: old.httpsPort });
    const moved = bed.device({
      deviceid: '1000000002',
      provisioned: { serverName: '127.0.0.1', port: next.httpsPort },
    });
    await moved.start();
    bed.send('cloud', { deviceid: '1000000002', firmware });
    await bed.at('cloud-out');
    ports = { ...next, httpPort: old.httpPort, finalStagePort: old.httpPort };
  });
});
