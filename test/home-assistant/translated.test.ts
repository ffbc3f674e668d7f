import assert from 'node:assert/strict';
import { Untranslated } from '../shared/untranslated';
import { needMosquitto } from './broker';
import { at, NEW_FIRMWARE, Scene } from './scene';

const ID = '1000a1b2c3';
const REFUSING = '1000a1b2c4';
const LIMIT_MS = 300_000;

for (const language of ['de', 'fr']) {
  describe(`home assistant: all that is published with lang: '${language}'`, function () {
    this.timeout(LIMIT_MS);
    let scene: Scene | undefined;

    before(needMosquitto);
    afterEach(async () => {
      await scene?.close();
      scene = undefined;
    });

    it('is in that language: entities, states, instructions, errors and update summaries', async () => {
      scene = await Scene.open({ nodeRed: { settings: { lang: language } } });
      const { listener, red, flow } = scene;
      // A debug node shows what a flow lets it.
      const isOurs = ({ id }: { id: string }): boolean =>
        flow.some((node) => node.id === id && node.type.startsWith('sonota-'));
      const comms = await red.comms();
      try {
        await scene.dialsIn();
        await scene.install(ID);
        await listener.heard('succeeded', at(`sonota/device/${ID}/event`, { event_type: 'succeeded' }));
        await listener.heard('installed', at(`sonota/device/${ID}/update`, { installed_version: NEW_FIRMWARE }));
        await scene.dialsIn({ deviceid: REFUSING, behaviours: { refusesWith: 406 } });
        await scene.install(REFUSING);
        await listener.heard('failed', at(`sonota/device/${REFUSING}/event`, { event_type: 'failed' }));
        const english = new Untranslated(language);
        const published = listener.messages.filter(({ topic }) => !topic.includes('/set/'));
        assert.ok(published.some(({ topic }) => topic === 'homeassistant/device/sonota_flasher/config'));
        const found = [
          ...published.flatMap(({ payload }) => inPayload(english, payload)),
          ...comms.statuses.filter(isOurs).flatMap(({ status }) => english.inStatus(status.text ?? '')),
          ...red.log.flatMap((line) => english.inText(line)),
        ];
        assert.deepEqual([...new Set(found)], []);
      } finally {
        comms.close();
      }
    });
  });
}

function inPayload(english: Untranslated, payload: string): string[] {
  return payload.startsWith('{') ? english.inMessage(JSON.parse(payload)) : english.inText(payload);
}
