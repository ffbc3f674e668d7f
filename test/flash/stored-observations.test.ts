import assert from 'node:assert/strict';
import fc from 'fast-check';
import { read } from '../../lib/flash/kept/schema';
import { STAGES, type StageName } from '../../lib/flash/job/stages';
import { lastRequestIn } from '../../lib/flash/overview/last-request';
import type { Observation, ObservationKind, Unstamped } from '../../lib/flash/verdict/observation';
import { observation } from '../../lib/flash/verdict/observation-schema';
import { judge } from '../../lib/flash/verdict/verdict';

type Sample<T> = T extends { kind: ObservationKind } ? Omit<T, 'kind'> : never;

/** Each kind as it is written, every property of it in use. */
const SAMPLES: { [K in ObservationKind]: Sample<Extract<Unstamped, { kind: K }>>[] } = {
  stage: [
    {
      stage: 'cloud',
      event: 'began',
      seconds: 300,
      deviceid: '1000a1b2c3',
      url: 'http://10.10.7.1',
      address: '192.0.2.2',
      ports: '8443',
      isForced: true,
    },
    { stage: 'cloud', event: 'over' },
    { stage: 'cloud', event: 'ended' },
    { stage: 'cloud', event: 'failed', code: 'device-timeout', values: { deviceid: '1000a1b2c3', seconds: 300 } },
  ],
  addresses: [{ addresses: [{ name: 'wlan0', address: '10.10.7.2' }] }],
  'ap-looked': [{ result: 'strange', joined: true, reason: 'a portal' }],
  wifi: [
    { event: 'joining', ssid: 'ITEAD-1000a1b2c3' },
    { event: 'failed', code: 'wifi-not-found', values: { ssid: 'ITEAD-1000a1b2c3' } },
    { event: 'lost', code: 'wifi-lost', values: {} },
  ],
  provisioned: [{ answer: 'accepted' }],
  dialled: [{ peer: '192.0.2.7', port: 'plain', isOld: true }],
  'tls-failed': [
    {
      peer: '192.0.2.7',
      failure: 'certificate-rejected',
      code: 'ECONNRESET',
      reason: 'it left',
      helloSeen: true,
      isOld: true,
      isModern: true,
      isShared: true,
    },
  ],
  dispatched: [
    {
      peer: '192.0.2.7',
      via: 'tls',
      deviceid: '1000a1b2c3',
      model: 'ITA-GZ1-GL',
      romVersion: '1.5.5',
      isProven: true,
      count: 3,
    },
    { peer: '10.10.7.9', via: 'plain', deviceid: '1000a1b2c3', model: 'ITA-GZ1-GL', romVersion: '1.5.5' },
  ],
  malformed: [{ peer: '192.0.2.7', reason: 'it is not JSON' }],
  stranger: [
    { peer: '192.0.2.7', act: 'browser' },
    { peer: '192.0.2.8', act: 'second-key', rival: '192.0.2.7' },
  ],
  'connection-refused': [{ peer: '192.0.2.7', limit: 'handshakes' }],
  registered: [{ peer: '192.0.2.7', via: 'tls' }],
  ready: [{ peer: '192.0.2.7', via: 'plain' }],
  'upgrade-sent': [{ version: '1.5.5', session: 1 }],
  'image-requested': [{ role: 'user2', class: 'range', first: 0, size: 4096, randPosition: 7 }],
  'image-sent': [{ role: 'user2', class: 'no-range', bytes: 4096, ms: 12 }],
  'image-ended': [{ role: 'user1', class: 'no-range', complete: false, bytes: 4096, ms: 12.5 }],
  acknowledged: [{ error: 404 }],
  'session-lost': [{}],
  'finalstage-looked': [{ ownAddress: '192.168.4.3', answered: true }, { answered: false }],
  'finalstage-dialled': [{}],
  'finalstage-requested': [
    { image: 'user2', size: 4096 },
    { image: 'final', size: 4096 },
  ],
  'finalstage-stalled': [{ image: 'final', bytes: 1000 }],
  'finalstage-ended': [{ image: 'final', how: 'acknowledged', bytes: 4096 }],
  'new-firmware-looked': [
    { looks: [{ url: 'http://192.0.2.7', result: 'page', firmware: 'tasmota', version: '15.0' }] },
  ],
  message: [{ direction: 'in', text: '{"action":"query"}' }],
};

const stored = Object.entries(SAMPLES).flatMap(([kind, samples]) =>
  samples.map((sample, index) => ({ at: 1000 * index, kind, ...sample }) as Observation),
);
const ODD: readonly unknown[] = [
  undefined,
  null,
  '',
  'x',
  '\u0000',
  0,
  -1,
  1.5,
  1e308,
  true,
  [],
  {},
  [null],
  [{}],
  'a'.repeat(20_000),
];

describe('flash/stored observations', () => {
  it('are read as they were written, each kind with all its properties', () => {
    for (const seen of stored) {
      assert.deepEqual(read(observation, JSON.parse(JSON.stringify(seen))), { value: seen, dropped: [] });
    }
  });

  it('lose what a newer version added, and its unknown kinds', () => {
    const { value } = read(observation, { at: 1, kind: 'session-lost', why: 'new', constructor: 1 });
    assert.deepEqual(value, { at: 1, kind: 'session-lost' });
    for (const kind of ['telepathy', 'constructor', '__proto__', undefined, 7]) {
      assert.equal(read(observation, { at: 1, kind }).value, undefined);
    }
  });

  it('have times that can be true', () => {
    for (const at of [-1, NaN, Infinity, 1e300, 8.64e15, '2026-01-01T00:00:00Z', null, undefined]) {
      const { value, dropped } = read(observation, { at, kind: 'session-lost' });
      assert.deepEqual([value, dropped.length], [undefined, 1]);
    }
  });

  it('never make a verdict throw, whatever one property of them became', () => {
    for (const seen of stored) {
      for (const [key, odd] of Object.keys(seen).flatMap((name) => ODD.map((value) => [name, value] as const))) {
        const { value } = read(observation, { ...seen, [key]: odd });
        if (value) for (const stage of STAGES) judgeAll(stage, [value]);
      }
    }
  });

  it('never make a verdict throw, in whatever order and number they are', () => {
    const one = fc
      .constantFrom(...stored)
      .chain((seen) =>
        fc
          .tuple(fc.constantFrom(...Object.keys(seen)), fc.constantFrom(...ODD), fc.boolean())
          .map(([key, odd, isWhole]) => (isWhole ? seen : { ...seen, [key]: odd })),
      );
    fc.assert(
      fc.property(fc.constantFrom(...STAGES), fc.array(one, { maxLength: 30 }), (stage, all) => {
        judgeAll(
          stage,
          all.flatMap((seen) => read(observation, seen).value ?? []),
        );
      }),
      { seed: 13, numRuns: 500 },
    );
  });
});

/** As the sidebar and the flows do. */
function judgeAll(stage: StageName, seen: readonly Observation[]): void {
  const all: Observation[] = [{ at: 0, kind: 'stage', stage, event: 'began', seconds: 1 }, ...seen];
  const over: Observation[] = [...all, { at: 1, kind: 'stage', stage, event: 'over' }];
  for (const observations of [seen, all, over]) {
    assert.equal(typeof judge(observations, 100_000).text, 'string');
    lastRequestIn(observations);
  }
}
