import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../shared/package-root';
import type { HomeAssistant } from './home-assistant';
import { Phone, type PhoneNotification } from './phone';
import { RealSuite } from './real-suite';
import { at, type Scene } from './scene';

/** Of digits alone: a template takes such a text for a number. */
const ID = '1000112233';
const CREDENTIALS = { 'sonota-host': { password: 'top secret' } };
const BLUEPRINT = 'sonota/sonoff-notifications.yaml';
const HAND_NEEDED = 'binary_sensor.sonota_flasher_hand_needed';

function shipped(name: string): string {
  return readFileSync(join(packageRoot(), 'examples', 'home-assistant', name), 'utf8');
}

const isHand = ({ title }: PhoneNotification): boolean => title === 'A Sonoff needs a hand';
const isFailure = ({ title }: PhoneNotification): boolean => title === `Sonoff ${ID}: model-refused`;

describe('home assistant: the blueprint for the phone, in a real one', function () {
  this.timeout(300_000);
  const suite = RealSuite.register(() => ({
    'configuration.yaml': 'automation: !include automations.yaml\nmobile_app:\n',
    'automations.yaml': '[]\n',
    [`blueprints/automation/${BLUEPRINT}`]: shipped('sonoff-notifications.yaml'),
  }));
  let ha: HomeAssistant;
  let phone: Phone;
  let seen: number;

  before(async () => {
    ha = suite.ha;
    phone = await Phone.register(ha);
    // As the form of the blueprint stores it: what is not filled in has its default.
    await ha.api.post('/api/config/automation/config/sonoff_phone', {
      alias: 'Sonoffs on the phone',
      use_blueprint: { path: BLUEPRINT, input: { phone: phone.deviceId, reminder: 1 } },
    });
    await ha.state('automation.sonoffs_on_the_phone', ({ state }) => state === 'on', 0);
  });
  beforeEach(() => (seen = phone.heard.length));

  it('shows what to do; Done takes it away, and asks again while the hand is needed', async () => {
    const scene = await start();
    const asked = await phone.shows(isHand, seen);
    assert.match(asked.message, /^Hold the button/);
    assert.equal(asked.message, (await ha.state(HAND_NEEDED, ({ state }) => state === 'on')).attributes['text']);
    const before = phone.heard.length;
    await phone.press(asked, 'Done');
    await phone.shows(({ message }) => message === asked.message, before);
    await scene.listener.say('sonota/set/cancel', 'PRESS');
    await phone.dropped(isHand);
  });

  it('cancels what waits for a hand where no device is known; that is no failure', async () => {
    await start();
    await phone.press(await phone.shows(isHand, seen), 'Cancel');
    await ha.state('event.sonota_flasher_events', ({ attributes }) => attributes['event_type'] === 'finished');
    await phone.dropped(isHand);
    assert.deepEqual(phone.shown(), []);
  });

  it('cancels the flash of the device that waits, and no other', async () => {
    const scene = await suite.open();
    await scene.dialsIn({ deviceid: ID, radio: scene.air.radio });
    await suite.install(ID);
    const asked = await phone.shows(isHand, seen);
    assert.match(asked.message, /^Join the open Wi-Fi FinalStage/);
    await phone.press(asked, 'Cancel');
    await scene.listener.heard('its own button', ({ topic }) => topic === `sonota/set/cancel/${ID}`);
    await phone.dropped(isHand);
    assert.deepEqual(phone.shown(), []);
  });

  it('shows a failure with its remedy; Retry flashes, and what ends well takes it away', async () => {
    const scene = await suite.open();
    const device = await scene.dialsIn({ deviceid: ID, behaviours: { refusesWith: 406 } });
    await suite.install(ID);
    const failed = await phone.shows(isFailure, seen);
    assert.match(failed.message, /406/);
    // A reported failure is not reported again when Node-RED is back.
    const from = scene.listener.messages.length;
    await scene.restart();
    const event = 'event.sonota_flasher_events';
    const gone = await ha.state(event, ({ state }) => state === 'unavailable');
    await ha.state(event, ({ state }) => state !== 'unavailable', ha.states.indexOf(gone) + 1);
    await scene.listener.heard('known again', at(`sonota/device/${ID}/state`, { stage: 'failed' }), from);
    device.behave({ refusesWith: undefined });
    await phone.press(failed, 'Retry');
    await phone.shows(({ message }) => message === 'clear_notification', seen);
    await phone.dropped(isFailure);
    assert.equal((await device.ended).result, 'flashed');
    assert.equal(phone.heard.slice(seen).filter(isFailure).length, 1);
  });

  it('shows why a flash cannot be cancelled', async () => {
    const scene = await suite.open();
    await scene.dialsIn({ deviceid: ID });
    // Events are not retained: Home Assistant must know the device before one is published.
    await ha.state(`update.sonota_${ID}_update`, ({ state }) => state === 'off');
    await scene.listener.say(`sonota/set/cancel/${ID}`, 'PRESS');
    const refused = await phone.shows(({ title }) => title === `Sonoff ${ID}: cancel-nothing`, seen);
    assert.deepEqual(refused.data?.actions, []);
  });

  /** A new Sonoff, of which nothing is known yet. */
  async function start(): Promise<Scene> {
    const scene = await suite.open({ credentials: CREDENTIALS });
    const button = 'button.sonota_flasher_start';
    await ha.state(button, ({ state }) => state !== 'unavailable');
    await ha.call('button.press', { entity_id: button });
    return scene;
  }
});
