import assert from 'node:assert/strict';
import type { Snapshot } from '../../lib/home-assistant';
import { CheckedMirror, DEVICE, EMPTY, FIRMWARE, ID, job } from './snapshots';

const ONE: Snapshot = { ...EMPTY, devices: [DEVICE], firmware: FIRMWARE };
const OTHER = '1000000002';
const LATER = '2026-01-02T04:00:00.000Z';
const COUNTS = { waiting: 1, done: 0, failed: 0 };
const QUEUE = { isPaused: false, waiting: [ID], counts: COUNTS, percent: 0 };
const WAITING = { text: 'Join it.', isWaiting: true, isHandNeeded: true };
const FAILURE = { code: 'device-silent', what: 'So it was.', text: 'So it was. Do so.', remedy: 'Do so.' } as const;
const failed = (more: Parameters<typeof job>[0] = {}) =>
  job({ stage: 'failed', isAtWork: false, failure: FAILURE, ...more });
const nameless = (more: Parameters<typeof job>[0] = {}) => ({
  ...job({ stage: 'provision', percent: 0, report: WAITING, ...more }),
  deviceid: null,
});

const details = (stage: string, percent = 10, deviceid = ID): object => ({ deviceid, stage, percent });
const started = { event_type: 'started', ...details('cloud') };
const reason = { error: 'device-silent', text: FAILURE.text, remedy: FAILURE.remedy };
const hasFailed = { event_type: 'failed', ...details('failed'), ...reason };
const waits = { event_type: 'waiting', text: 'Join it.', hand_needed: true };
const finished = { event_type: 'finished' };
const shown = (id: number, deviceid: string | null) => ({ id, ...FAILURE, deviceid });

/** Two snapshots, one after the other, and the events of the device and of the flasher. */
const EVENTS: Record<string, readonly [before: Snapshot, now: Snapshot, device: object[], flasher: object[]]> = {
  'a new device': [
    ONE,
    { ...ONE, devices: [DEVICE, { deviceid: OTHER }] },
    [],
    [{ event_type: 'device_found', deviceid: OTHER }],
  ],
  'a device that is gone': [ONE, EMPTY, [], []],
  'a place in the queue': [ONE, { ...ONE, queue: QUEUE }, [{ event_type: 'queued', deviceid: ID }], []],
  'a place in the queue that it had': [
    { ...ONE, queue: QUEUE },
    { ...ONE, queue: { ...QUEUE, waiting: [ID, OTHER] } },
    [],
    [],
  ],
  'the last flash of the queue': [{ ...ONE, queue: QUEUE }, ONE, [], [finished]],
  'a start': [ONE, { ...ONE, jobs: [job()] }, [started], [started]],
  'another percent': [{ ...ONE, jobs: [job()] }, { ...ONE, jobs: [job({ percent: 11 })] }, [], []],
  'the next stage': [
    { ...ONE, jobs: [job()] },
    { ...ONE, jobs: [job({ stage: 'upgrade' })] },
    [{ event_type: 'stage', ...details('upgrade') }],
    [],
  ],
  'the next flash while the last one is open': [
    { ...ONE, jobs: [job()] },
    { ...ONE, jobs: [job({ startedAt: LATER })] },
    [started],
    [started],
  ],
  'the next flash after the last one': [
    { ...ONE, jobs: [failed()] },
    { ...ONE, jobs: [job({ startedAt: LATER })] },
    [started],
    [started],
  ],
  'a flash that is resumed': [{ ...ONE, jobs: [failed()] }, { ...ONE, jobs: [job()] }, [started], [started]],
  'a good end': [
    { ...ONE, jobs: [job()] },
    { ...ONE, jobs: [job({ stage: 'done', percent: 100 })] },
    [{ event_type: 'succeeded', ...details('done', 100) }],
    [{ event_type: 'succeeded', ...details('done', 100) }, finished],
  ],
  'a good end while others wait': [
    { ...ONE, jobs: [job()], queue: { ...QUEUE, waiting: [OTHER] } },
    { ...ONE, jobs: [job({ stage: 'done', percent: 100 })], queue: { ...QUEUE, waiting: [OTHER] } },
    [{ event_type: 'succeeded', ...details('done', 100) }],
    [{ event_type: 'succeeded', ...details('done', 100) }],
  ],
  'a flash that nothing continues any more': [
    { ...ONE, jobs: [job()] },
    { ...ONE, jobs: [job({ isAtWork: false })] },
    [],
    [finished],
  ],
  'a bad end, which its job and the list of failures report': [
    { ...ONE, jobs: [job()] },
    { ...ONE, jobs: [failed()], failures: [shown(1, ID)] },
    [hasFailed],
    [hasFailed, finished],
  ],
  'a flash that has failed immediately': [
    ONE,
    { ...ONE, jobs: [failed()] },
    [{ ...started, ...details('failed') }, hasFailed],
    [{ ...started, ...details('failed') }, hasFailed],
  ],
  'a failure before there was a job': [
    { ...ONE, failures: [shown(1, OTHER)] },
    { ...ONE, failures: [shown(1, OTHER), shown(2, OTHER), shown(3, null)] },
    [],
    [
      { event_type: 'failed', deviceid: OTHER, ...reason },
      { event_type: 'failed', ...reason },
    ],
  ],
  'an instruction': [
    { ...ONE, jobs: [job()] },
    { ...ONE, jobs: [job({ report: WAITING })] },
    [{ ...waits, ...details('cloud') }],
    [{ ...waits, ...details('cloud') }],
  ],
  'something to wait for': [
    { ...ONE, jobs: [job()] },
    { ...ONE, jobs: [job({ report: { ...WAITING, isHandNeeded: false } })] },
    [{ ...waits, ...details('cloud'), hand_needed: false }],
    [{ ...waits, ...details('cloud'), hand_needed: false }],
  ],
  'the same instruction at another percent': [
    { ...ONE, jobs: [job({ report: WAITING })] },
    { ...ONE, jobs: [job({ report: WAITING, percent: 11 })] },
    [],
    [],
  ],
  'an instruction of a flash that nothing continues': [
    { ...ONE, jobs: [job({ isAtWork: false })] },
    { ...ONE, jobs: [job({ isAtWork: false, report: WAITING })] },
    [],
    [],
  ],
  'an instruction without a device': [
    ONE,
    { ...ONE, jobs: [nameless()] },
    [],
    [{ ...waits, stage: 'provision', percent: 0 }],
  ],
  'the same instruction without a device': [
    { ...ONE, jobs: [nameless()] },
    { ...ONE, jobs: [nameless({ percent: 1 })] },
    [],
    [],
  ],
  'the same instruction for another flash without a device': [
    { ...ONE, jobs: [nameless()] },
    { ...ONE, jobs: [nameless(), nameless({ startedAt: LATER })] },
    [],
    [{ ...waits, stage: 'provision', percent: 0 }],
  ],
};

describe('home assistant: the events of', () => {
  for (const [what, [before, now, ofDevice, ofFlasher]] of Object.entries(EVENTS)) {
    it(what, () => {
      const mirror = new CheckedMirror();
      mirror.news(before);
      const events = mirror.news(now).filter(({ retain }) => !retain);
      const under = (topic: string): unknown[] =>
        events.flatMap((message) => (message.topic === topic ? [JSON.parse(message.payload)] : []));
      assert.deepEqual(under(`sonota/device/${ID}/event`), ofDevice);
      assert.deepEqual(under('sonota/event'), ofFlasher);
      assert.deepEqual(mirror.news(now), [], 'each once');
    });
  }
});
