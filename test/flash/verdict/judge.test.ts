import assert from 'node:assert/strict';
import type { ErrorCode, ErrorValues } from '../../../lib/errors';
import type {
  NewFirmwareSighting,
  PageProof,
  Observation,
  StrangerAct,
  NewObservation,
} from '../../../lib/flash/observation';
import { NOTE_CODES } from '../../../lib/flash/verdict/notes';
import { PATIENCE } from '../../../lib/flash/verdict/patience';
import { RULES } from '../../../lib/flash/verdict/rules';
import { EvidenceView } from '../../../lib/flash/verdict/evidence-view';
import { judge } from '../../../lib/flash/verdict/rules/judge';
import type { Verdict } from '../../../lib/flash/verdict/verdict';
import { wording } from '../../../lib/wordings/wording';

const DEVICE = '1000a1b2c3';
const PEER = '192.168.1.20';
const NEIGHBOUR = '192.168.1.30';

/** An observation at so many seconds after the job's start. */
type Timed = [seconds: number, sighting: NewObservation];

const BEGAN = {
  provision: { kind: 'stage', stage: 'provision', event: 'began', seconds: 600, url: 'http://10.10.7.1' },
  cloud: {
    kind: 'stage',
    stage: 'cloud',
    event: 'began',
    seconds: 300,
    deviceid: DEVICE,
    address: '192.168.1.2',
    ports: '8443 and 8081',
  },
  upgrade: {
    kind: 'stage',
    stage: 'upgrade',
    event: 'began',
    seconds: 300,
    deviceid: DEVICE,
    address: '192.168.1.2',
    ports: '8080',
  },
  diy: {
    kind: 'stage',
    stage: 'diy',
    event: 'began',
    seconds: 600,
    deviceid: DEVICE,
    address: '192.168.1.2',
    ports: '8080',
  },
  finalstage: {
    kind: 'stage',
    stage: 'finalstage',
    event: 'began',
    seconds: 900,
    deviceid: DEVICE,
    url: 'http://192.168.4.1',
    ports: '8080',
  },
  newfirmware: {
    kind: 'stage',
    stage: 'newfirmware',
    event: 'began',
    seconds: 600,
    deviceid: DEVICE,
    url: 'http://192.168.4.1 and http://192.168.1.20',
  },
} as const satisfies Record<string, NewObservation>;

const over = (stage: keyof typeof BEGAN): NewObservation => ({ kind: 'stage', stage, event: 'over' });
const newFirmwareLooked = (...results: NewFirmwareSighting['result'][]): NewObservation => ({
  kind: 'new-firmware-looked',
  looks: results.map((result, index) => ({ url: `http://192.168.${4 - 3 * index}.1`, result })),
});
const pagesSeen = (...proofs: PageProof[]): NewObservation => ({
  kind: 'new-firmware-looked',
  looks: proofs.map((proof) => ({ url: 'http://192.0.2.7', result: 'page', firmware: 'tasmota', proof })),
});
const addresses = (...list: [name: string, address: string][]): NewObservation => ({
  kind: 'addresses',
  addresses: list.map(([name, address]) => ({ name, address })),
});
const apLooked = (result: 'silent' | 'strange' | 'answered', joined: boolean): NewObservation => ({
  kind: 'ap-looked',
  result,
  joined,
});
const WIFI_FAILURES = [
  'wifi-uplink',
  'wifi-unavailable',
  'wifi-not-permitted',
  'wifi-interface-missing',
  'wifi-interface-unusable',
  'wifi-not-found',
  'wifi-password-wrong',
  'wifi-no-address',
  'wifi-timeout',
  'wifi-join-failed',
  'wifi-failed',
  'wifi-service-away',
  'wifi-supervisor-failed',
  'wifi-supervisor-timeout',
] as const;
const wifi = (event: 'joining' | 'joined'): NewObservation => ({ kind: 'wifi', event, ssid: 'ITEAD-1000a1b2c3' });
const wifiFailed = (code: ErrorCode): NewObservation => ({
  kind: 'wifi',
  event: code === 'wifi-lost' ? 'lost' : 'failed',
  code,
  values: {
    ssid: 'ITEAD-1000a1b2c3',
    name: 'wlan0',
    reason: wording('nm-access-point-gone'),
    what: wording('task-scan'),
    seconds: 15,
    bssid: '5E:CF:7F:A1:B2:C3',
  },
});
const tlsDialled = (peer = PEER): NewObservation => ({ kind: 'dialled', peer, port: 'tls' });
const rejected = (peer = PEER): NewObservation => ({
  kind: 'tls-failed',
  peer,
  failure: 'certificate-rejected',
  code: 'ECONNRESET',
  reason: wording('tls-broke-off-after'),
  helloSeen: true,
});
const empty = (peer = PEER): NewObservation => ({
  kind: 'tls-failed',
  peer,
  failure: 'broken-off',
  code: 'ECONNRESET',
  reason: wording('tls-broke-off-before'),
  helloSeen: false,
});
const provisioned: NewObservation = { kind: 'provisioned', answer: 'accepted' };
const told = (address: string): NewObservation => ({ ...provisioned, told: address });
const old = (seen: NewObservation): NewObservation => ({ ...seen, isOld: true }) as NewObservation;
const stranger = (peer: string, act: StrangerAct): NewObservation => ({ kind: 'stranger', peer, act });
const dispatched = (more: { peer?: string; via?: 'tls' | 'plain'; deviceid?: string } = {}): NewObservation => ({
  kind: 'dispatched',
  peer: PEER,
  via: 'tls',
  deviceid: DEVICE,
  model: 'ITA-GZ1-GL',
  romVersion: '1.5.5',
  ...more,
});
const sent = (session = 1, version = '23.42.5'): NewObservation => ({ kind: 'upgrade-sent', version, session });
const ranged = (first: number, randPosition: number): NewObservation => ({
  kind: 'image-requested',
  role: 'user2',
  class: 'range',
  first,
  size: 239_220,
  randPosition,
});
const whole = (randPosition = 3): NewObservation => ({
  kind: 'image-requested',
  role: 'user2',
  class: 'no-range',
  size: 239_220,
  randPosition,
});
const wholeEnded = (bytes: number, ms: number): NewObservation => ({
  kind: 'image-ended',
  role: 'user2',
  class: 'no-range',
  complete: false,
  bytes,
  ms,
});
/** Of 239220 bytes. */
const lastPiece = ranged(237_568, 9);
const FAILED_UPGRADE: NewObservation = {
  ...{ kind: 'stage', stage: 'upgrade', event: 'failed', code: 'cancelled', values: {} },
};
const acknowledged = (error: number): NewObservation => ({ kind: 'acknowledged', error });
const lost: NewObservation = { kind: 'session-lost' };
const looked = (ownAddress: string | undefined, answered: boolean): NewObservation => ({
  kind: 'finalstage-looked',
  answered,
  ...(ownAddress === undefined ? {} : { ownAddress }),
});
const dialled: NewObservation = { kind: 'finalstage-dialled' };
const requested = (image: 'user2' | 'final'): NewObservation => ({
  kind: 'finalstage-requested',
  image,
  size: 482_432,
});
type How = 'broken' | 'acknowledged' | 'delivered' | 'interrupted';
const ended = (image: 'user2' | 'final', how: How, bytes = 482_432): NewObservation => ({
  kind: 'finalstage-ended',
  image,
  how,
  bytes,
});

interface Case {
  readonly title: string;
  readonly code: Verdict['code'];
  readonly confidence: Verdict['confidence'];
  readonly isFinal: boolean;
  readonly values?: ErrorValues;
  readonly seen: readonly Timed[];
  /** The seconds at which it is judged; default 1 after the last observation. */
  readonly now?: number;
}

const CASES: readonly Case[] = [
  // provision
  {
    title: 'a wait that has just begun',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [[0, BEGAN.provision]],
  },
  {
    title: 'no access point at all (row 10)',
    code: 'ap-unreachable',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [1, apLooked('silent', false)],
      [600, over('provision')],
    ],
  },
  {
    title: 'an access point that is joined and silent (row 11)',
    code: 'ap-silent',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [1, apLooked('silent', false)],
      [5, apLooked('silent', true)],
    ],
    now: 21,
  },
  {
    title: 'an access point that is joined and has not had its time',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [5, apLooked('silent', true)],
    ],
    now: 10,
  },
  {
    title: 'something else at its address, while this machine is not in its network',
    code: 'ap-stranger',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [1, apLooked('strange', false)],
      [2, apLooked('strange', false)],
      [3, apLooked('strange', false)],
      [4, apLooked('strange', false)],
    ],
  },
  {
    title: 'something else at its address',
    code: 'ap-refused',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [1, apLooked('strange', true)],
    ],
  },
  {
    title: 'two interfaces in its network (row 17)',
    code: 'network-overlap',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [1, addresses(['eth0', '10.10.7.40'], ['wlan0', '10.10.7.2'])],
      [2, apLooked('silent', true)],
    ],
  },
  // cloud
  {
    title: 'nothing at all for long (row 6)',
    code: 'nothing-arrived',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [0, addresses(['eth0', '192.168.1.2'])],
    ],
    now: 91,
  },
  {
    title: 'nothing, while this machine is still in the access point of the device',
    code: 'address-changed',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, told('192.168.1.2')],
      [0, BEGAN.cloud],
      [0, addresses(['wlan0', '10.10.7.2'])],
      [30, over('cloud')],
    ],
  },
  {
    title: 'nothing, where this machine has left the address that the device was told',
    code: 'address-changed',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, told('192.168.1.2')],
      [0, BEGAN.cloud],
      [0, addresses(['eth0', '192.168.1.2'])],
      [40, addresses(['eth0', '192.168.1.9'])],
    ],
    now: 91,
  },
  {
    title: 'nothing, where this machine is at the address that the device was told',
    code: 'nothing-arrived',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, told('192.168.1.2')],
      [0, BEGAN.cloud],
      [0, addresses(['usb0', '192.168.42.9'], ['eth0', '192.168.1.2'])],
    ],
    now: 91,
  },
  {
    title: 'nothing until the limit',
    code: 'nothing-arrived',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [30, over('cloud')],
    ],
  },
  {
    title: 'one handshake broken off after the certificate (row 2)',
    code: 'certificate-rejected',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, tlsDialled()],
      [9.2, rejected()],
    ],
  },
  {
    title: 'three of them from the only address that came since the device was set up',
    code: 'certificate-rejected',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, provisioned],
      [1, BEGAN.cloud],
      [8, old(tlsDialled(NEIGHBOUR))],
      [9, tlsDialled()],
      [9, rejected()],
      [10, old(rejected(NEIGHBOUR))],
      [12, rejected()],
      [13, dispatched({ peer: '192.168.1.31', deviceid: '1000000002' })],
      [13, tlsDialled('192.168.1.31')],
      [18, rejected()],
    ],
  },
  {
    title: 'three of them, while a monitor came, too, which says hello as no device does',
    code: 'certificate-rejected',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, provisioned],
      [1, BEGAN.cloud],
      [2, tlsDialled(NEIGHBOUR)],
      [2, { ...rejected(NEIGHBOUR), isModern: true } as NewObservation],
      ...[9, 12, 18].map((at): Timed => [at, rejected()]),
    ],
  },
  {
    title: 'three of them from a page in a browser behind the address of the device',
    code: 'certificate-rejected',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, provisioned],
      [1, BEGAN.cloud],
      [5, { ...dispatched(), isProven: true } as NewObservation],
      ...[9, 12, 18].map((at): Timed => [at, { ...rejected(), isModern: true } as NewObservation]),
    ],
  },
  {
    title: 'three of them from the address of the device that its key has proven',
    code: 'certificate-rejected',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.cloud],
      [5, { ...dispatched(), isProven: true } as NewObservation],
      [6, tlsDialled(NEIGHBOUR)],
      ...[9, 12, 18].map((at): Timed => [at, rejected()]),
    ],
  },
  ...(
    [
      ['before any device was set up', [[0, BEGAN.cloud], ...[9, 12, 18].map((at): Timed => [at, rejected()])], PEER],
      ['in a burst', [[0, provisioned], [1, BEGAN.cloud], ...[9, 9.5, 10].map((at): Timed => [at, rejected()])], PEER],
      [
        'while another came, too',
        [
          [0, provisioned],
          [1, BEGAN.cloud],
          ...[9, 12, 18].map((at): Timed => [at, rejected()]),
          [13, tlsDialled(NEIGHBOUR)],
        ],
        wording('either-peer', { peer: PEER, other: NEIGHBOUR }),
      ],
      [
        'while another device was waited for, too',
        [
          [0, provisioned],
          [1, BEGAN.cloud],
          ...[9, 12, 18].map((at): Timed => [at, { ...rejected(), isShared: true } as NewObservation]),
        ],
        PEER,
      ],
    ] as [when: string, seen: Timed[], peer: string][]
  ).map(([when, seen, peer]): Case => {
    return {
      title: `three of them ${when}`,
      code: 'certificate-rejected',
      confidence: 'likely',
      isFinal: false,
      seen,
      values: { peer },
    };
  }),
  {
    title: 'one each from three addresses',
    code: 'certificate-rejected',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, rejected()],
      [12, rejected(NEIGHBOUR)],
      [18, rejected('192.168.1.31')],
    ],
  },
  {
    title: 'a neighbour that has been refusing since before the wait',
    code: 'certificate-rejected',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      ...[1, 2, 3, 4].map((at): Timed => [at, { ...rejected(), isOld: true } as NewObservation]),
    ],
  },
  {
    title: 'a second peer with the id and another key',
    code: 'device-contested',
    confidence: 'certain',
    isFinal: true,
    values: { peer: PEER, other: NEIGHBOUR },
    seen: [
      [0, BEGAN.cloud],
      [9, dispatched()],
      [12, { kind: 'stranger', peer: NEIGHBOUR, act: 'second-key', rival: PEER }],
    ],
  },
  {
    title: 'a second peer when the device has its image',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [12, { kind: 'stranger', peer: NEIGHBOUR, act: 'second-key', rival: PEER }],
      [13, acknowledged(0)],
    ],
  },
  {
    title: 'nobody but a peer with another key than the access point stated',
    code: 'device-key-differs',
    confidence: 'likely',
    isFinal: false,
    values: { peer: NEIGHBOUR },
    seen: [
      [0, BEGAN.cloud],
      [12, stranger(NEIGHBOUR, 'other-key')],
    ],
  },
  {
    title: 'a peer with another key beside the device',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [12, stranger(NEIGHBOUR, 'other-key')],
      [15, dispatched()],
    ],
  },
  {
    title: 'firmware that does not take it, in a dispatch with the key of the device',
    code: 'device-not-supported',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.cloud],
      [9, { ...dispatched(), romVersion: '2.6.1', isProven: true } as NewObservation],
    ],
  },
  {
    title: 'firmware that does not take it, in a dispatch that anybody may have sent',
    code: 'device-not-supported',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, { ...dispatched(), romVersion: '2.6.1' } as NewObservation],
    ],
  },
  {
    title: 'the same, where the device itself has said better',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, { ...dispatched(), isProven: true } as NewObservation],
      [10, { ...dispatched(), romVersion: '2.6.1' } as NewObservation],
    ],
  },
  {
    title: 'firmware that does not take it, and a person who goes on all the same',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, { ...BEGAN.cloud, isForced: true }],
      [9, { ...dispatched(), romVersion: '2.6.1', isProven: true } as NewObservation],
    ],
  },
  {
    title: 'our own TLS library refuses (row 8)',
    code: 'tls-refused',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, { ...rejected(), failure: 'refused-here', code: 'ERR_SSL_NO_SHARED_CIPHER' } as NewObservation],
    ],
  },
  {
    title: 'connections without a word',
    code: 'connection-empty',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, tlsDialled()],
      [9, empty()],
      [19, empty()],
    ],
  },
  {
    title: 'a connection to the plain port without a word',
    code: 'connection-empty',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, { kind: 'dialled', peer: PEER, port: 'plain' }],
      [60, over('cloud')],
    ],
  },
  {
    title: 'a device that opens its session again and again, and never registers',
    code: 'session-unregistered',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, tlsDialled()],
      [9, { kind: 'left-unregistered', peer: PEER, via: 'tls' }],
      [15, { kind: 'left-unregistered', peer: PEER, via: 'tls' }],
    ],
  },
  {
    title: 'a device that left a session once, when the time is over',
    code: 'session-unregistered',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, tlsDialled()],
      [9, { kind: 'left-unregistered', peer: PEER, via: 'tls' }],
      [300, over('cloud')],
    ],
  },
  {
    title: 'another device that leaves its sessions',
    code: 'device-timeout',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [8, tlsDialled()],
      [9, dispatched({ deviceid: '1000000001' })],
      [10, { kind: 'left-unregistered', peer: PEER, via: 'tls' }],
      [11, { kind: 'left-unregistered', peer: PEER, via: 'tls' }],
      [300, over('cloud')],
    ],
  },
  {
    title: 'garbage instead of a dispatch',
    code: 'message-malformed',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, { kind: 'malformed', peer: PEER, reason: wording('not-json') }],
    ],
  },
  {
    title: 'old firmware on the plain port (row 7)',
    code: 'plain-firmware',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, dispatched({ via: 'plain' })],
    ],
  },
  {
    title: 'a device whose home network is that of FinalStage (row 17)',
    code: 'network-overlap',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, dispatched({ peer: '192.168.4.20' })],
    ],
  },
  {
    title: 'a device that dispatched and got no further',
    code: 'device-timeout',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, tlsDialled()],
      [9, dispatched()],
      [300, over('cloud')],
    ],
  },
  {
    title: 'only another device',
    code: 'device-timeout',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, tlsDialled(NEIGHBOUR)],
      [9, dispatched({ peer: NEIGHBOUR, deviceid: '1000ffffff' })],
      [300, over('cloud')],
    ],
  },
  {
    title: 'a dispatch after trouble of others',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [8, rejected(NEIGHBOUR)],
      [9, tlsDialled()],
      [9, dispatched()],
    ],
  },
  {
    title: 'a handshake that nobody can explain',
    code: 'unexplained',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [9, tlsDialled()],
      [9, { ...empty(), helloSeen: true } as NewObservation],
      [300, over('cloud')],
    ],
  },
  // upgrade
  {
    title: 'a download that goes on',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, ranged(0, 3)],
      [1.2, ranged(4096, 4)],
    ],
  },
  {
    title: '404 after the first packet of the proven pace, which a timer sent a little early',
    code: 'download-failed',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, whole()],
      [1.1, { kind: 'image-sent', role: 'user2', class: 'no-range', bytes: 10, ms: 0 }],
      [2.1, { kind: 'image-sent', role: 'user2', class: 'no-range', bytes: 1410, ms: 998 }],
      [2.2, acknowledged(404)],
    ],
  },
  {
    title: '404 in spite of the proven pace',
    code: 'download-failed',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, whole()],
      [8, wholeEnded(28_010, 7000)],
      [8, acknowledged(404)],
    ],
  },
  {
    title: '404 after ranges',
    code: 'download-failed',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, ranged(0, 3)],
      [9, acknowledged(404)],
    ],
  },
  {
    title: '404 without a request, after seconds of trying',
    code: 'download-blocked',
    confidence: 'likely',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [31, acknowledged(404)],
    ],
  },
  {
    title: '404 at once: it has not tried',
    code: 'download-failed',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, acknowledged(404)],
    ],
  },
  {
    title: 'no request for long',
    code: 'download-blocked',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
    ],
    now: 22,
  },
  {
    title: 'a download that begins again and again (row 9)',
    code: 'download-restarts',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [2, ranged(0, 3)],
      [3, ranged(4096, 4)],
      [9, ranged(0, 5)],
      [19, ranged(0, 6)],
    ],
  },
  ...([400, 403, 405] as const).map((error): Case => ({
    title: `${error} (row 18)`,
    code: 'upgrade-malformed',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, acknowledged(error)],
    ],
  })),
  ...([406, 411] as const).map((error): Case => ({
    title: `${error} (row 18)`,
    code: 'model-refused',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, acknowledged(error)],
    ],
  })),
  {
    title: '409 (row 18)',
    code: 'digest-refused',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, ranged(0, 3)],
      [9, acknowledged(409)],
    ],
  },
  {
    title: '410 to the first version (row 18)',
    code: 'version-refused',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, acknowledged(410)],
    ],
  },
  {
    title: '410 to the other version too',
    code: 'version-refused',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [2, acknowledged(410)],
      [2, sent(1, '9.9.9')],
      [3, acknowledged(410)],
    ],
  },
  {
    title: 'the other version, not yet answered',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [2, acknowledged(410)],
      [2, sent(1, '9.9.9')],
    ],
  },
  {
    title: 'a number that no firmware is known to answer',
    code: 'unexplained',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, acknowledged(499)],
    ],
  },
  {
    title: 'a session lost in mid-download (row 12)',
    code: 'device-rebooted',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, ranged(0, 3)],
      [4, lost],
    ],
  },
  {
    title: 'a session lost in one hop, by a device that has everything and may be writing it',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, { ...sent(), isOneHop: true } as NewObservation],
      [2, lastPiece],
      [4, lost],
    ],
    now: 106,
  },
  {
    title: 'a session lost in one hop, so long ago that nothing is written any more',
    code: 'one-hop-unconfirmed',
    confidence: 'likely',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, { ...sent(), isOneHop: true } as NewObservation],
      [2, lastPiece],
      [4, lost],
    ],
    now: 108,
  },
  {
    title: 'a whole file in one answer in one hop, and a session that stands without a word',
    code: 'one-hop-unconfirmed',
    confidence: 'likely',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, { ...sent(), isOneHop: true } as NewObservation],
      [2, { kind: 'image-ended', role: 'user2', class: 'no-range', complete: true, bytes: 300_000, ms: 900 }],
    ],
    now: 108,
  },
  {
    title: 'a device in one hop that has everything, and has dialled again since',
    code: 'device-rebooted',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, { ...sent(), isOneHop: true } as NewObservation],
      [2, lastPiece],
      [4, lost],
      [10, dispatched()],
    ],
    now: 108,
  },
  {
    title: 'another device that has dialled since in one hop',
    code: 'one-hop-unconfirmed',
    confidence: 'likely',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, { ...sent(), isOneHop: true } as NewObservation],
      [2, lastPiece],
      [4, lost],
      [10, dispatched({ deviceid: '1000ffffff' })],
    ],
    now: 108,
  },
  {
    title: 'a device in one hop that had everything, and not yet the time to dial since a restart of ours',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, { ...sent(), isOneHop: true } as NewObservation],
      [2, lastPiece],
      [200, { ...BEGAN.upgrade, isResumed: true }],
    ],
    now: 304,
  },
  {
    title: 'a device in one hop that had everything before a restart of ours, and is silent since',
    code: 'one-hop-unconfirmed',
    confidence: 'likely',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, { ...sent(), isOneHop: true } as NewObservation],
      [2, lastPiece],
      [150, FAILED_UPGRADE],
      [200, { ...BEGAN.upgrade, isResumed: true }],
    ],
    now: 306,
  },
  {
    title:
      'an upgrade that starts from its beginning behind a device in one hop that had everything, and is silent since',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, { ...sent(), isOneHop: true } as NewObservation],
      [2, lastPiece],
      [150, FAILED_UPGRADE],
      [200, BEGAN.upgrade],
    ],
    now: 310,
  },
  {
    title: 'a device in one hop that refuses the upgrade while its new firmware is about to be looked for',
    code: 'back-to-stock',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, { kind: 'stage', stage: 'upgrade', event: 'ended' }],
      [0.1, acknowledged(404)],
      [1, BEGAN.newfirmware],
    ],
    now: 2,
  },
  {
    title: 'a session lost in one hop, in mid-download',
    code: 'device-rebooted',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, { ...sent(), isOneHop: true } as NewObservation],
      [2, ranged(0, 3)],
      [4, lost],
    ],
  },
  {
    title: 'the upgrade sent again after that',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [1.1, ranged(0, 3)],
      [4, lost],
      [10, sent(2)],
      [10.1, ranged(0, 3)],
    ],
  },
  {
    title: 'lost again, and its random numbers began anew',
    code: 'device-rebooted',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [2, ranged(0, 3)],
      [4, lost],
      [9, sent(2)],
      [9, ranged(0, 3)],
      [12, lost],
    ],
  },
  {
    title: 'lost again, but its random numbers went on: not a restart for certain',
    code: 'device-rebooted',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [2, ranged(0, 3)],
      [4, lost],
      [9, sent(2)],
      [9, ranged(0, 6)],
      [12, lost],
    ],
  },
  {
    title: 'lost for the third time',
    code: 'device-rebooted',
    confidence: 'likely',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [4, lost],
      [9, sent(2)],
      [12, lost],
      [19, sent(3)],
      [22, lost],
    ],
  },
  {
    title: 'garbage, then a lost session',
    code: 'message-malformed',
    confidence: 'likely',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [2, { kind: 'malformed', peer: PEER, reason: wording('binary') }],
      [4, lost],
    ],
  },
  {
    title: 'no word after the download (3.8)',
    code: 'device-silent',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [2, ranged(0, 3)],
      [191, over('upgrade')],
    ],
  },
  {
    title: 'a device that never had a session',
    code: 'device-timeout',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [300, over('upgrade')],
    ],
  },
  {
    title: 'an upgrade that was acknowledged',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.upgrade],
      [1, sent()],
      [2, ranged(0, 3)],
      [9, acknowledged(0)],
      [12, lost],
    ],
  },
  // finalstage
  {
    title: 'FinalStage joined, but it does not reach us (row 3)',
    code: 'finalstage-blocked',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
    ],
    now: 51,
  },
  {
    title: 'FinalStage joined a moment ago',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
    ],
    now: 25,
  },
  {
    title: 'connects without a request (row 4)',
    code: 'finalstage-half-erased',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
      ...[21, 26, 31, 36, 41, 46, 51, 56, 61, 66, 71, 76, 81].map((at): Timed => [at, dialled]),
    ],
    now: 82,
  },
  {
    title: 'connects without a request over a restart',
    code: 'finalstage-half-erased',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
      [21, dialled],
      [26, dialled],
      [40, dialled],
    ],
    now: 82,
  },
  {
    title: 'connects without a request after a transfer that broke off',
    code: 'finalstage-half-erased',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, dialled],
      [20, requested('final')],
      [23, ended('final', 'broken', 8192)],
      [40, dialled],
    ],
    now: 101,
  },
  {
    title: 'connects without a request for a short time, even at the limit',
    code: 'finalstage-timeout',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [880, dialled],
      [900, over('finalstage')],
    ],
  },
  {
    title: 'a static address that is not the one (row 5)',
    code: 'finalstage-wrong-address',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.77', true)],
    ],
  },
  {
    title: 'no address from FinalStage (row 5)',
    code: 'finalstage-wrong-address',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [0, addresses(['eth0', '192.168.1.2'])],
      [20, addresses(['eth0', '192.168.1.2'], ['wlan0', '169.254.7.7'])],
    ],
    now: 31,
  },
  {
    title: 'another client was first (row 5)',
    code: 'finalstage-stolen',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.3', true)],
    ],
  },
  {
    title: 'two interfaces in its network (row 17)',
    code: 'network-overlap',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, addresses(['eth0', '192.168.4.30'], ['wlan0', '192.168.4.2'])],
      [20, looked('192.168.4.2', true)],
    ],
  },
  {
    title: 'a phone in its network that asks for what only the device may have',
    code: 'finalstage-stranger',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
      [22, stranger('192.168.4.3', 'finalstage-image')],
      [80, over('finalstage')],
    ],
  },
  {
    title: 'a phone in its network, and the device comes all the same',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
      [22, stranger('192.168.4.3', 'finalstage-dial')],
      [23, dialled],
    ],
  },
  {
    title: 'a request from home, and one from this machine',
    code: 'finalstage-timeout',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [5, stranger('192.168.1.20', 'finalstage-image')],
      [6, stranger('192.168.4.1', 'finalstage-image')],
      [20, looked('192.168.4.7', false)],
      [21, stranger('192.168.4.7', 'finalstage-image')],
      [22, dialled],
      [80, over('finalstage')],
    ],
  },
  {
    title: 'joined, where the device has an address of the same network at home',
    code: 'network-overlap',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [1, dispatched({ peer: '192.168.4.20' })],
      [50, BEGAN.finalstage],
      [60, looked('192.168.4.2', true)],
    ],
  },
  {
    title: 'a second time after user2 (row 13)',
    code: 'finalstage-again',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, dialled],
      [20, requested('user2')],
      [30, ended('user2', 'delivered')],
    ],
    now: 50,
  },
  {
    title: 'user2 broken off',
    code: 'user2-stalled',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, dialled],
      [20, requested('user2')],
      [30, ended('user2', 'broken', 4096)],
    ],
  },
  {
    title: 'the final image broken off',
    code: 'finalstage-stalled',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, dialled],
      [20, requested('final')],
      [30, ended('final', 'broken', 8192)],
    ],
  },
  {
    title: 'the last byte of the final image handed over, and the connection broken off: no sign that it was written',
    code: 'finalstage-stalled',
    confidence: 'certain',
    isFinal: false,
    values: { sent: 482_432, size: 482_432 },
    seen: [
      [0, BEGAN.finalstage],
      [20, dialled],
      [20, requested('final')],
      [30, ended('final', 'broken')],
    ],
  },
  {
    title: 'the final image standing still',
    code: 'finalstage-stalled',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, requested('final')],
      [52, { kind: 'finalstage-stalled', image: 'final', bytes: 8192 }],
    ],
  },
  {
    title: 'the final image asked for again',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, requested('final')],
      [30, ended('final', 'broken', 8192)],
      [31, requested('final')],
    ],
  },
  {
    title: 'left before anything was asked for (row 14)',
    code: 'finalstage-left-early',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
      [21, dialled],
      [22, looked(undefined, false)],
    ],
    now: 45,
  },
  {
    title: 'gone after user2, for longer than it needs',
    code: 'finalstage-left-early',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
      [21, dialled],
      [21, requested('user2')],
      [30, ended('user2', 'delivered')],
      [31, looked(undefined, false)],
    ],
    now: 125,
  },
  {
    title: 'FinalStage never seen',
    code: 'finalstage-timeout',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [0, looked(undefined, false)],
      [900, over('finalstage')],
    ],
  },
  {
    title: 'everything delivered, and it does not go',
    code: 'unexplained',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
      [20, requested('final')],
      [30, ended('final', 'delivered')],
      [900, over('finalstage')],
    ],
  },
  {
    title: 'everything acknowledged, and gone without a goodbye',
    code: 'finalstage-unconfirmed',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
      [20, requested('final')],
      [30, ended('final', 'acknowledged')],
      [31, looked(undefined, false)],
    ],
    now: 92,
  },
  {
    title: 'the final image on its way when this program ended',
    code: 'finalstage-interrupted',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, looked('192.168.4.2', true)],
      [20, requested('final')],
      [30, ended('final', 'interrupted')],
    ],
  },
  {
    title: 'user2 on its way when this program ended',
    code: 'user2-stalled',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, requested('user2')],
      [30, ended('user2', 'interrupted', 4096)],
    ],
  },
  {
    title: 'the last byte of user2, whatever became of its connection',
    code: 'finalstage-again',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, requested('user2')],
      [30, ended('user2', 'broken')],
    ],
  },
  {
    title: 'everything delivered',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, requested('final')],
      [30, ended('final', 'delivered')],
    ],
  },
  // The new firmware
  {
    title: 'done, and the new firmware nowhere (row 16)',
    code: 'new-firmware-silent',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [20, requested('final')],
      [30, ended('final', 'delivered')],
      [34, { kind: 'stage', stage: 'finalstage', event: 'ended' }],
      [35, BEGAN.newfirmware],
      [36, newFirmwareLooked('not-joined', 'silent')],
      [635, over('newfirmware')],
    ],
  },
  {
    title: 'nobody looked even once',
    code: 'new-firmware-silent',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.newfirmware],
      [600, over('newfirmware')],
    ],
  },
  {
    title: 'one hop, and a refusal that comes late from the stock firmware',
    code: 'back-to-stock',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, { ...BEGAN.newfirmware, intermediate: 'one-hop' }],
      [60, acknowledged(404)],
    ],
  },
  {
    title: 'one hop, and an acknowledgement that comes late',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, { ...BEGAN.newfirmware, intermediate: 'one-hop' }],
      [60, acknowledged(0)],
    ],
  },
  {
    title: 'one hop, and neither firmware anywhere that was looked at',
    code: 'one-hop-silent',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, { ...BEGAN.newfirmware, intermediate: 'one-hop' }],
      [1, newFirmwareLooked('not-joined', 'silent')],
      [300, newFirmwareLooked('silent', 'silent')],
      [600, over('newfirmware')],
    ],
  },
  {
    title: 'one hop, and nobody was in the network where the new firmware may be',
    code: 'new-firmware-silent',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, { ...BEGAN.newfirmware, intermediate: 'one-hop' }],
      [1, newFirmwareLooked('not-joined', 'silent')],
      [600, over('newfirmware')],
    ],
  },
  {
    title: 'one hop, and another device where it should be',
    code: 'new-firmware-silent',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, { ...BEGAN.newfirmware, intermediate: 'one-hop' }],
      [1, newFirmwareLooked('stranger', 'silent')],
      [600, over('newfirmware')],
    ],
  },
  {
    title: 'FinalStage, and the new firmware nowhere that was looked at',
    code: 'new-firmware-silent',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, { ...BEGAN.newfirmware, intermediate: 'finalstage' }],
      [1, newFirmwareLooked('silent', 'silent')],
      [600, over('newfirmware')],
    ],
  },
  {
    title: 'the new firmware has not come yet',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.newfirmware],
      [1, newFirmwareLooked('not-joined', 'silent')],
      [590, newFirmwareLooked('stranger', 'silent')],
    ],
  },
  {
    title: 'the new firmware was there in the last moment',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.newfirmware],
      [1, newFirmwareLooked('not-joined', 'silent')],
      [600, over('newfirmware')],
      [600, newFirmwareLooked('not-joined', 'page')],
      [601, { kind: 'stage', stage: 'newfirmware', event: 'ended' }],
    ],
  },
  ...(
    [
      ['firmware-same-mac', 'certain', ['own-network', 'mac']],
      ['firmware-own-network', 'likely', ['own-network', 'place']],
      ['firmware-page', 'likely', ['place']],
    ] as const
  ).map(([code, confidence, proofs]): Case => ({
    title: `the flash ends with a page that is known by ${proofs.join(' and ')}`,
    code,
    confidence,
    isFinal: false,
    seen: [
      [0, BEGAN.newfirmware],
      [1, newFirmwareLooked('not-joined', 'silent')],
      [60, pagesSeen(...proofs)],
      [61, { kind: 'stage', stage: 'newfirmware', event: 'ended' }],
    ],
  })),
  {
    title: 'a page is no end before the stage says so',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.newfirmware],
      [60, pagesSeen('mac')],
    ],
  },
  {
    title: 'it dials a cloud again',
    code: 'back-to-stock',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.cloud],
      [5, dispatched()],
      [6, BEGAN.upgrade],
      [30, { kind: 'stage', stage: 'upgrade', event: 'ended' }],
      [30, BEGAN.newfirmware],
      [60, newFirmwareLooked('not-joined', 'silent')],
      [61, dispatched()],
    ],
  },
  {
    title: 'it had dialled a cloud again before anybody looked',
    code: 'back-to-stock',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [6, BEGAN.upgrade],
      [30, { kind: 'stage', stage: 'upgrade', event: 'ended' }],
      [61, dispatched()],
      [70, BEGAN.newfirmware],
    ],
  },
  {
    title: 'what it had dialled before its upgrade says nothing, nor what a neighbour dials',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.cloud],
      [5, dispatched()],
      [6, BEGAN.upgrade],
      [30, { kind: 'stage', stage: 'upgrade', event: 'ended' }],
      [30, BEGAN.newfirmware],
      [61, dispatched({ deviceid: '10000fffff', peer: NEIGHBOUR })],
    ],
  },
  // This machine joins automatically
  ...WIFI_FAILURES.map((code) => ({
    title: 'the newest attempt to join ended so',
    code,
    confidence: 'certain' as const,
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [3, wifi('joining')],
      [9, wifiFailed(code)],
    ] satisfies Timed[],
  })),
  {
    title: 'the network went in the middle, and is not back at the limit',
    code: 'wifi-lost',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [9, wifi('joined')],
      [40, wifiFailed('wifi-lost')],
      [600, over('provision')],
    ],
  },
  {
    title: 'FinalStage of another device, and no other',
    code: 'finalstage-foreign',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [9, wifiFailed('finalstage-foreign')],
      [900, over('finalstage')],
    ],
  },
  {
    title: 'an attempt that went well makes the failed ones forgotten',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [9, wifiFailed('wifi-password-wrong')],
      [15, wifi('joined')],
    ],
  },
  {
    title: 'a person was quicker',
    code: 'on-course',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.provision],
      [9, wifiFailed('wifi-not-found')],
      [15, apLooked('answered', true)],
    ],
  },
  {
    title: 'a stream that broke off says more than the network that went with it',
    code: 'finalstage-stalled',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.finalstage],
      [9, wifi('joined')],
      [12, { kind: 'finalstage-requested', image: 'final', size: 400_000 }],
      [14, { kind: 'finalstage-ended', image: 'final', how: 'broken', bytes: 200_000 }],
      [25, wifiFailed('wifi-lost')],
    ],
  },
  // Facts that a stage knows better than any rule
  {
    title: 'a port that another program holds (row 15)',
    code: 'port-in-use',
    confidence: 'certain',
    isFinal: true,
    seen: [
      [0, BEGAN.upgrade],
      [
        1,
        {
          kind: 'stage',
          stage: 'upgrade',
          event: 'failed',
          code: 'port-in-use',
          values: { port: 8080, bind: '0.0.0.0', reason: wording('port-taken') },
        },
      ],
    ],
  },
];

const FLASH_SENT: NewObservation = { kind: 'command', command: 'ota_flash', result: 'done' };
const FOUND: NewObservation = { kind: 'device-info', peer: PEER, romVersion: '3.7.6' };
const fetched = (first: number): NewObservation => ({
  ...{ kind: 'image-requested', role: 'final', class: 'range', size: 20_000 },
  first,
});

const DIY_CASES: readonly Case[] = [
  {
    code: 'device-reported',
    title: 'the device reported, and then was gone as well',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.diy],
      [1, FLASH_SENT],
      [2, fetched(0)],
      [3, { kind: 'result-reported', error: 0 }],
      [4, { kind: 'stock-gone' }],
      [5, { kind: 'stage', stage: 'diy', event: 'ended' }],
    ],
  },
  {
    code: 'device-left',
    title: 'the device reported nothing, and left',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.diy],
      [1, FLASH_SENT],
      [2, fetched(0)],
      [3, { kind: 'stock-gone' }],
      [4, { kind: 'stage', stage: 'diy', event: 'ended' }],
    ],
    values: { signs: wording('sign-port-closed') },
  },
  ...(
    [
      ['gone', 'sign-port-and-announcement'],
      ['there', 'sign-port-alone'],
    ] as const
  ).map(([announcement, sign]): Case => ({
    code: 'device-left',
    title: `the device reported nothing, left, and its announcement is ${announcement}`,
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.diy],
      [2, fetched(0)],
      [3, { kind: 'stock-gone', announcement }],
      [4, { kind: 'stage', stage: 'diy', event: 'ended' }],
    ],
    values: { signs: wording(sign) },
  })),
  {
    code: 'diy-silent',
    title: 'DIY mode, and the new firmware nowhere',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, { ...BEGAN.newfirmware, intermediate: 'diy' }],
      [1, newFirmwareLooked('not-joined', 'silent')],
      [600, over('newfirmware')],
    ],
  },
  {
    code: 'new-firmware-silent',
    title: 'DIY mode, and another device at its address',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, { ...BEGAN.newfirmware, intermediate: 'diy' }],
      [1, newFirmwareLooked('not-joined', 'stranger')],
      [600, over('newfirmware')],
    ],
  },
  {
    code: 'diy-not-found',
    title: 'nobody answered',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.diy],
      [600, over('diy')],
    ],
    values: { seconds: 600 },
  },
  {
    code: 'on-course',
    title: 'a device that is looked for',
    confidence: 'certain',
    isFinal: false,
    seen: [[0, BEGAN.diy]],
    now: 300,
  },
  {
    code: 'download-blocked',
    title: 'the command is taken, and the image never asked for',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.diy],
      [1, FOUND],
      [2, FLASH_SENT],
    ],
    now: 23,
  },
  {
    code: 'on-course',
    title: 'the command is taken a moment ago',
    confidence: 'certain',
    isFinal: false,
    seen: [
      [0, BEGAN.diy],
      [1, FOUND],
      [2, FLASH_SENT],
    ],
    now: 10,
  },
  {
    code: 'diy-download-broken',
    title: 'the last pieces were never asked for',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.diy],
      [1, FOUND],
      [2, FLASH_SENT],
      [3, fetched(0)],
      [4, fetched(8192)],
      [600, over('diy')],
    ],
    values: { sent: 8192, size: 20_000 },
  },
  {
    code: 'diy-verdict-missing',
    title: 'the last piece was asked for',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.diy],
      [1, FOUND],
      [2, FLASH_SENT],
      [3, fetched(0)],
      [4, fetched(16_384)],
      [600, over('diy')],
    ],
  },
  {
    code: 'download-restarts',
    title: 'a device in DIY mode begins its download three times',
    confidence: 'likely',
    isFinal: false,
    seen: [
      [0, BEGAN.diy],
      [1, FLASH_SENT],
      [2, fetched(0)],
      [3, fetched(0)],
      [4, fetched(0)],
    ],
    values: { times: 3 },
  },
];

const ALL_CASES = [...CASES, ...DIY_CASES];

function observe(seen: readonly Timed[]): Observation[] {
  return seen.map(([seconds, sighting]) => ({ at: 1_000_000 + seconds * 1000, ...sighting }));
}

function verdictOn({ seen, now = (seen.at(-1)?.[0] ?? 0) + 1 }: Case): Verdict {
  return judge(observe(seen), 1_000_000 + now * 1000);
}

describe('flash/verdict', () => {
  for (const one of ALL_CASES) {
    it(`${one.code}: ${one.title}`, () => {
      const verdict = verdictOn(one);
      assert.equal(verdict.code, one.code, verdict.text);
      assert.equal(verdict.confidence, one.confidence);
      assert.equal(verdict.isFinal, one.isFinal);
      for (const [name, value] of Object.entries(one.values ?? {})) assert.deepEqual(verdict.values[name], value);
      assert.doesNotMatch(verdict.text, /(^|[ (])\?([ ,.);]|$)/, 'a value of the sentence is missing');
      assert.ok(verdict.evidence.length <= 6);
      if (verdict.code !== 'on-course') assert.ok(verdict.evidence.length > 0, 'without evidence');
      const all = observe(one.seen).map((seen) => JSON.stringify(seen));
      for (const seen of verdict.evidence) assert.ok(all.includes(JSON.stringify(seen)), 'evidence that was not seen');
    });
  }

  it('says the same of what it reads back from JSON', () => {
    for (const one of ALL_CASES) {
      const now = 1_000_000 + (one.now ?? (one.seen.at(-1)?.[0] ?? 0) + 1) * 1000;
      const observations = JSON.parse(JSON.stringify(observe(one.seen))) as Observation[];
      assert.deepEqual(judge(observations, now), verdictOn(one), one.title);
    }
  });

  it('has a case for every rule', () => {
    const tried = new Set(ALL_CASES.map(({ code }) => code));
    const missing = [...RULES.map(({ code }) => code), ...NOTE_CODES].filter((code) => !tried.has(code));
    assert.deepEqual(missing, []);
  });

  it('keeps the confidence and the evidence of what it said before the stage failed with it', () => {
    const seen: Timed[] = [
      [0, BEGAN.cloud],
      [9, rejected()],
      [300, over('cloud')],
      [300, { kind: 'stage', stage: 'cloud', event: 'failed', code: 'certificate-rejected', values: { peer: PEER } }],
    ];
    const verdict = judge(observe(seen), 1_301_000);
    assert.equal(verdict.confidence, 'likely');
    assert.deepEqual(
      verdict.evidence.map(({ kind }) => kind),
      ['tls-failed'],
    );
  });

  it('knows a device that had dialled in before its job started by what its session states', () => {
    const ready: NewObservation = { kind: 'ready', peer: PEER, via: 'tls', model: 'PSF-B01-GL', romVersion: '2.0.1' };
    const valuesOf = (...seen: Timed[]) => new EvidenceView(observe(seen), 1_001_000, PATIENCE).values;
    const { model, romVersion } = valuesOf([0, BEGAN.cloud], [0, ready]);
    assert.deepEqual([model, romVersion], ['PSF-B01-GL', '2.0.1']);
    assert.equal(valuesOf([0, BEGAN.cloud], [0, dispatched()], [1, ready])['model'], 'PSF-B01-GL');
    assert.equal(valuesOf([0, BEGAN.cloud], [0, ready], [1, dispatched()])['model'], 'ITA-GZ1-GL');
  });

  it('says nothing of a job that has not started', () => {
    assert.equal(judge([], 0).code, 'on-course');
  });
});
