import assert from 'node:assert/strict';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import type { EntityState, HomeAssistant } from './home-assistant';
import { RealSuite } from './real-suite';
import { NEW_FIRMWARE, type Scene } from './scene';

const ID = '1000a1b2c3';
const UPDATE = `update.sonota_${ID}_update`;
const HELD_AT_BYTE = 16_384;
/** Node-RED waits 15 s before it looks for its broker again; nothing is learnt from that here. */
const SOON = { settings: { mqttReconnectTime: 500 } };

const isAtWork = ({ attributes }: EntityState): boolean => attributes['in_progress'] === true;

describe('home assistant: restarts in the middle of a flash, with a real one', function () {
  this.timeout(300_000);
  const suite = RealSuite.register(() => ({}), [/The connection was lost/]);
  let ha: HomeAssistant;
  let scene: Scene;
  let device: VirtualSonoff;
  before(() => (ha = suite.ha));

  /** In the middle of the upgrade the device takes nothing more until it is let go. */
  beforeEach(async () => {
    scene = await suite.open({ nodeRed: SOON });
    device = await scene.dialsIn({ behaviours: { holdsAtByte: HELD_AT_BYTE } });
    await suite.install(ID);
    await ha.state(UPDATE, (state) => isAtWork(state) && Number(state.attributes['update_percentage']) > 0);
  });

  /** The flash ends well, and Home Assistant shows that. */
  async function endsWell(from: number): Promise<void> {
    device.behave({ holdsAtByte: undefined });
    const done = await ha.state(UPDATE, ({ attributes }) => attributes['installed_version'] === NEW_FIRMWARE, from);
    assert.equal(done.attributes['in_progress'], false);
    assert.equal((await device.ended).result, 'flashed');
    await ha.state(`sensor.sonota_${ID}_stage`, ({ state }) => state === 'Done', from);
    await ha.state(`event.sonota_${ID}_result`, ({ attributes }) => attributes['event_type'] === 'succeeded', from);
  }

  it('of Home Assistant: the flash continues, and is shown again', async () => {
    const from = ha.states.length;
    await ha.restart();
    await ha.state(UPDATE, isAtWork, from);
    await endsWell(from);
  });

  it('of the broker, which keeps nothing: the flash continues, and everything is said again', async () => {
    const from = ha.states.length;
    await suite.broker.restart();
    await ha.state(UPDATE, ({ state }) => state === 'unavailable', from);
    await ha.state(UPDATE, isAtWork, from);
    await endsWell(from);
  });

  it('of Node-RED: it is unavailable, then at rest, and the flash continues', async () => {
    const from = ha.states.length;
    await scene.restart();
    const gone = await ha.state(UPDATE, ({ state }) => state === 'unavailable', from);
    const isAtRest = ({ attributes }: EntityState): boolean => attributes['in_progress'] === false;
    const rest = await ha.state(UPDATE, isAtRest, ha.states.indexOf(gone));
    await ha.state(UPDATE, isAtWork, ha.states.indexOf(rest));
    await endsWell(from);
  });
});
