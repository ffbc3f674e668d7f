import assert from 'node:assert/strict';
import { sentencesOf } from '../../lib/errors';
import type { ShownReport, Snapshot } from '../../lib/home-assistant';
import { CheckedMirror, DEVICE, EMPTY, FIRMWARE, ID, job, under } from './snapshots';

const ONE: Snapshot = { ...EMPTY, devices: [DEVICE], firmware: FIRMWARE };
const STARTED = '2026-01-02T03:04:05.000Z';
const COUNTS = { waiting: 1, done: 0, failed: 0 };
const QUEUE = { isPaused: false, waiting: [ID], counts: COUNTS, percent: 20.9 };

/** Under the topics of a device of which nothing is known but what it is. */
const IDLE = {
  ...{ stage: 'idle', stage_name: 'The idle', percent: 0, waiting: false, hand_needed: 'OFF', text: '' },
  ...{ error: 'none', error_name: 'The no-error', remedy: '', armed: 'OFF', started_at: null },
  ...{ deviceid: ID, model: 'ITA-GZ1-GL', firmware: 'ITEAD 1.5.5' },
};
const AT_REST = {
  ...{ installed_version: 'ITEAD 1.5.5', latest_version: 'ITEAD 1.5.5', release_summary: 'unarmed' },
  ...{ in_progress: false, update_percentage: null },
};
const IN_PROGRESS = { ...AT_REST, latest_version: 'Tasmota 15', in_progress: true };

const FAILURE = { code: 'device-silent', what: 'So it was.', text: 'So it was. Do so.', remedy: 'Do so.' } as const;
const FAILED = {
  ...{ stage: 'failed', stage_name: 'The failed', error: 'device-silent', error_name: 'So it was.' },
  ...{ text: 'So it was. Do so.', remedy: 'Do so.' },
};
const VERDICT = { code: 'device-silent', confidence: 'likely', text: 'It may be so.' } as const;

function report(text: string, more: Partial<ShownReport> = {}): ShownReport {
  return { text, isWaiting: true, isHandNeeded: false, ...more };
}

/** What is so, and how that differs from a device at rest in its state and in its update. */
const DEVICES: Record<string, readonly [snapshot: Snapshot, state: object, update: object]> = {
  'is idle': [ONE, {}, AT_REST],
  'is of an unknown model and version': [
    { ...ONE, devices: [{ deviceid: ID }] },
    { model: null, firmware: 'ITEAD' },
    { ...AT_REST, installed_version: 'ITEAD', latest_version: 'ITEAD' },
  ],
  'is armed': [
    { ...ONE, arming: { isForAll: false, devices: [ID] } },
    { armed: 'ON' },
    { ...AT_REST, latest_version: 'Tasmota 15', release_summary: 'offer Tasmota 15' },
  ],
  'waits in the queue': [
    { ...ONE, queue: QUEUE },
    { stage: 'queued', stage_name: 'The queued' },
    { ...IN_PROGRESS, release_summary: '' },
  ],
  'waits in a queue that is paused': [{ ...ONE, queue: { ...QUEUE, isPaused: true } }, {}, AT_REST],
  'is at work': [
    { ...ONE, jobs: [job({ percent: 12, report: report('It flows.', { isWaiting: false }) })] },
    { stage: 'cloud', stage_name: 'The cloud', percent: 12, text: 'It flows.', started_at: STARTED },
    { ...IN_PROGRESS, update_percentage: 12, release_summary: 'It flows.' },
  ],
  'is at work, whatever still waits in the queue': [
    { ...ONE, jobs: [job({ percent: 12 })], queue: QUEUE },
    { stage: 'cloud', stage_name: 'The cloud', percent: 12, started_at: STARTED },
    { ...IN_PROGRESS, update_percentage: 12, release_summary: '' },
  ],
  'waits for something': [
    { ...ONE, jobs: [job({ stage: 'upgrade', report: report('It must come.') })] },
    {
      ...{ stage: 'upgrade', stage_name: 'The upgrade-waiting', percent: 10, waiting: true },
      ...{ text: 'It must come.', started_at: STARTED },
    },
    { ...IN_PROGRESS, update_percentage: 10, release_summary: 'It must come.' },
  ],
  'waits for a person': [
    { ...ONE, jobs: [job({ stage: 'finalstage', report: report('Join it.', { isHandNeeded: true }) })] },
    {
      ...{ stage: 'finalstage', stage_name: 'The finalstage-waiting', percent: 10, waiting: true },
      ...{ hand_needed: 'ON', text: 'Join it.', started_at: STARTED },
    },
    { ...IN_PROGRESS, update_percentage: 10, release_summary: 'Join it.' },
  ],
  'was left in the middle': [
    { ...ONE, jobs: [job({ stage: 'upgrade', isAtWork: false, report: report('Old.'), verdict: VERDICT })] },
    { stage: 'upgrade', stage_name: 'The upgrade', percent: 10, text: 'It may be so.', started_at: STARTED },
    AT_REST,
  ],
  'has failed': [
    { ...ONE, jobs: [job({ stage: 'failed', isAtWork: false, error: 'device-silent', failure: FAILURE })] },
    { ...FAILED, percent: 10, started_at: STARTED },
    { ...AT_REST, release_summary: FAILURE.text },
  ],
  'has failed, and is armed again': [
    { ...ONE, jobs: [job({ stage: 'failed', failure: FAILURE })], arming: { isForAll: false, devices: [ID] } },
    { ...FAILED, percent: 10, started_at: STARTED, armed: 'ON' },
    { ...AT_REST, latest_version: 'Tasmota 15', release_summary: 'offer Tasmota 15' },
  ],
  'has failed in an earlier run of Node-RED': [
    { ...ONE, devices: [{ ...DEVICE, failure: FAILURE }] },
    FAILED,
    { ...AT_REST, release_summary: FAILURE.text },
  ],
  'had failed, and is at work now': [
    { ...ONE, devices: [{ ...DEVICE, failure: FAILURE }], jobs: [job()] },
    { stage: 'cloud', stage_name: 'The cloud', percent: 10, started_at: STARTED },
    { ...IN_PROGRESS, update_percentage: 10, release_summary: '' },
  ],
  'is done': [
    { ...ONE, devices: [{ ...DEVICE, installed: 'Tasmota' }], jobs: [job({ stage: 'done', percent: 100 })] },
    { stage: 'done', stage_name: 'The done', percent: 100, firmware: 'Tasmota', started_at: STARTED },
    { ...AT_REST, installed_version: 'Tasmota', latest_version: 'Tasmota', release_summary: '' },
  ],
  'was done in an earlier run of Node-RED': [
    { ...ONE, devices: [{ ...DEVICE, installed: 'Tasmota' }] },
    { stage: 'done', stage_name: 'The done', firmware: 'Tasmota' },
    { ...AT_REST, installed_version: 'Tasmota', latest_version: 'Tasmota', release_summary: '' },
  ],
};

describe('home assistant: what is shown of a device that', () => {
  for (const [what, [snapshot, state, update]] of Object.entries(DEVICES)) {
    it(what, () => {
      const messages = new CheckedMirror().news(snapshot);
      assert.deepEqual(under(messages, `sonota/device/${ID}/state`), { ...IDLE, ...state });
      assert.deepEqual(under(messages, `sonota/device/${ID}/update`), update);
    });
  }

  it('has failed, as far as its verdict explains its error', () => {
    const { what, remedy } = sentencesOf('device-silent');
    assert.notEqual(what, VERDICT.text);
    for (const [verdict, error_name, text] of [
      [VERDICT, VERDICT.text, VERDICT.text],
      [{ ...VERDICT, values: {} }, what, `${what} ${remedy}`],
      [{ ...VERDICT, code: 'unexplained', values: {} }, remedy, remedy],
      [undefined, remedy, remedy],
    ] as const) {
      const failed = job({ stage: 'failed', error: 'device-silent', ...(verdict && { verdict }) });
      const state = under(new CheckedMirror().news({ ...ONE, jobs: [failed] }), `sonota/device/${ID}/state`);
      const expected = { ...FAILED, percent: 10, started_at: STARTED, error_name, text, remedy };
      assert.deepEqual(state, { ...IDLE, ...expected });
    }
    const unnamed = under(
      new CheckedMirror().news({ ...ONE, jobs: [job({ stage: 'failed' })] }),
      `sonota/device/${ID}/state`,
    );
    assert.equal(unnamed?.['error'], 'unexplained');
  });

  it('could be flashed with an image whose address fits, or does not', () => {
    const shown = (url: string, device: object = DEVICE): unknown => {
      const firmware = { ...FIRMWARE, image: { url } };
      const messages = new CheckedMirror().news({ ...ONE, devices: [{ ...DEVICE, ...device }], firmware });
      return under(messages, `sonota/device/${ID}/update`)?.['release_url'];
    };
    const longest = `https://example.org/${'x'.repeat(255 - 20)}`;
    assert.deepEqual([shown(longest), shown(`${longest}x`)], [longest, undefined]);
    assert.equal(shown(longest, { installed: 'Tasmota' }), undefined, 'it has its firmware');
  });

  it('would get an image with a name of any length', () => {
    const armed = { ...ONE, arming: { isForAll: false, devices: [ID] } };
    const firmware = { options: [], chosen: 'n'.repeat(100), image: { version: '15', sha256: 'ab'.repeat(32) } };
    const update = under(new CheckedMirror().news({ ...armed, firmware }), `sonota/device/${ID}/update`);
    assert.equal(update?.['release_summary'], `offer-digest ${'n'.repeat(79)}… ${'ab'.repeat(32)}`);
  });
});

/** Of a flasher that has nothing to do. */
const NOTHING = {
  ...{ state: 'idle', state_name: 'The flasher-idle', queue: 0, done: 0, failed: 0, percent: 0 },
  ...{ firmware: 'Tasmota 15', hand_needed: 'OFF', instruction: '', armed: 'OFF', last_failure: null },
  ...{ problem: 'OFF', code: 'none', text: '' },
};
const FLASHING = { state: 'flashing', state_name: 'The flasher-flashing' };
const WAITING = { state: 'waiting', state_name: 'The flasher-waiting' };
const PAUSED = { state: 'paused', state_name: 'The flasher-paused' };
const another = (more: Parameters<typeof job>[0] = {}) => job({ deviceid: '1000000002', ...more });
const failure = (id: number, deviceid: string | null) =>
  ({ id, code: 'device-silent', text: `Failure ${id}.`, remedy: 'Do so.', deviceid }) as const;

const FLASHERS: Record<string, readonly [snapshot: Partial<Snapshot>, state: object]> = {
  'has nothing to do, and no firmware': [{ firmware: { options: [], chosen: undefined } }, { firmware: null }],
  'waits for a device': [{ jobs: [job({ stage: 'cloud' })] }, { ...WAITING, percent: 10 }],
  'sets one up': [{ jobs: [job({ stage: 'provision', percent: 3 })] }, { ...WAITING, percent: 3 }],
  'writes one': [{ jobs: [job({ stage: 'upgrade', percent: 33 })] }, { ...FLASHING, percent: 33 }],
  'writes one in DIY mode': [{ jobs: [job({ stage: 'diy', percent: 33 })] }, { ...FLASHING, percent: 33 }],
  'has left one in the middle': [{ jobs: [job({ stage: 'upgrade', isAtWork: false })] }, { percent: 10 }],
  'has some in its queue': [
    { queue: { ...QUEUE, counts: { waiting: 2, done: 5, failed: 1 } } },
    { ...WAITING, queue: 2, done: 5, failed: 1, percent: 20 },
  ],
  'is paused': [{ queue: { ...QUEUE, isPaused: true } }, { ...PAUSED, queue: 1, percent: 20 }],
  'is paused, and waits for a device all the same': [
    { queue: { ...QUEUE, isPaused: true }, jobs: [job()] },
    { ...PAUSED, queue: 1, percent: 20 },
  ],
  'is paused, and writes one all the same': [
    { queue: { ...QUEUE, isPaused: true }, jobs: [job({ stage: 'finalstage' })] },
    { ...FLASHING, queue: 1, percent: 20 },
  ],
  'has flashed without a queue': [
    { jobs: [job({ stage: 'done', percent: 100 }), another({ stage: 'failed', percent: 47 })] },
    { done: 1, failed: 1, percent: 47 },
  ],
  'flashes several without a queue': [
    {
      jobs: [
        job({ stage: 'upgrade', percent: 33 }),
        another({ percent: 40 }),
        another({ stage: 'done', percent: 100 }),
      ],
    },
    { ...FLASHING, done: 1, percent: 36 },
  ],
  'waits for several things': [
    { jobs: [job({ report: report('It must come.') }), another({ report: report('That one, too.') })] },
    { ...WAITING, percent: 10, instruction: 'It must come.' },
  ],
  'waits for a person, among other things': [
    {
      jobs: [job({ report: report('It must come.') }), another({ report: report('Join it.', { isHandNeeded: true }) })],
    },
    { ...WAITING, percent: 10, hand_needed: 'ON', instruction: 'Join it.' },
  ],
  'waits for nothing': [
    { jobs: [job({ report: report('It flows.', { isWaiting: false }) })] },
    { ...WAITING, percent: 10 },
  ],
  'is armed for all': [{ arming: { isForAll: true, devices: [ID] } }, { armed: 'ON' }],
  'has failed twice': [
    { failures: [failure(1, null), failure(2, ID)] },
    { last_failure: { code: 'device-silent', text: 'Failure 2.', remedy: 'Do so.', deviceid: ID } },
  ],
  'cannot listen': [
    { trouble: { code: 'port-in-use', text: 'It is taken.' } },
    { problem: 'ON', code: 'port-in-use', text: 'It is taken.' },
  ],
  'sees no Sonoff': [{ sonoffs: [] }, { found: 0, found_devices: [] }],
};

describe('home assistant: what is shown of a flasher that', () => {
  for (const [what, [snapshot, state]] of Object.entries(FLASHERS)) {
    it(what, () => {
      const messages = new CheckedMirror().news({ ...ONE, ...snapshot });
      assert.deepEqual(under(messages, 'sonota/state'), { ...NOTHING, ...state });
    });
  }
});
