/** Home Assistant's view, received at a real Mosquitto: a real Node-RED runs example 30. */

import { mosquitto, type Listener } from '../home-assistant/broker';
import { looksAround, LOOK_AROUND_ID, Scene, at } from '../home-assistant/scene';
import type { Row } from './figures';

/** From the birth message of Home Assistant until every device is stated again. */
export async function restated(count: number, rounds: number): Promise<Row> {
  const ids = Array.from({ length: count }, (_, index) => `1000ab${String(index).padStart(4, '0')}`);
  const took = await measured(rounds, { overrides: looksAround(ids) }, async ({ red, listener }, round) => {
    const all = (from: number): Promise<unknown> => statedAll(listener, ids, from);
    if (round === 0) {
      await red.inject(LOOK_AROUND_ID);
      await all(0);
    }
    const from = listener.messages.length;
    const begun = performance.now();
    await listener.say('homeassistant/status', 'online');
    await all(from);
    return performance.now() - begun;
  });
  return row(`Home Assistant, ${count} devices`, 'restated after a birth message', took);
}

/** From the press of Start until the instruction arrives: as an event, and in the flasher's state. */
export async function instructed(rounds: number): Promise<Row> {
  const credentials = { 'sonota-host': { password: 'top secret' } };
  const took = await measured(rounds, { credentials }, async ({ listener }) => {
    const from = listener.messages.length;
    const begun = performance.now();
    await listener.say('sonota/set/start', 'PRESS');
    await listener.heard('the event', at('sonota/event', { event_type: 'waiting', hand_needed: true }), from);
    await listener.heard('the state', at('sonota/state', { hand_needed: 'ON' }), from);
    const delay = performance.now() - begun;
    const pressed = listener.messages.length;
    await listener.say('sonota/set/cancel', 'PRESS');
    await listener.heard('at rest', at('sonota/state', { state: 'idle', hand_needed: 'OFF' }), pressed);
    return delay;
  });
  return row('Home Assistant, Start', 'until the instruction is there', took);
}

async function measured(
  rounds: number,
  options: Parameters<typeof Scene.open>[0],
  measure: (scene: Scene, round: number) => Promise<number>,
): Promise<number[]> {
  if (!mosquitto()) return [];
  const scene = await Scene.open(options);
  try {
    await scene.listener.heard('the flasher', at('sonota/state'));
    const took: number[] = [];
    for (let round = 0; round < rounds; round += 1) took.push(await measure(scene, round));
    return took;
  } finally {
    await scene.close();
  }
}

async function statedAll(listener: Listener, ids: readonly string[], from: number): Promise<void> {
  for (const id of ids) {
    for (const topic of ['update', 'state']) {
      await listener.heard(`${id} ${topic}`, at(`sonota/device/${id}/${topic}`), from);
    }
  }
}

function row(name: string, what: string, ours: number[]): Row {
  return { name, partner: ours.length > 0 ? '' : 'there is no mosquitto', figures: { [what]: { unit: 'ms', ours } } };
}
