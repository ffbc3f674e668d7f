import assert from 'node:assert/strict';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import type { EntityState, HomeAssistant, RecordedState } from './home-assistant';
import { Meter } from './meter';
import { RealSuite } from './real-suite';
import { LOOK_AROUND_ID, looksAround, NEW_FIRMWARE, type Scene } from './scene';

const ID = '1000a1b2c3';
const CREDENTIALS = { 'sonota-host': { password: 'top secret' } };
/** Its networks are joined by a person: everything else is as fast as it can be looked at. */
const VISIBLY = { behaviours: { blockPauseMs: 20 } };
/** So long that it asks for nothing while it is watched. */
const SILENT = { timings: { heartbeatUnit: 3_600_000 } };
const UNARMED = 20;

const LOOKS_AROUND = looksAround([ID]);

const update = (id: string): string => `update.sonota_${id}_update`;
const stage = (id: string): string => `sensor.sonota_${id}_stage`;
const result = (id: string): string => `event.sonota_${id}_result`;
const hand = (id: string): string => `binary_sensor.sonota_${id}_hand_needed`;

const is =
  (wanted: string) =>
  ({ state }: EntityState): boolean =>
    state === wanted;
/** An event entity has the newest event in its attributes. */
const happened =
  (attributes: Record<string, unknown>) =>
  (state: EntityState): boolean =>
    Object.entries(attributes).every(([key, value]) => state.attributes[key] === value);

describe('home assistant: a flash from a real one, and nothing without a person', function () {
  this.timeout(300_000);
  const suite = RealSuite.register(() => ({ 'configuration.yaml': 'recorder:\n  commit_interval: 1\n' }));
  let ha: HomeAssistant;
  before(() => (ha = suite.ha));

  it('sends not one byte to 20 devices that are not armed, whatever is installed, and refuses each', async () => {
    const scene = await suite.open();
    const meter = await Meter.before(scene.cloudPort);
    try {
      const provisioned = { serverName: '127.0.0.1', port: meter.port };
      const ids = Array.from({ length: UNARMED }, (_, index) => `1000abcd${String(index).padStart(2, '0')}`);
      for (const deviceid of ids) {
        await scene.dialsIn({ deviceid, provisioned, ...SILENT });
        await scene.ready(deviceid);
      }
      for (const id of ids) await ha.state(update(id), is('off'));
      const before = meter.sentBytes;
      assert.ok(before > 0, 'the meter counts nothing');
      await assert.rejects(ha.call('update.install', { entity_id: 'all' }), /No update available/);
      for (const id of ids) {
        await assert.rejects(ha.call('update.install', { entity_id: update(id) }), /No update available/);
      }
      // Past Home Assistant's own check, as an automation can.
      for (const id of ids) await ha.call('mqtt.publish', { topic: `sonota/set/install/${id}`, payload: 'INSTALL' });
      for (const id of ids) await ha.state(result(id), happened({ event_type: 'refused', error: 'not-armed' }));
      assert.equal(meter.sentBytes, before);
      for (const id of ids) assert.equal(ha.now(update(id))?.attributes['in_progress'], false);
    } finally {
      await meter.close();
    }
  });

  it('shows each instruction as text, event and hand needed before the device takes its next step', async () => {
    const since = new Date();
    const scene = await suite.open({ credentials: CREDENTIALS, overrides: LOOKS_AROUND });
    const device = scene.newDevice({ slot: 2, ...VISIBLY });
    let inFinalStage = 0;
    device.on('state', (state) => (inFinalStage += state === 'finalstage' ? 1 : 0));
    await seenInItsNetwork(scene);
    await suite.install(ID);

    await told(/^Hold the button/);
    assert.equal(device.state, 'off');
    const started = device.start();
    scene.air.join(`ITEAD-${ID}`);
    await started;

    await told(/^Join the open Wi-Fi FinalStage/);
    assert.equal(inFinalStage, 0);
    scene.air.join('FinalStage');

    await told(/appears a second time/);
    assert.equal(inFinalStage, 1);
    scene.air.join('FinalStage');

    await ha.state(result(ID), happened({ event_type: 'succeeded' }));
    await ha.state(stage(ID), is('Done'));
    assert.equal((await device.ended).result, 'flashed');
    assert.equal(ha.now(hand(ID))?.state, 'off');
    assert.equal(ha.now(update(ID))?.attributes['installed_version'], NEW_FIRMWARE);

    const isDone = (states: RecordedState[]): boolean => states.some(({ state }) => state === 'Done');
    let recorded: RecordedState[] = [];
    await suite.until(async () => isDone((recorded = await ha.history([hand(ID), stage(ID)], since))));
    assertOrder(recorded, [
      [hand(ID), 'on', /^Hold the button/],
      [stage(ID), 'Upgrading'],
      [hand(ID), 'on', /^Join the open Wi-Fi FinalStage/],
      [hand(ID), 'on', /appears a second time/],
      [stage(ID), 'Done'],
    ]);
  });

  describe('Cancel', () => {
    it('ends a flash that waits for the Wi-Fi of a device', async () => {
      const scene = await suite.open({ credentials: CREDENTIALS, overrides: LOOKS_AROUND });
      await seenInItsNetwork(scene);
      await suite.install(ID);
      await told(/^Hold the button/);
      await cancelled();
    });

    it('ends a flash of which no device is known, by the button of the flasher', async () => {
      const scene = await suite.open({ credentials: CREDENTIALS });
      await scene.listener.heard('the flasher', ({ topic }) => topic === 'sonota/state');
      await ha.state('button.sonota_flasher_start', ({ state }) => state !== 'unavailable');
      await ha.call('button.press', { entity_id: 'button.sonota_flasher_start' });
      const needed = 'binary_sensor.sonota_flasher_hand_needed';
      await ha.state(needed, is('on'));
      const from = ha.states.length;
      await ha.call('button.press', { entity_id: 'button.sonota_flasher_cancel_all' });
      await ha.state(needed, is('off'), from);
      await ha.state('sensor.sonota_flasher_state', is('Idle'), from);
    });

    it('ends a flash that waits until its device dials in', async () => {
      const scene = await suite.open();
      await (await scene.dialsIn()).stop();
      await suite.install(ID);
      await ha.state(result(ID), happened({ event_type: 'waiting', stage: 'cloud' }));
      await cancelled();
    });

    it('ends an upgrade that has started; the device keeps its firmware', async () => {
      const scene = await suite.open();
      const device = await scene.dialsIn({ behaviours: { holdsAtByte: 8192 } });
      await suite.install(ID);
      await ha.state(stage(ID), is('Upgrading'));
      await reached(device, 'upgrading');
      await cancelled();
      await device.stop();
      assert.equal((await device.ended).result, 'stopped');
    });

    it('ends a flash that waits for FinalStage', async () => {
      const scene = await suite.open();
      await scene.dialsIn({ radio: scene.air.radio });
      await suite.install(ID);
      await told(/^Join the open Wi-Fi FinalStage/);
      await cancelled();
    });

    it('never ends a transfer of FinalStage, and gives the reason', async () => {
      const scene = await suite.open();
      const device = await scene.dialsIn(VISIBLY);
      await suite.install(ID);
      await reached(device, 'erased');
      await ha.call('button.press', { entity_id: `button.sonota_${ID}_cancel` });
      const refused = await ha.state(result(ID), happened({ event_type: 'refused', error: 'cancel-too-late' }));
      assert.match(String(refused.attributes['text']), new RegExp(ID));
      await ha.state(result(ID), happened({ event_type: 'succeeded' }));
      assert.equal((await device.ended).result, 'flashed');
    });
  });

  /** As `sonota-wifi` reports it after a look at the Wi-Fi around. */
  async function seenInItsNetwork(scene: Scene): Promise<void> {
    await scene.listener.heard('the flasher', ({ topic }) => topic === 'sonota/state');
    await scene.red.inject(LOOK_AROUND_ID);
  }

  /** Waits until Home Assistant shows an instruction in each of its three places. */
  async function told(instruction: RegExp): Promise<void> {
    const text = (state: EntityState): boolean => instruction.test(String(state.attributes['text']));
    await ha.state(hand(ID), (state) => state.state === 'on' && text(state));
    await ha.state(result(ID), (state) => text(state) && happened({ event_type: 'waiting', hand_needed: true })(state));
    await ha.state(update(ID), ({ attributes }) => instruction.test(String(attributes['release_summary'])));
  }

  async function cancelled(): Promise<void> {
    const from = ha.states.length;
    await ha.call('button.press', { entity_id: `button.sonota_${ID}_cancel` });
    await ha.state(result(ID), happened({ event_type: 'failed', error: 'cancelled' }), from);
    await ha.state(update(ID), ({ attributes }) => attributes['in_progress'] === false, from);
    await ha.state('sensor.sonota_flasher_state', is('Idle'), from);
    assert.equal(ha.now(hand(ID))?.state, 'off');
  }
});

async function reached(device: VirtualSonoff, state: string): Promise<void> {
  while (device.state !== state) await new Promise((resolve) => device.once('state', resolve));
}

/** That the steps come one after another among what was recorded; others may lie between them. */
function assertOrder(recorded: RecordedState[], steps: (readonly [id: string, state: string, text?: RegExp])[]): void {
  let at = 0;
  for (const [id, state, text = /(?:)/] of steps) {
    const found = recorded.findIndex(
      (one, index) =>
        index >= at && one.entity_id === id && one.state === state && text.test(String(one.attributes['text'])),
    );
    const seen = recorded.map((one) => `${one.entity_id} ${one.state} ${String(one.attributes['text']).slice(0, 40)}`);
    assert.ok(found >= 0, `${id} ${state} ${text.source} is not where it belongs:\n${seen.join('\n')}`);
    at = found + 1;
  }
}
