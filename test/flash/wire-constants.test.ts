import assert from 'node:assert/strict';
import { GAP_MS } from '../../lib/client/diy/turns';
import { PIECE_BYTES } from '../../lib/client/range-fetch';
import { WIFI_NAMES_LIMIT_MS } from '../../lib/flash/host/home-memory';
import { CLAIM_MS } from '../../lib/flash/devices/claims';
import { DIALS_EVERY_MS } from '../../lib/flash/job/evidence';
import { SET_UP_MS } from '../../lib/flash/job/job-registry';
import { ON_ITS_WAY_MS } from '../../lib/flash/stored/pending-messages';
import * as survey from '../../lib/flash/discovery/device-survey';
import * as networkVisit from '../../lib/flash/radio/network-visit';
import { AP_ANSWER_LIMIT_MS, FLOWING_MS, JUST_SET_UP_MS } from '../../lib/flash/radio/join-plans';
import * as finalStagePresence from '../../lib/flash/stage/finalstage-presence';
import * as newFirmwarePresence from '../../lib/flash/stage/new-firmware-presence';
import * as atHome from '../../lib/flash/stage/diy/at-home';
import { BETWEEN_MS } from '../../lib/flash/stage/diy/click';
import { REPLY_MS } from '../../lib/flash/stage/diy/diy-flash';
import * as foundDevice from '../../lib/flash/stage/diy/found-device';
import * as gone from '../../lib/flash/stage/diy/gone';
import { RESCUED_MS } from '../../lib/flash/stage/new-firmware';
import * as provision from '../../lib/flash/stage/provision/provision';
import { ANSWER_LIMIT_MS } from '../../lib/flash/stage/provision-method';
import { LOOK_MS } from '../../lib/flash/stage/stage-frame';
import * as accessPointRoad from '../../lib/tasmota/tasmota-access-point';
import * as search from '../../lib/tasmota/search';
import * as setUp from '../../lib/tasmota/set-up';
import { PATIENCE } from '../../lib/flash/verdict/patience';
import { SESSIONS_AT_MOST } from '../../lib/flash/verdict/rules/upgrade';
import { WAITS } from '../../lib/flash/stage/waits';
import { FINAL_LIMIT, SMALLEST_IMAGE, USER_LIMIT } from '../../lib/image';
import * as ap from '../../lib/protocol/ap';
import { ACCESS_POINT as accessPointNetwork } from '../../lib/protocol/device-networks';
import { DISPATCH_PATH } from '../../lib/protocol/dispatch';
import * as finalStage from '../../lib/protocol/finalstage';
import { NEW_FIRMWARE_AP_ADDRESS } from '../../lib/protocol/new-firmware';
import { SERVER_NAME_LIMIT } from '../../lib/protocol/server-address';
import * as session from '../../lib/protocol/session';
import * as upgrade from '../../lib/protocol/upgrade';
import { MESSAGE_LIMIT } from '../../lib/server/cloud-server';
import { CONNECTION_LIMITS } from '../../lib/server/connection-limits';
import {
  MALFORMED_LIMIT,
  REGISTER_LIMIT_MS,
  SILENCE_LIMIT_MS,
  UPGRADE_SILENCE_LIMIT_MS,
} from '../../lib/server/device-connection';
import { BODY_LIMIT } from '../../lib/server/dispatch-app';
import {
  CLOSE_LIMIT_MS,
  HALF_CLOSE_MS,
  KEEP_ALIVE_MS,
  PART_BYTES,
  RESET_GRACE_MS,
  STALL_LIMIT_MS,
} from '../../lib/server/final-reply';
import { IMAGE_IDLE_LIMIT_MS } from '../../lib/server/image-server';
import { PORT_LIMIT } from '../../lib/server/port-listener';
import { LARGEST_RANGE } from '../../lib/server/range-reply';
import { REQUEST_LIMITS } from '../../lib/server/request-limits';
import { HANDSHAKE_LIMIT_MS, LARGEST_RECORD } from '../../lib/server/tls-front';
import { SELF_TEST_LIMIT_MS } from '../../lib/server/tls-self-test';
import { KEY_BITS } from '../../lib/server/tls-identity';
import { PROVEN_PACE } from '../../lib/server/transfer';

/** The value that is required, or the bounds of it, both ends included. */
type Bounds = { is: unknown } | { from: number; to: number };

/** Section of docs/dev/stock-firmware.md, what it says there, and the value with its name. */
type Row = [section: string, fact: string, name: string, value: unknown, bounds: Bounds];

/** The slowest download that there is: the largest image, at the only pace that is proven. */
const SLOWEST_DOWNLOAD_MS =
  PROVEN_PACE.pauseMs + Math.ceil(USER_LIMIT / PROVEN_PACE.packetBytes) * PROVEN_PACE.intervalMs;
/** A device adds up to 7 s to the interval, and gives up after two pings without an answer. */
const TWO_HEARTBEATS_MS = 2 * (session.HEARTBEAT_SECONDS + 7) * 1000;
/** A device gives its upgrade up after this. */
const UPGRADE_TIMEOUT_MS = 180_000;
/** FinalStage blinks before it opens its access point. */
const BLINK_MS = 10_000;

const ACCESS_POINT: Row[] = [
  ['1.1', 'the name of the access point', 'AP_SSID_PREFIX', ap.AP_SSID_PREFIX, { is: 'ITEAD-' }],
  ['1.1', 'its password', 'AP_PASSWORD', ap.AP_PASSWORD, { is: '12345678' }],
  ['1.1', 'the device in it', 'AP_URL', ap.AP_URL, { is: 'http://10.10.7.1' }],
  ['1.1', 'its network', 'ACCESS_POINT', accessPointNetwork.prefix, { is: '10.10.7.' }],
  ['1.3', 'GET /device HTTP/1.1', 'AP_DEVICE_PATH', ap.AP_DEVICE_PATH, { is: '/device' }],
  ['1.3', 'POST /ap HTTP/1.1', 'AP_PROVISION_PATH', ap.AP_PROVISION_PATH, { is: '/ap' }],
  ['1.3', 'ssid up to 31 bytes', 'SSID_LIMIT', ap.SSID_LIMIT, { is: 31 }],
  ['1.3', 'password up to 63 bytes', 'PASSWORD_LIMIT', ap.PASSWORD_LIMIT, { is: 63 }],
  ['1.3', 'serverName up to 50 characters', 'SERVER_NAME_LIMIT', SERVER_NAME_LIMIT, { is: 50 }],
  ['1.3', 'an unfinished request lives 10 s', 'POST_LIMIT_MS', provision.POST_LIMIT_MS, { from: 10_000, to: 20_000 }],
  ['1.3', 'it listens 1 s after it is up', 'apSilentMs', PATIENCE.apSilentMs, { from: 5000, to: 60_000 }],
  [
    '1.1, 1.3',
    'it listens after 1 s and closes after 180 s',
    'AP_ANSWER_LIMIT_MS',
    AP_ANSWER_LIMIT_MS,
    { from: PATIENCE.apSilentMs, to: 90_000 },
  ],
  ['1.3', 'it goes 1 s after its answer', 'JUST_SET_UP_MS', JUST_SET_UP_MS, { from: 10_000, to: 180_000 }],
];

const CLOUD: Row[] = [
  ['2.1', 'POST /dispatch/device', 'DISPATCH_PATH', DISPATCH_PATH, { is: '/dispatch/device' }],
  ['2.1', 'a dispatch has 177 bytes', 'BODY_LIMIT', BODY_LIMIT, { from: 1024, to: 32_768 }],
  ['2.2', 'its own limit is 10 s', 'HANDSHAKE_LIMIT_MS', HANDSHAKE_LIMIT_MS, { from: 10_000, to: 30_000 }],
  [
    '1.5, 2.2',
    'dials within 25 s, later once a minute',
    'nothingArrivedMs',
    PATIENCE.nothingArrivedMs,
    { from: 60_000, to: 180_000 },
  ],
  [
    '2.2',
    'turned down, it waits for 1 to 2 s, then for 2 to 4',
    'refusalSpanMs',
    PATIENCE.refusalSpanMs,
    { from: 1001, to: 3000 },
  ],
  [
    '2.1',
    'speaks 200 ms after it connects',
    'silentConnectionMs',
    PATIENCE.silentConnectionMs,
    { from: 2000, to: 60_000 },
  ],
  ['2.1', 'speaks 200 ms after it connects', 'quietMs', REQUEST_LIMITS.quietMs, { from: 10_000, to: 120_000 }],
  ['2.1', 'sends its request in one go', 'headMs', REQUEST_LIMITS.headMs, { from: 10_000, to: 30_000 }],
  ['2.1', 'sends its request in one go', 'bodyMs', REQUEST_LIMITS.bodyMs, { from: 10_000, to: 60_000 }],
  ['2.4', 'RSA 2048 alone is proven', 'KEY_BITS', KEY_BITS, { is: 2048 }],
  ['2.4, 3.2', 'a buffer of 2048 bytes a record', 'LARGEST_RECORD', LARGEST_RECORD, { from: 512, to: 1024 }],
  ['3.1', 'GET /api/ws', 'WEBSOCKET_PATH', session.WEBSOCKET_PATH, { is: '/api/ws' }],
  ['3.2', 'the device has 1024 bytes of JSON', 'MESSAGE_LIMIT', MESSAGE_LIMIT, { from: 1024, to: 16_384 }],
  ['3.3', "the vendor's interval", 'HEARTBEAT_SECONDS', session.HEARTBEAT_SECONDS, { is: 145 }],
  [
    '3.3',
    'a device gives up after two heartbeats, we not before it',
    'SILENCE_LIMIT_MS',
    SILENCE_LIMIT_MS,
    { from: TWO_HEARTBEATS_MS + 1, to: 2 * TWO_HEARTBEATS_MS },
  ],
  ['3.4', 'registers again 2 to 4 s after a refusal', 'registerMs', REGISTER_LIMIT_MS, { from: 8000, to: 30_000 }],
  ['3.4', 'keys of 36 characters', 'SESSION_KEY_LENGTH', session.SESSION_KEY_LENGTH, { is: 36 }],
  ['3.5', 'a wait for the query of 2 s', 'QUERY_GRACE_MS', session.QUERY_GRACE_MS, { is: 2000 }],
  ['3.5', 'a session has some ten messages', 'MALFORMED_LIMIT', MALFORMED_LIMIT, { from: 10, to: 100 }],
];

const UPGRADE: Row[] = [
  ['3.7', 'an address under 150 characters', 'URL_BUFFER', upgrade.URL_BUFFER, { is: 150 }],
  ['3.7', 'its host under 50', 'HOST_BUFFER', upgrade.HOST_BUFFER, { is: 50 }],
  ['3.7', 'its path under 100', 'PATH_BUFFER', upgrade.PATH_BUFFER, { is: 100 }],
  ['3.7', 'the version that is proven', 'PROVEN_VERSION', upgrade.PROVEN_VERSION, { is: '23.42.5' }],
  ['3.7', 'the version for the others', 'FALLBACK_VERSION', upgrade.FALLBACK_VERSION, { is: '9.9.9' }],
  ['8', 'three sessions at most', 'SESSIONS_AT_MOST', SESSIONS_AT_MOST, { is: 3 }],
  [
    '3.8',
    'the device gives itself 180 s',
    'upgradeVerdictMs',
    WAITS.upgradeVerdictMs,
    { from: UPGRADE_TIMEOUT_MS + 5000, to: 300_000 },
  ],
  [
    '4.2',
    'a packet every 300 ms, a range every 100 ms',
    'upgradeFlowsMs',
    WAITS.upgradeFlowsMs,
    { from: 3000, to: 30_000 },
  ],
  [
    '3.8',
    'each upgrade has its 180 s, and FinalStage behind it',
    'turnMs',
    WAITS.turnMs,
    { from: 1_800_000, to: 7_200_000 },
  ],
  [
    '3.8, 4.2',
    'silent for a whole download, whose verdict we wait for',
    'UPGRADE_SILENCE_LIMIT_MS',
    UPGRADE_SILENCE_LIMIT_MS,
    { from: Math.max(SLOWEST_DOWNLOAD_MS, WAITS.upgradeVerdictMs) + 60_000, to: 1_800_000 },
  ],
  ['4.2', 'at most 10 bytes with the header', 'PROVEN_PACE', PROVEN_PACE.headerBodyBytes, { is: 10 }],
  ['4.2', 'a pause of 1 s', 'PROVEN_PACE', PROVEN_PACE.pauseMs, { is: 1000 }],
  ['4.2', 'packets of 1400 bytes', 'PROVEN_PACE', PROVEN_PACE.packetBytes, { is: 1400 }],
  ['4.2', 'every 300 ms', 'PROVEN_PACE', PROVEN_PACE.intervalMs, { is: 300 }],
  ['4.2', 'which must end within 180 s', 'PROVEN_PACE', SLOWEST_DOWNLOAD_MS, { from: 51_000, to: UPGRADE_TIMEOUT_MS }],
  ['4.2', 'ranges of 4096 bytes', 'LARGEST_RANGE', LARGEST_RANGE, { is: 4096 }],
  ['4.2', 'as our own test asks for them', 'PIECE_BYTES', PIECE_BYTES, { is: 4096 }],
  ['4.2', 'kept alive for 30 s and more', 'IMAGE_IDLE_LIMIT_MS', IMAGE_IDLE_LIMIT_MS, { from: 90_000, to: 3_600_000 }],
  ['4.2', 'reconnects after 1, 2 and 3 s', 'failedConnectionMs', PATIENCE.failedConnectionMs, { from: 1000, to: 6000 }],
  ['4.2', 'and asks at once else', 'noRequestMs', PATIENCE.noRequestMs, { from: 6000, to: 60_000 }],
  ['4.2', 'images up to 460 KiB', 'USER_LIMIT', USER_LIMIT, { is: 471_040 }],
];

const FINALSTAGE: Row[] = [
  ['5', 'its network', 'FINALSTAGE_SSID', finalStage.FINALSTAGE_SSID, { is: 'FinalStage' }],
  ['5', 'its own address', 'FINALSTAGE_ADDRESS', finalStage.FINALSTAGE_ADDRESS, { is: '192.168.4.1' }],
  ['5', 'the address it asks', 'FINALSTAGE_HOST_ADDRESS', finalStage.FINALSTAGE_HOST_ADDRESS, { is: '192.168.4.2' }],
  ['5', 'and the port', 'FINALSTAGE_PORT', finalStage.FINALSTAGE_PORT, { is: 8080 }],
  ['5', 'for user2', 'FINALSTAGE_USER2_PATH', finalStage.FINALSTAGE_USER2_PATH, { is: '/ota/image_user2-0x81000.bin' }],
  [
    '5',
    'for the final image',
    'FINALSTAGE_FINAL_PATH',
    finalStage.FINALSTAGE_FINAL_PATH,
    { is: '/ota/image_arduino.bin' },
  ],
  ['5', 'of 4096 bytes at least', 'SMALLEST_IMAGE', SMALLEST_IMAGE, { is: 4096 }],
  ['5', 'and 524288 at most', 'FINAL_LIMIT', FINAL_LIMIT, { is: 524_288 }],
  ['5', 'erases for seconds before it reads on', 'STALL_LIMIT_MS', STALL_LIMIT_MS, { from: 20_000, to: 120_000 }],
  ['5', 'writes its last block, then closes', 'CLOSE_LIMIT_MS', CLOSE_LIMIT_MS, { from: 20_000, to: 120_000 }],
  ['5', 'takes our close for a lost stream', 'HALF_CLOSE_MS', HALF_CLOSE_MS, { from: 2000, to: CLOSE_LIMIT_MS - 5000 }],
  [
    '5',
    'blinks for 10 s, then dials twice a second',
    'finalStageDialsMs',
    PATIENCE.finalStageDialsMs,
    { from: 2 * BLINK_MS, to: 120_000 },
  ],
  ['5', 'only connects for over 60 s', 'halfErasedMs', PATIENCE.halfErasedMs, { from: 60_000, to: 180_000 }],
  ['5', 'a restart is 10 s of blinking', 'restartMs', PATIENCE.restartMs, { from: 5000, to: BLINK_MS - 1000 }],
  [
    '5.4',
    'the stage and its verdict leave it dark alike',
    'oneHopWritesMs',
    PATIENCE.oneHopWritesMs,
    { is: WAITS.darkAtMostMs },
  ],
  ['5', 'is back 10 to 15 s after a failed try', 'leftEarlyMs', PATIENCE.leftEarlyMs, { from: 15_001, to: 60_000 }],
  [
    '3.8, 5',
    'is there within 60 s, also again',
    'secondCycleMs',
    PATIENCE.secondCycleMs,
    { from: 60_001, to: 300_000 },
  ],
  ['5', 'is back 10 to 15 s after a failed try', 'unconfirmed', PATIENCE.unconfirmedMs, { from: 30_000, to: 300_000 }],
  ['5', 'the stage and its verdict wait alike', 'unconfirmedMs', WAITS.unconfirmedMs, { is: PATIENCE.unconfirmedMs }],
  ['design 6', 'gone when it was away for 3 s', 'goneMs', WAITS.goneMs, { is: 3000 }],
  [
    '5',
    'a stream that stands still has not ended',
    'finalStageFlowsMs',
    WAITS.finalStageFlowsMs,
    { from: 20_000, to: 120_000 },
  ],
  [
    '5',
    'restarts within seconds of the last byte',
    'finalStageLeavesMs',
    WAITS.finalStageLeavesMs,
    { from: 10_000, to: UPGRADE_TIMEOUT_MS },
  ],
  ['5', 'gives an answer up that has not begun after 5 s', 'settleMs', WAITS.settleMs, { from: 500, to: 4000 }],
  [
    '5',
    'waits without a limit for what we owe it',
    'deadTransferMs',
    WAITS.deadTransferMs,
    { from: STALL_LIMIT_MS, to: 120_000 },
  ],
  [
    '5',
    'its network must be joined by a person',
    'unwatchedVisitMs',
    WAITS.unwatchedVisitMs,
    { from: 600_000, to: 3_600_000 },
  ],
];

/** Values that no device knows of, and the design or Node-RED itself sets. */
const OURS: Row[] = [
  ['design 7', 'Node-RED gives a closing node 15 s', 'handOverMs', WAITS.handOverMs, { from: 15_001, to: 30_000 }],
  [
    'design',
    'an open job without a sign of its device ends after a day',
    'staleJobMs',
    WAITS.staleJobMs,
    { is: 86_400_000 },
  ],
  [
    'design 7',
    'a failure is tried again without a further deploy for a quarter of an hour',
    'retryableMs',
    WAITS.retryableMs,
    { is: 900_000 },
  ],
  ['1.5', 'its access point goes after the set-up', 'apGoesMs', WAITS.apGoesMs, { from: 2000, to: 60_000 }],
  ['Node-RED', 'waits 15 s for a close', 'leaveMs', WAITS.leaveMs, { from: 5000, to: 14_000 }],
  [
    '5',
    'FinalStage dials twice a second, and may want its port at any time',
    'sweepMs',
    WAITS.sweepMs,
    { from: 1000, to: 30_000 },
  ],
  ['design', 'a person can cancel after the click', 'clickMs', WAITS.clickMs, { from: 5000, to: 60_000 }],
  ['design', 'a restart continues from what is on disk', 'flowMs', WAITS.flowMs, { from: 250, to: 5000 }],
  ['design', 'a flood of changes is written ten times a second', 'writesMs', WAITS.writesMs, { from: 50, to: 200 }],
  ['design', 'a full disk is tried again', 'retryMs', WAITS.retryMs, { from: 1000, to: 30_000 }],
  [
    'diy-mode 2.6',
    'answers in its access point at once, or not at all',
    'apPageMs',
    WAITS.apPageMs,
    { from: 1000, to: 5000 },
  ],
  ['diy-mode 1.13', 'recovery cycle: 30 s off', 'rescueOffMs', WAITS.rescueOffMs, { is: 30_000 }],
  ['diy-mode 1.13', '2 s on / 2 s off', 'rescueStepMs', WAITS.rescueStepMs, { is: 2000 }],
  ['diy-mode 1.13', 'a hung unlock lasts 2 to 3 min', 'lanHangsMs', WAITS.lanHangsMs, { from: 180_000, to: 240_000 }],
  [
    'diy-mode 1.13',
    "the maker's tool waits 10 s, a hung unlock lasts 2 to 3 min",
    'lanUnlockMs',
    WAITS.lanUnlockMs,
    { from: 10_000, to: 180_000 },
  ],
  [
    'diy-mode 1.13',
    'a download takes up to minutes, and a device is back after 20 to 60 s',
    'lanStalledMs',
    WAITS.lanStalledMs,
    { from: 20_000, to: 60_000 },
  ],
  ['diy-mode 1.13', '0.2 s between calls; a tool waits 1 s', 'lanLookMs', WAITS.lanLookMs, { from: 200, to: 2000 }],
  ['diy-mode 1.13', 'at least 0.2 s between calls', 'GAP_MS', GAP_MS, { from: 200, to: 1000 }],
];

const NEW_FIRMWARE: Row[] = [
  ['images 5.4', '15 to 20 s without a sign, from 3 s on', 'darkMs', WAITS.darkMs, { from: 23_000, to: 60_000 }],
  [
    'issue 11, B.8',
    'the slowest flash takes 70 to 100 s, from 3 s on',
    'darkAtMostMs',
    WAITS.darkAtMostMs,
    { from: 103_000, to: 120_000 },
  ],
  [
    'images 5.4',
    'nothing is through in half of that',
    'darkAtLeastMs',
    WAITS.darkAtLeastMs,
    { from: 3001, to: 15_000 },
  ],
  ['5.1', 'an ESP8266 in its own network', 'NEW_FIRMWARE_AP_ADDRESS', NEW_FIRMWARE_AP_ADDRESS, { is: '192.168.4.1' }],
];

/** How often a stage looks, and how long it waits for an answer: a look must not outlast what it looks for. */
const LOOKS: Row[] = [
  [
    '1.3',
    'answers in its access point at once',
    'provision.LOOK_LIMIT_MS',
    provision.LOOK_LIMIT_MS,
    { from: 1000, to: 5000 },
  ],
  [
    '1.3',
    'its access point may be there any moment',
    'provision.LOOK_PAUSE_MS',
    provision.LOOK_PAUSE_MS,
    { from: 100, to: 1000 },
  ],
  [
    '1.5',
    'dials within 25 s of its set-up, later once a minute',
    'SET_UP_MS',
    SET_UP_MS,
    { from: 2 * PATIENCE.nothingArrivedMs, to: 3_600_000 },
  ],
  ['2.2', 'dials again within two minutes', 'CLAIM_MS', CLAIM_MS, { from: 120_001, to: 3_600_000 }],
  [
    '5',
    'dials twice a second',
    'DIALS_EVERY_MS',
    DIALS_EVERY_MS,
    { from: 1000, to: Math.min(PATIENCE.restartMs, PATIENCE.finalStageDialsMs) - 1000 },
  ],
  [
    '5',
    'is away for 10 s at a restart: seen by several looks',
    'finalStagePresence.LOOK_PAUSE_MS',
    finalStagePresence.LOOK_PAUSE_MS,
    { from: 100, to: 1000 },
  ],
  [
    '5',
    'a look must end while it is away',
    'finalStagePresence.PROBE_LIMIT_MS',
    finalStagePresence.PROBE_LIMIT_MS,
    { from: 500, to: WAITS.goneMs },
  ],
  [
    '5',
    'a look must end while it is away',
    'finalStagePresence.PAGE_LIMIT_MS',
    finalStagePresence.PAGE_LIMIT_MS,
    { from: 1000, to: 5000 },
  ],
  ['5', 'a stream that stands still has not ended', 'FLOWING_MS', FLOWING_MS, { is: WAITS.finalStageFlowsMs }],
  [
    '5.4',
    'small devices take their time for a page',
    'newFirmwarePresence.LOOK_LIMIT_MS',
    newFirmwarePresence.LOOK_LIMIT_MS,
    { from: 2000, to: 10_000 },
  ],
  [
    '5.4',
    'a person waits for the answer',
    'newFirmwarePresence.LOOK_PAUSE_MS',
    newFirmwarePresence.LOOK_PAUSE_MS,
    { from: 500, to: 3000 },
  ],
  [
    'ours',
    'others have their turn in between',
    'networkVisit.LOOK_PAUSE_MS',
    networkVisit.LOOK_PAUSE_MS,
    { from: 500, to: 5000 },
  ],
  [
    'ours',
    'what failed is tried again',
    'networkVisit.AGAIN_PAUSE_MS',
    networkVisit.AGAIN_PAUSE_MS,
    { from: 500, to: 10_000 },
  ],
  [
    'ours',
    'who manages the Wi-Fi answers at once',
    'WIFI_NAMES_LIMIT_MS',
    WIFI_NAMES_LIMIT_MS,
    { from: 500, to: 5000 },
  ],
  ['ours', 'a person sees trouble that time alone brings', 'LOOK_MS', LOOK_MS, { from: 250, to: 2000 }],
  ['ours', 'from one node to the next', 'ON_ITS_WAY_MS', ON_ITS_WAY_MS, { from: 1000, to: 30_000 }],
];

const TASMOTA: Row[] = [
  [
    'Tasmota',
    'answers a command within seconds',
    'COMMAND_LIMIT_MS',
    setUp.COMMAND_LIMIT_MS,
    { from: 5000, to: 20_000 },
  ],
  [
    'Tasmota',
    'tries its broker every 10 s and longer',
    'MQTT_LIMIT_MS',
    setUp.MQTT_LIMIT_MS,
    { from: 30_000, to: 180_000 },
  ],
  ['Tasmota', 'is asked now and then', 'MQTT_PAUSE_MS', setUp.MQTT_PAUSE_MS, { from: 500, to: 5000 }],
  ['Tasmota', 'is slow where it starts', 'search.LOOK_LIMIT_MS', search.LOOK_LIMIT_MS, { from: 2000, to: 10_000 }],
  ['Tasmota', 'is looked for now and then', 'search.LOOK_PAUSE_MS', search.LOOK_PAUSE_MS, { from: 500, to: 5000 }],
  [
    'Tasmota',
    'gives its Wi-Fi up after some 20 s',
    'BACK_AFTER_MS',
    accessPointRoad.BACK_AFTER_MS,
    { from: 20_000, to: 60_000 },
  ],
  [
    'Tasmota',
    'answers soon after its access point is there',
    'ANSWER_LIMIT_MS',
    accessPointRoad.ANSWER_LIMIT_MS,
    { from: 10_000, to: 60_000 },
  ],
  ['ours', 'what the radio lacks may pass', 'TRIES', accessPointRoad.TRIES, { from: 2, to: 10 }],
  ['ours', 'what failed is tried again', 'AGAIN_PAUSE_MS', accessPointRoad.AGAIN_PAUSE_MS, { from: 500, to: 10_000 }],
];

/** Limits that servers grant to every client. */
const SERVERS: Row[] = [
  ['5', 'a reset comes a round trip after a close', 'RESET_GRACE_MS', RESET_GRACE_MS, { from: 100, to: 2000 }],
  ['5', 'a connection that stands still is probed', 'KEEP_ALIVE_MS', KEEP_ALIVE_MS, { from: 10_000, to: 120_000 }],
  ['5', 'parts whose progress shows', 'PART_BYTES', PART_BYTES, { from: 4096, to: 65_536 }],
  [
    '2.3',
    'a handshake takes under 1 s',
    'SELF_TEST_LIMIT_MS',
    SELF_TEST_LIMIT_MS,
    { from: 2000, to: HANDSHAKE_LIMIT_MS },
  ],
  ['2.1', 'two connections of an unknown device', 'CONNECTION_LIMITS', CONNECTION_LIMITS.peer, { from: 8, to: 64 }],
  ['ours', 'of all together', 'CONNECTION_LIMITS', CONNECTION_LIMITS.total, { from: 128, to: PORT_LIMIT }],
  ['ours', 'the files of a process', 'PORT_LIMIT', PORT_LIMIT, { from: 256, to: 900 }],
];

const LAN: readonly Row[] = [
  [
    'diy-mode 1.8',
    'without internet silent for two or three minutes',
    'lanUnlockMs',
    WAITS.lanUnlockMs,
    { from: 30_000, to: 180_000 },
  ],
  [
    'diy-mode',
    'asks for the next range once it has written one',
    'lanStalledMs',
    WAITS.lanStalledMs,
    { from: 20_000, to: 60_000 },
  ],
  ['diy-mode', 'takes one request at a time', 'lanLookMs', WAITS.lanLookMs, { from: 200, to: 5000 }],
  ['diy-mode 1.13', "the maker's tool waits 10 s", 'ANSWER_MS', foundDevice.ANSWER_MS, { is: 10_000 }],
  [
    'diy-mode 1.6',
    'answers within moments, and a person waits for the list',
    'survey.ANSWER_MS',
    survey.ANSWER_MS,
    { from: 2000, to: 10_000 },
  ],
  ['diy-mode 1.13', 'a download takes minutes: plan 10', 'REPLY_MS', REPLY_MS, { is: 600_000 }],
  [
    'diy-mode 1.13',
    'is found within seconds of its answer',
    'foundDevice.LOOK_AGAIN_MS',
    foundDevice.LOOK_AGAIN_MS,
    { from: 1000, to: 5000 },
  ],
  [
    'diy-mode 1.13',
    'changes over to DIY mode within seconds, if it does',
    'atHome.LOOK_AGAIN_MS',
    atHome.LOOK_AGAIN_MS,
    { from: 2000, to: 10_000 },
  ],
  [
    'diy-mode 1.13',
    'is away for 20 s and more: seen by several looks',
    'gone.LOOK_LIMIT_MS',
    gone.LOOK_LIMIT_MS,
    { from: 1000, to: 5000 },
  ],
  ['diy-mode 1.6', 'at least 0.2 s between calls, and a click that is heard', 'BETWEEN_MS', BETWEEN_MS, { is: 500 }],
  [
    'diy-mode 2.6',
    'an unfinished request lives 10 s, also in its access point',
    'ANSWER_LIMIT_MS',
    ANSWER_LIMIT_MS,
    { from: 10_000, to: 20_000 },
  ],
  ['diy-mode 1.13', 'a restart takes 20 to 60 s', 'RESCUED_MS', RESCUED_MS, { from: 60_000, to: 120_000 }],
];

/**
 * Every number and word that a device knows too, and every limit that must not fall short of what one may take. Most
 * tests give limits of their own to go fast: only here is it seen what real devices are given.
 */
describe('what is said to devices, and how long they are waited for', () => {
  const all = [
    ...[...ACCESS_POINT, ...CLOUD, ...UPGRADE, ...FINALSTAGE, ...NEW_FIRMWARE, ...OURS],
    ...[...LOOKS, ...TASMOTA, ...SERVERS, ...LAN],
  ];
  for (const [section, fact, name, value, bounds] of all) {
    it(`${name}: ${fact} (stock-firmware.md ${section})`, () => {
      if ('is' in bounds) return assert.equal(value, bounds.is);
      const { from, to } = bounds;
      assert.ok(typeof value === 'number' && value >= from && value <= to, `${String(value)} is not ${from} to ${to}`);
    });
  }

  it('has bounds that tell: within them is neither a tenth nor ten times of what stands there', () => {
    const wide = all.flatMap(([, , name, value, bounds]) => {
      if ('is' in bounds || typeof value !== 'number') return [];
      return value / 10 >= bounds.from || value * 10 <= bounds.to
        ? [`${name} ${value}: ${bounds.from}-${bounds.to}`]
        : [];
    });
    assert.deepEqual(wide, []);
  });

  it('has a row for every patience and every wait', () => {
    const names = all.map(([, , name]) => name);
    const waits = [...Object.keys(PATIENCE), ...Object.keys(WAITS)];
    assert.deepEqual(
      waits.filter((name) => !names.includes(name)),
      [],
    );
  });

  it('sends a fallback version that is newer as a text, in the five characters that some firmware keeps', () => {
    assert.ok(upgrade.FALLBACK_VERSION.length <= 5);
    assert.ok(upgrade.FALLBACK_VERSION > '3.9.9' && upgrade.FALLBACK_VERSION > upgrade.PROVEN_VERSION);
  });
});
