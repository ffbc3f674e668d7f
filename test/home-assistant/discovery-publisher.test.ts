import assert from 'node:assert/strict';
import { cut } from '../../lib/home-assistant/text';
import type { MqttMessage, SonoffInSight } from '../../lib/home-assistant';
import { CheckedMirror, DEVICE, EMPTY, FIRMWARE, ID, job, under } from './snapshots';

const ONE = { ...EMPTY, devices: [DEVICE], firmware: FIRMWARE };
const ARMED = { ...ONE, arming: { isForAll: false, devices: [ID] } };
const UPDATE = `sonota/device/${ID}/update`;
const STATE = `sonota/device/${ID}/state`;

describe('home assistant: what is said', () => {
  let mirror: CheckedMirror;
  beforeEach(() => {
    mirror = new CheckedMirror();
  });

  it('publishes the flasher and each device, and nothing twice', () => {
    const messages = mirror.news(ONE);
    assert.deepEqual(
      messages.map(({ topic }) => topic),
      [
        'homeassistant/device/sonota_flasher/config',
        'sonota/state',
        `homeassistant/device/sonota_${ID}/config`,
        UPDATE,
        STATE,
        'sonota/event',
      ],
    );
    assert.deepEqual(mirror.news(ONE), []);
    assert.equal(mirror.everything(ONE).length, 5, 'what has happened does not happen again');
  });

  it('offers nothing for a device that is not armed, and says how to arm it', () => {
    assert.deepEqual(under(mirror.news(ONE), UPDATE), {
      installed_version: 'ITEAD 1.5.5',
      latest_version: 'ITEAD 1.5.5',
      release_summary: 'unarmed',
      in_progress: false,
      update_percentage: null,
    });
    assert.equal(under(mirror.everything(ONE), STATE)?.['armed'], 'OFF');
  });

  it('offers an armed device what Home Assistant cannot compare, and says which image it would write', () => {
    const digest = 'ab'.repeat(32);
    const image = { version: '15.0.1', sha256: digest, url: 'https://example.org/tasmota.bin' };
    const all = mirror.news({ ...ARMED, firmware: { ...FIRMWARE, image } });
    assert.deepEqual(under(all, UPDATE), {
      installed_version: 'ITEAD 1.5.5',
      latest_version: 'Tasmota 15',
      release_summary: `offer-digest Tasmota 15 (15.0.1) ${digest}`,
      release_url: image.url,
      in_progress: false,
      update_percentage: null,
    });
    assert.deepEqual([under(all, STATE)?.['armed'], under(all, 'sonota/state')?.['armed']], ['ON', 'OFF']);
    const forAll = { isForAll: true, devices: [ID] };
    const unseen = mirror.news({ ...ARMED, arming: forAll });
    assert.equal(under(unseen, UPDATE)?.['release_summary'], 'offer Tasmota 15');
    assert.equal(under(unseen, 'sonota/state')?.['armed'], 'ON');
    const unknown = { ...ARMED, devices: [{ deviceid: ID }], firmware: { options: [], chosen: undefined } };
    const update = under(mirror.everything(unknown), UPDATE);
    assert.deepEqual([update?.['installed_version'], update?.['latest_version']], ['ITEAD', 'newFirmware']);
  });

  it('offers nothing to a device that was flashed, armed or not', () => {
    const flashed = { ...ARMED, devices: [{ ...DEVICE, installed: 'Tasmota 15' }] };
    const update = under(mirror.news(flashed), UPDATE);
    assert.deepEqual([update?.['latest_version'], update?.['release_summary']], ['Tasmota 15', '']);
  });

  it('counts the Sonoffs in sight while a survey runs, and lists no more than Home Assistant records', () => {
    const sonoff = (index: number): SonoffInSight => ({
      ...{ deviceid: `10000000${index}`, name: 'n'.repeat(64), model: 'm'.repeat(64), version: '3.7.6' },
      ...{ address: '192.168.178.100', method: 'diy-button', text: 't'.repeat(240) },
    });
    const config = 'homeassistant/device/sonota_flasher/config';
    const found = (messages: readonly MqttMessage[]): unknown =>
      (under(messages, config)?.['components'] as Record<string, object>)['found'];
    const without = mirror.news(ONE);
    assert.deepEqual(found(without), { platform: 'sensor' }, 'as an entity is removed');
    assert.equal(under(without, 'sonota/state')?.['found'], undefined);
    const sonoffs = Array.from({ length: 40 }, (_, index) => sonoff(10 + index));
    const messages = mirror.news({ ...ONE, sonoffs });
    const state = under(messages, 'sonota/state');
    const devices = state?.['found_devices'] as SonoffInSight[];
    assert.deepEqual([state?.['found'], devices.length, devices[0]], [40, 30, sonoff(10)]);
    assert.ok(Buffer.byteLength(JSON.stringify({ devices })) < 16_384);
    assert.match(JSON.stringify(found(messages)), /value_json\.found_devices/);
  });

  it('gives the reason of a refusal as an event of the device and of the flasher', () => {
    mirror.news(ONE);
    const refusal = { event_type: 'refused', deviceid: ID, error: 'not-armed', text: 'So it was.', remedy: 'Arm it.' };
    const messages = mirror.refused(ID, { code: 'not-armed', text: 'So it was.', remedy: 'Arm it.' });
    assert.deepEqual(under(messages, `sonota/device/${ID}/event`), refusal);
    assert.deepEqual(under(messages, 'sonota/event'), refusal);
  });

  it('follows a flash to its end', () => {
    mirror.news(ONE);
    const seen = [
      job({ stage: 'cloud', percent: 10 }),
      job({ stage: 'upgrade', percent: 30 }),
      job({ stage: 'finalstage', percent: 80 }),
    ].map((now) => mirror.news({ ...ONE, jobs: [now] }));
    assert.deepEqual(
      seen.map((messages) => under(messages, UPDATE)?.['update_percentage']),
      [10, 30, 80],
    );
    assert.deepEqual(
      seen.map((messages) => under(messages, `sonota/device/${ID}/event`)?.['event_type']),
      ['started', 'stage', 'stage'],
    );
    const done = { ...DEVICE, installed: 'Tasmota 15' };
    const end = mirror.news({ ...ONE, devices: [done], jobs: [job({ stage: 'done', percent: 100 })] });
    const update = under(end, UPDATE);
    assert.deepEqual(
      [
        update?.['in_progress'],
        update?.['update_percentage'],
        update?.['installed_version'],
        update?.['latest_version'],
      ],
      [false, null, 'Tasmota 15', 'Tasmota 15'],
    );
    assert.equal(under(end, STATE)?.['stage'], 'done');
    assert.equal(under(end, `sonota/device/${ID}/event`)?.['event_type'], 'succeeded');
    assert.equal(under(end, 'sonota/event')?.['event_type'], 'finished');
  });

  it('ends a failed flash with its code and what to do', () => {
    mirror.news({ ...ONE, jobs: [job({ percent: 30 })] });
    const text = 'It was so. Do this.';
    const verdict = { code: 'device-silent', confidence: 'likely', text } as const;
    const failed = job({ stage: 'failed', percent: 30, error: 'device-silent', verdict });
    const end = mirror.news({ ...ONE, jobs: [failed] });
    assert.deepEqual(
      [under(end, STATE)?.['error'], under(end, STATE)?.['text'], under(end, STATE)?.['stage']],
      ['device-silent', text, 'failed'],
    );
    assert.equal(under(end, UPDATE)?.['in_progress'], false);
    assert.equal(under(end, UPDATE)?.['release_summary'], text);
    assert.equal(under(end, `sonota/device/${ID}/event`)?.['error'], 'device-silent');
    // A new try clears it.
    const again = mirror.news({ ...ONE, jobs: [job({ percent: 30 })] });
    assert.equal(under(again, STATE)?.['error'], 'none');
    assert.equal(under(again, `sonota/device/${ID}/event`)?.['event_type'], 'started');
  });

  it('does not call in progress what nothing continues, and what waits in a paused queue', () => {
    const resting = mirror.news({ ...ONE, jobs: [job({ isAtWork: false })] });
    assert.equal(under(resting, UPDATE)?.['in_progress'], false);
    const queue = { isPaused: false, waiting: [ID], counts: { waiting: 1, done: 0, failed: 0 }, percent: 0 };
    const queued = mirror.everything({ ...ONE, queue });
    assert.deepEqual(
      [under(queued, UPDATE)?.['in_progress'], under(queued, UPDATE)?.['update_percentage']],
      [true, null],
    );
    assert.equal(under(queued, STATE)?.['stage'], 'queued');
    assert.equal(under(queued, `sonota/device/${ID}/event`)?.['event_type'], 'queued');
    const held = mirror.news({ ...ONE, queue: { ...queue, isPaused: true } });
    assert.equal(under(held, UPDATE)?.['in_progress'], false);
    assert.equal(under(held, 'sonota/state')?.['state'], 'paused');
  });

  it('counts with the queue, and without one by the jobs', () => {
    const jobs = [job({ stage: 'upgrade', percent: 40 }), job({ deviceid: 'b', stage: 'done', percent: 100 })];
    assert.deepEqual(under(mirror.news({ ...ONE, jobs }), 'sonota/state'), {
      state: 'flashing',
      state_name: 'The flasher-flashing',
      queue: 0,
      done: 1,
      failed: 0,
      percent: 40,
      firmware: 'Tasmota 15',
      hand_needed: 'OFF',
      instruction: '',
      armed: 'OFF',
      last_failure: null,
      problem: 'OFF',
      code: 'none',
      text: '',
    });
    const queue = {
      isPaused: false,
      waiting: ['c', undefined],
      counts: { waiting: 2, done: 7, failed: 1 },
      percent: 66.6,
    };
    const counted = under(mirror.news({ ...ONE, jobs, queue }), 'sonota/state');
    assert.deepEqual(
      ['queue', 'done', 'failed', 'percent'].map((key) => counted?.[key]),
      [2, 7, 1, 66],
    );
  });

  it('shows what a person must do as text, event and sensor, of the device and of the flasher', () => {
    mirror.news({ ...ONE, jobs: [job({ stage: 'upgrade' })] });
    const text = 'Join the open Wi-Fi FinalStage.';
    const waits = job({ stage: 'finalstage', percent: 60, report: { text, isWaiting: true, isHandNeeded: true } });
    const messages = mirror.news({ ...ONE, jobs: [waits] });
    assert.equal(under(messages, UPDATE)?.['release_summary'], text);
    const state = under(messages, STATE);
    assert.deepEqual([state?.['hand_needed'], state?.['waiting'], state?.['text']], ['ON', true, text]);
    const event = { event_type: 'waiting', deviceid: ID, stage: 'finalstage', percent: 60, text, hand_needed: true };
    assert.deepEqual(under(messages, `sonota/device/${ID}/event`), event);
    assert.deepEqual(under(messages, 'sonota/event'), event);
    const flasher = under(messages, 'sonota/state');
    assert.deepEqual([flasher?.['hand_needed'], flasher?.['instruction']], ['ON', text]);
    assert.deepEqual(mirror.news({ ...ONE, jobs: [waits] }), [], 'the same instruction again');
    const works = job({
      stage: 'finalstage',
      percent: 70,
      report: { text: 'x', isWaiting: false, isHandNeeded: false },
    });
    const later = mirror.news({ ...ONE, jobs: [works] });
    assert.deepEqual(
      [under(later, STATE)?.['hand_needed'], under(later, 'sonota/state')?.['hand_needed']],
      ['OFF', 'OFF'],
    );
    assert.equal(under(later, 'sonota/event'), undefined);
  });

  it('shows at the flasher what a person must do before the device is known', () => {
    mirror.news(ONE);
    const text = 'Hold the button.';
    const report = { text, isWaiting: true, isHandNeeded: true };
    const waits = { ...job({ stage: 'provision', percent: 0, report }), deviceid: null };
    const messages = mirror.news({ ...ONE, jobs: [waits] });
    const event = { event_type: 'waiting', stage: 'provision', percent: 0, text, hand_needed: true };
    assert.deepEqual(under(messages, 'sonota/event'), event);
    assert.equal(under(messages, 'sonota/state')?.['hand_needed'], 'ON');
    const rests = { ...waits, isAtWork: false };
    assert.equal(under(mirror.news({ ...ONE, jobs: [rests] }), 'sonota/state')?.['hand_needed'], 'OFF');
  });

  it('reports a failure before the device is known, once, and until a flash ends well', () => {
    mirror.news(ONE);
    const remedy = 'Enter it in the host node.';
    const text = `The password is missing. ${remedy}`;
    const failure = { id: 1, code: 'wifi-credentials-missing', text, remedy, deviceid: null } as const;
    const failed = { ...ONE, failures: [failure] };
    const messages = mirror.news(failed);
    assert.deepEqual(under(messages, 'sonota/event'), { event_type: 'failed', error: failure.code, text, remedy });
    const { code } = failure;
    assert.deepEqual(under(messages, 'sonota/state')?.['last_failure'], { code, text, remedy, deviceid: null });
    assert.deepEqual(mirror.news(failed), []);
    const again = mirror.news({ ...ONE, failures: [failure, { ...failure, id: 2 }] });
    assert.equal(under(again, 'sonota/event')?.['event_type'], 'failed');
    assert.equal(under(mirror.news(ONE), 'sonota/state')?.['last_failure'], null);
  });

  it('reports the failure of a job that has its device only once', () => {
    mirror.news({ ...ONE, jobs: [job()] });
    const error = 'device-silent' as const;
    const failure = { id: 1, code: error, text: 'So it was.', remedy: 'Do this.', deviceid: ID };
    const messages = mirror.news({ ...ONE, jobs: [job({ stage: 'failed', error })], failures: [failure] });
    const events = messages.filter(({ topic, payload }) => topic === 'sonota/event' && payload.includes('"failed"'));
    assert.equal(events.length, 1);
  });

  it('names the product, the firmware that runs, its page and the MAC address', () => {
    const config = (more: object): Record<string, unknown> => {
      const all = mirror.everything({ ...ONE, devices: [{ ...DEVICE, ...more }] });
      return under(all, `homeassistant/device/sonota_${ID}/config`)?.['device'] as Record<string, unknown>;
    };
    const stock = config({ mac: 'AA:BB:CC:00:11:22', page: 'http://192.168.1.30/' });
    assert.deepEqual([stock['model'], stock['model_id'], stock['sw_version']], ['Sonoff Basic', 'ITA-GZ1-GL', '1.5.5']);
    assert.deepEqual(stock['connections'], [['mac', 'aa:bb:cc:00:11:22']]);
    assert.equal(stock['configuration_url'], undefined, 'that was the firmware before');
    const flashed = config({ installed: 'Tasmota', installedVersion: '15.0.1', page: 'http://192.168.1.30/' });
    assert.deepEqual(
      [flashed['sw_version'], flashed['configuration_url']],
      ['Tasmota (15.0.1)', 'http://192.168.1.30/'],
    );
    assert.equal(config({ installed: 'Tasmota 15.0.1', installedVersion: '15.0.1' })['sw_version'], 'Tasmota 15.0.1');
    const unknown = config({ model: 'constructor' });
    assert.deepEqual([unknown['model'], unknown['model_id']], ['constructor', undefined]);
  });

  it('shows names for people, and the codes beside them', () => {
    const components = (topic: string): Record<string, Record<string, unknown>> =>
      under(mirror.everything(ONE), topic)?.['components'] as Record<string, Record<string, unknown>>;
    const { stage, error, update } = components(`homeassistant/device/sonota_${ID}/config`);
    const options = stage?.['options'] as string[];
    assert.ok(options.includes('The finalstage-waiting') && options.includes('The done'), options.join());
    assert.match(String(error?.['json_attributes_template']), /'code': value_json\.error/);
    assert.equal(update?.['icon'], 'mdi:chip');
    assert.ok(
      (components('homeassistant/device/sonota_flasher/config')['state']?.['options'] as string[]).length === 4,
    );
    const text = 'Join the open Wi-Fi FinalStage.';
    const waits = job({ stage: 'finalstage', report: { text, isWaiting: true, isHandNeeded: true } });
    const state = under(mirror.news({ ...ONE, jobs: [waits] }), STATE);
    assert.deepEqual([state?.['stage'], state?.['stage_name']], ['finalstage', 'The finalstage-waiting']);
    assert.deepEqual([state?.['error'], state?.['error_name'], state?.['remedy']], ['none', 'The no-error', '']);
    const failure = {
      code: 'device-silent',
      what: 'Es war so.',
      text: 'Es war so. Tu dies.',
      remedy: 'Tu dies.',
    } as const;
    const failed = under(mirror.news({ ...ONE, jobs: [job({ stage: 'failed', failure })] }), STATE);
    assert.deepEqual(
      ['error', 'error_name', 'text', 'remedy', 'stage_name'].map((key) => failed?.[key]),
      ['device-silent', 'Es war so.', failure.text, 'Tu dies.', 'The failed'],
    );
  });

  it('reports what is wrong with the host', () => {
    const trouble = { code: 'port-in-use', text: 'Port 8443 is taken.' } as const;
    const state = under(mirror.news({ ...ONE, trouble }), 'sonota/state');
    assert.deepEqual([state?.['problem'], state?.['code'], state?.['text']], ['ON', 'port-in-use', trouble.text]);
  });

  it('removes a device with empty kept messages, and once', () => {
    mirror.news(ONE);
    const removed = mirror.news({ ...EMPTY, firmware: FIRMWARE }).filter(({ payload }) => payload === '');
    assert.deepEqual(
      removed.map(({ topic, retain }) => [topic, retain]),
      [
        [`homeassistant/device/sonota_${ID}/config`, true],
        [UPDATE, true],
        [STATE, true],
      ],
    );
    assert.deepEqual(mirror.news({ ...EMPTY, firmware: FIRMWARE }), []);
    mirror.news(ONE);
    const all = mirror.everything({ ...EMPTY, firmware: FIRMWARE });
    assert.equal(all.filter(({ payload }) => payload === '').length, 3);
  });

  it('distinguishes the removal by another from its own, and says what was removed when it is there again', () => {
    const config = `homeassistant/device/sonota_${ID}/config`;
    mirror.news(ONE);
    mirror.news({ ...EMPTY, firmware: FIRMWARE });
    mirror.news(ONE);
    assert.equal(mirror.wasRemoved(config), false, 'its own removal comes back from the broker');
    assert.equal(mirror.wasRemoved('homeassistant/device/sonota_other/config'), false);
    assert.equal(mirror.wasRemoved(config), true);
    mirror.deletedThere(config);
    const removed = mirror.news({ ...EMPTY, firmware: FIRMWARE }).map(({ topic, payload }) => [topic, payload]);
    assert.deepEqual(
      removed.filter(([, payload]) => payload === ''),
      [
        [UPDATE, ''],
        [STATE, ''],
      ],
      'Home Assistant complains of a removal of what it does not have',
    );
    assert.ok(under(mirror.news(ONE), config));
  });

  it('does not tell as news what an earlier run has done', () => {
    const old = { ...ONE, jobs: [job({ stage: 'done', percent: 100 })] };
    mirror.knows(old);
    mirror.first(old);
    assert.deepEqual(mirror.news(old), []);
  });

  it('keeps two flashers on one broker apart, at any prefix', () => {
    const other = new CheckedMirror({ prefix: '/ha/', base: 'sonota/garage' });
    const topics = other.news(ONE).map(({ topic }) => topic);
    assert.ok(topics.includes('ha/device/sonota_garage/config'), topics.join());
    assert.ok(topics.includes(`ha/device/sonota_garage_${ID}/config`), topics.join());
    assert.ok(topics.includes(`sonota/garage/device/${ID}/update`), topics.join());
  });

  it('cuts texts at 255 characters, not through the middle of one', () => {
    assert.equal(cut('x'.repeat(255)), 'x'.repeat(255));
    const long = cut('😀'.repeat(300));
    assert.equal(Array.from(long).length, 255);
    assert.ok(long.endsWith('😀…'));
    const verdict = { code: 'unexplained', confidence: 'likely', text: 'ä'.repeat(400) } as const;
    const failed = job({ stage: 'failed', error: 'unexplained', verdict });
    const summary = under(mirror.news({ ...ONE, jobs: [failed] }), UPDATE)?.['release_summary'];
    assert.equal(String(summary).length, 255);
  });
});
