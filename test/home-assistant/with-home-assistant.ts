import assert from 'node:assert/strict';
import { mosquitto } from './broker';
import { HomeAssistant, place } from './home-assistant';
import { Scene } from './scene';

const ID = '1000a1b2c3';
const UPDATE = `update.sonota_${ID}_update`;
const STAGE = `sensor.sonota_${ID}_stage`;
const ERROR = `sensor.sonota_${ID}_error`;

const CONFIGURATION = `
http:
  server_port: {{HTTP_PORT}}
  server_host: 127.0.0.1
frontend:
automation: !include automations.yaml
script: !include scripts.yaml
logger:
  default: info
`;

const AUTOMATIONS = `
- id: install
  alias: Install when told
  triggers:
    - trigger: event
      event_type: please_install
  actions:
    - action: update.install
      target:
        entity_id: ${UPDATE}
`;

describe('home assistant: with a real one', function () {
  this.timeout(300_000);
  let scene: Scene | undefined;
  let ha: HomeAssistant | undefined;

  before(async function () {
    const where = place();
    const why = 'skip' in where ? where.skip : mosquitto() ? undefined : 'there is no mosquitto on this machine';
    if (why !== undefined) {
      console.log(`    Skipped: a real Home Assistant, because ${why}.`);
      return this.skip();
    }
  });
  afterEach(async () => {
    await ha?.stop();
    await scene?.close();
    ha = scene = undefined;
  });

  it('an automation installs; the update entity goes through progress to done', async () => {
    scene = await Scene.open();
    ha = await HomeAssistant.start(scene.broker.port, {
      'configuration.yaml': CONFIGURATION,
      'automations.yaml': AUTOMATIONS,
      'scripts.yaml': '{}',
    });
    const device = scene.device({ behaviours: { blockPauseMs: 20 } });
    await device.start();
    const before = await ha.state(UPDATE, ({ state }) => state === 'on');
    assert.equal(before.attributes['installed_version'], 'ITEAD 1.5.5');
    assert.equal(before.attributes['latest_version'], 'Tasmota 15.0.1');
    await ha.fire('please_install', {});
    await ha.state(UPDATE, ({ attributes }) => attributes['in_progress'] === true);
    await ha.state(UPDATE, ({ state, attributes }) => state === 'off' && attributes['in_progress'] === false);
    await ha.state(STAGE, ({ state }) => state === 'done');
    await ha.state(ERROR, ({ state }) => state === 'none');
    assert.deepEqual(ha.complaints(), []);
  });
});
