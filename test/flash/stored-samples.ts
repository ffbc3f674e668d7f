/** Stored data as it is written, every property of it in use: what a test breaks, one at a time. */

import type { JobRecord } from '../../lib/flash/stored/job-record';
import type { JobSnapshot } from '../../lib/flash/job/job';
import type { PendingMessageRecord } from '../../lib/flash/stored/pending-messages';
import type { QueueEntry } from '../../lib/flash/job/queue-entry';
import type { Observation, ObservationKind, NewObservation } from '../../lib/flash/observation';
import { quoted, wording } from '../../lib/wordings/wording';

type Sample<T> = T extends { kind: ObservationKind } ? Omit<T, 'kind'> : never;

/** Each kind as it is written, every property of it in use. */
const SAMPLES: { [K in ObservationKind]: Sample<Extract<NewObservation, { kind: K }>>[] } = {
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
      isResumed: true,
    },
    { stage: 'cloud', event: 'over' },
    { stage: 'cloud', event: 'ended' },
    { stage: 'cloud', event: 'failed', code: 'device-timeout', values: { deviceid: '1000a1b2c3', seconds: 300 } },
  ],
  addresses: [{ addresses: [{ name: 'wlan0', address: '10.10.7.2' }] }],
  'ap-looked': [{ result: 'strange', joined: true, reason: quoted('a portal') }],
  wifi: [
    { event: 'joining', ssid: 'ITEAD-1000a1b2c3' },
    { event: 'failed', code: 'wifi-not-found', values: { ssid: 'ITEAD-1000a1b2c3' } },
    { event: 'lost', code: 'wifi-lost', values: {} },
  ],
  provisioned: [{ answer: 'accepted' }, { answer: 'accepted', doubts: wording('doubt-short-password') }],
  dialled: [{ peer: '192.0.2.7', port: 'plain', isOld: true }],
  'tls-failed': [
    {
      peer: '192.0.2.7',
      failure: 'certificate-rejected',
      code: 'ECONNRESET',
      reason: quoted('it left'),
      helloSeen: true,
      isOld: true,
      isModern: true,
      isShared: true,
    },
  ],
  'device-facts': [
    { model: 'ITA-GZ1-GL', romVersion: '1.5.5', ip: '192.0.2.7', mac: '5C:CF:7F:01:02:03', bssid: '5E:CF:7F:01:02:03' },
    { ip: '192.0.2.7', linkMac: '5C:CF:7F:01:02:03' },
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
  malformed: [{ peer: '192.0.2.7', reason: wording('not-json') }],
  stranger: [
    { peer: '192.0.2.7', act: 'browser' },
    { peer: '192.0.2.8', act: 'second-key', rival: '192.0.2.7' },
  ],
  'connection-refused': [{ peer: '192.0.2.7', limit: 'handshakes' }],
  'left-unregistered': [{ peer: '192.0.2.7', via: 'tls' }],
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
  'device-info': [{ peer: '192.0.2.7', romVersion: '3.7.6', isUnlocked: false, rssi: -52, isAnnounced: true }],
  command: [{ command: 'ota_flash', result: 'refused', error: 403 }],
  'unlock-offered': [{ address: '192.168.1.5' }, { address: '192.168.1.5', withoutNames: wording('port-taken') }],
  'unlock-asked': [
    { peer: '192.168.1.1', what: 'name' },
    { peer: '192.168.1.9', what: 'other-name', name: 'pool.ntp.org' },
    { peer: '192.168.1.9', what: 'service', error: 422 },
  ],
  'result-reported': [{ error: 409 }],
  'stock-gone': [{}, { announcement: 'gone' }],
  'finalstage-stalled': [{ image: 'final', bytes: 1000 }],
  'finalstage-ended': [{ image: 'final', how: 'acknowledged', bytes: 4096 }],
  'new-firmware-looked': [
    { looks: [{ url: 'http://192.0.2.7', result: 'page', firmware: 'tasmota', version: '15.0', proof: 'mac' }] },
  ],
  message: [{ direction: 'in', text: '{"action":"query"}' }],
};

export const OBSERVATIONS: readonly Observation[] = Object.entries(SAMPLES).flatMap(([kind, samples]) =>
  samples.map((sample, index) => ({ at: 1000 * index, kind, ...sample }) as Observation),
);

const DEVICE = '1000a1b2c3';
const DIGEST = 'a'.repeat(64);
const AT = '2026-01-02T03:04:05.000Z';

const SNAPSHOT: Required<JobSnapshot> = {
  deviceid: DEVICE,
  model: 'ITA-GZ1-GL',
  romVersion: '1.5.5',
  ip: '192.0.2.7',
  mac: '5C:CF:7F:A1:B2:C3',
  linkMac: '5C:CF:7F:A1:B2:C3',
  bssid: '5E:CF:7F:A1:B2:C3',
  stage: 'finalstage',
  percent: 63,
  startedAt: AT,
  stages: {
    upgrade: { startedAt: AT, endedAt: AT, percent: 100, image: 'user2', at: 1e300 },
    finalstage: { startedAt: AT, endedAt: null, percent: 3 },
  },
  intermediate: 'finalstage',
  error: 'device-silent',
  verdict: { code: 'device-silent', confidence: 'likely', text: 'So it was.', values: { deviceid: DEVICE } },
};

/** A job that the device can come back to. */
export const JOB: Required<JobRecord> = {
  id: 'job',
  lastStage: 'finalstage',
  snapshot: SNAPSHOT,
  firmware: { final: { sha256: DIGEST, source: '/data/final.bin' } },
  visit: {
    since: AT,
    peer: '192.168.4.1',
    deliveries: { final: { size: 482_432, sent: 4096, tries: 1, state: 'flowing' } },
  },
  download: {
    role: 'user2',
    size: 4096,
    sent: 4096,
    requests: 2,
    otaClass: 'range',
    isTaken: true,
    isOffered: true,
  },
  evidence: [],
};

export const PENDING: Required<PendingMessageRecord> = {
  id: 'pending',
  nodeId: 'cloud',
  stage: 'cloud',
  deviceid: DEVICE,
  jobId: 'job',
  message: { payload: 1, deviceid: DEVICE },
  left: ['payload'],
  images: { final: DIGEST },
  outcome: { code: 'device-silent', values: { deviceid: DEVICE } },
};

export const ENTRY: Required<QueueEntry> = {
  id: 'entry',
  nodeId: 'queue',
  message: { deviceid: DEVICE },
  round: 1,
  deviceid: DEVICE,
  state: 'waiting',
  attempts: 1,
  earlierAttempts: 0,
  start: 'beginning',
  jobId: 'job',
  error: 'device-silent',
  text: 'So it was.',
  values: { seconds: 300, reason: wording('not-json'), what: wording('image-final') },
};
