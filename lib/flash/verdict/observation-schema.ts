/** The schema of a stored observation, by its kind: a new kind is added here as well, or the build fails. */

import { ERROR_CODES, type ErrorCode, type ErrorValues } from '../../errors';
import type { ImageRole } from '../../image';
import type { NewFirmwareKind } from '../../protocol/new-firmware';
import type { OtaClass } from '../../protocol/ota-request';
import type { Limit } from '../../server/connection-limits';
import type { Via } from '../../server/device-connection';
import type { HandshakeFailure } from '../../server/tls-failure';
import {
  count,
  flag,
  instant,
  list,
  Mismatch,
  number,
  object,
  oneOf,
  optional,
  text,
  word,
  type Fields,
  type Schema,
} from '../../storage/schema';
import { STAGES } from '../routes';
import { routeName } from '../routes/route-schema';
import type {
  NewFirmwareSighting,
  PageProof,
  Observation,
  ObservationKind,
  OwnAddress,
  Seen,
  StrangerAct,
} from '../observation';
import { storedValues, inWords, words } from './wording-schema';

/** An observation without what all of them have. */
type Body<T> = T extends unknown ? Omit<T, 'at' | 'kind'> : never;

/** Of the variants of an observation the one with this event. */
type Variant<T, E> = T extends { readonly event: infer Known } ? (E extends Known ? T : never) : never;
type EventOf<T> = T extends { readonly event: infer E extends string } ? E : never;

const short = text(1000);
const stage = oneOf(STAGES);
const code: Schema<ErrorCode> = oneOf(ERROR_CODES);
const peer = text(100);
const via = word<Via>({ tls: true, plain: true });
const role = word<ImageRole>({ user1: true, user2: true, final: true });
const finalStageImage = word<'user2' | 'final'>({ user2: true, final: true });
/** Between two looks at a clock that may have been set back meanwhile. */
const elapsedMs = number(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const otaClass = word<OtaClass>({ range: true, 'no-range': true, finalstage: true });

/** The schema of the values of a code. */
export const errorValues: Schema<ErrorValues> = (value, onDropped) => {
  const { reason, what, ...others } = storedValues(value, onDropped);
  return {
    ...others,
    ...(reason === undefined ? {} : { reason: inWords(reason) }),
    ...(what === undefined ? {} : { what: inWords(what) }),
  };
};

const BODIES: { readonly [K in ObservationKind]: Schema<Body<Seen<K>>> } = {
  stage: byEvent<Body<Seen<'stage'>>>({
    began: {
      stage,
      seconds: number(0, Number.MAX_VALUE),
      deviceid: optional(short),
      url: optional(short),
      address: optional(short),
      ports: optional(short),
      isForced: optional(yes),
      intermediate: optional(routeName),
      isResumed: optional(yes),
    },
    over: { stage },
    ended: { stage },
    failed: { stage, code, values: errorValues },
  }),
  addresses: body<'addresses'>({ addresses: list(object<OwnAddress>({ name: short, address: peer })) }),
  'ap-looked': body<'ap-looked'>({
    result: word<Seen<'ap-looked'>['result']>({ silent: true, strange: true, answered: true }),
    joined: flag,
    reason: optional(words),
  }),
  wifi: byEvent<Body<Seen<'wifi'>>>({
    joining: { ssid: short },
    joined: { ssid: short },
    left: { ssid: short },
    failed: { code, values: errorValues },
    lost: { code, values: errorValues },
  }),
  provisioned: body<'provisioned'>({
    answer: word<Seen<'provisioned'>['answer']>({ accepted: true, 'probably-accepted': true }),
    told: optional(peer),
    doubts: optional(words),
    route: optional(routeName),
  }),
  dialled: body<'dialled'>({
    peer,
    port: word<Seen<'dialled'>['port']>({ tls: true, plain: true, images: true }),
    isOld: optional(yes),
  }),
  'tls-failed': body<'tls-failed'>({
    peer,
    failure: word<HandshakeFailure>({
      'certificate-rejected': true,
      'refused-here': true,
      'not-tls': true,
      'broken-off': true,
      timeout: true,
    }),
    code: short,
    reason: words,
    helloSeen: flag,
    isOld: optional(yes),
    isModern: optional(yes),
    isShared: optional(yes),
  }),
  dispatched: body<'dispatched'>({
    peer,
    via,
    deviceid: short,
    model: short,
    romVersion: short,
    isProven: optional(yes),
    count: optional(count),
  }),
  malformed: body<'malformed'>({ peer, reason: words }),
  stranger: body<'stranger'>({
    peer,
    act: word<StrangerAct>({
      browser: true,
      'finalstage-dial': true,
      'finalstage-image': true,
      'other-key': true,
      'second-key': true,
      unlock: true,
      'wrong-signature': true,
    }),
    rival: optional(peer),
  }),
  'connection-refused': body<'connection-refused'>({
    peer,
    limit: word<Limit>({ peer: true, total: true, port: true, handshakes: true, sessions: true }),
  }),
  'left-unregistered': body<'left-unregistered'>({ peer, via }),
  'device-facts': body<'device-facts'>({
    model: optional(short),
    romVersion: optional(short),
    ip: optional(peer),
    mac: optional(short),
    linkMac: optional(short),
    bssid: optional(short),
  }),
  registered: body<'registered'>({ peer, via }),
  ready: body<'ready'>({ peer, via, model: optional(short), romVersion: optional(short) }),
  'upgrade-sent': body<'upgrade-sent'>({ version: short, session: count, isOneHop: optional(yes) }),
  'image-requested': body<'image-requested'>({
    role,
    class: otaClass,
    first: optional(count),
    size: count,
    randPosition: optional(count),
    count: optional(count),
  }),
  'image-sent': body<'image-sent'>({ role, class: otaClass, bytes: count, ms: elapsedMs }),
  'image-ended': body<'image-ended'>({
    role,
    class: otaClass,
    complete: flag,
    bytes: count,
    ms: elapsedMs,
  }),
  acknowledged: body<'acknowledged'>({ error: number(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) }),
  'session-lost': body<'session-lost'>({}),
  'finalstage-looked': body<'finalstage-looked'>({ ownAddress: optional(peer), answered: flag }),
  'finalstage-dialled': body<'finalstage-dialled'>({}),
  'finalstage-requested': body<'finalstage-requested'>({ image: finalStageImage, size: count }),
  'finalstage-stalled': body<'finalstage-stalled'>({ image: finalStageImage, bytes: count }),
  'finalstage-ended': body<'finalstage-ended'>({
    image: finalStageImage,
    how: word<Seen<'finalstage-ended'>['how']>({
      broken: true,
      acknowledged: true,
      delivered: true,
      interrupted: true,
    }),
    bytes: count,
  }),
  'device-info': body<'device-info'>({
    peer,
    romVersion: optional(short),
    isUnlocked: optional(flag),
    rssi: optional(number(-200, 0)),
    isAnnounced: optional(yes),
  }),
  command: body<'command'>({
    command: short,
    result: word<Seen<'command'>['result']>({
      done: true,
      refused: true,
      foreign: true,
      lost: true,
      unreachable: true,
    }),
    error: optional(number(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
  }),
  'unlock-offered': body<'unlock-offered'>({ address: peer, withoutNames: optional(words) }),
  'unlock-asked': body<'unlock-asked'>({
    peer,
    what: word<Seen<'unlock-asked'>['what']>({ name: true, 'other-name': true, service: true, other: true }),
    name: optional(short),
    error: optional(count),
  }),
  'result-reported': body<'result-reported'>({ error: count }),
  'stock-gone': body<'stock-gone'>({
    announcement: optional(word<'gone' | 'there'>({ gone: true, there: true })),
  }),
  'new-firmware-looked': body<'new-firmware-looked'>({
    looks: list(
      object<NewFirmwareSighting>({
        url: short,
        result: word<NewFirmwareSighting['result']>({
          'not-joined': true,
          silent: true,
          refused: true,
          stranger: true,
          page: true,
        }),
        firmware: optional(word<NewFirmwareKind>({ tasmota: true, esphome: true, espurna: true, other: true })),
        version: optional(short),
        proof: optional(word<PageProof>({ mac: true, 'own-network': true, place: true })),
      }),
    ),
  }),
  message: body<'message'>({ direction: word<'in' | 'out'>({ in: true, out: true }), text: text() }),
};

const head = object<{ at: number; kind: ObservationKind }>({
  at: instant,
  kind: oneOf(Object.keys(BODIES) as ObservationKind[]),
});

/** One observation as this version knows it. */
export const observation: Schema<Observation> = (value, onDropped) => {
  const { at, kind } = head(value, onDropped);
  const rest = BODIES[kind](value, onDropped) as Body<Observation>;
  return { at, kind, ...rest } as Observation;
};

function body<K extends ObservationKind>(fields: Fields<Body<Seen<K>>>): Schema<Body<Seen<K>>> {
  return object(fields);
}

/** An observation that comes in variants, each with other properties. */
function byEvent<T>(variants: {
  readonly [E in EventOf<T>]: Fields<Omit<Variant<T, E>, 'event'>>;
}): Schema<T> {
  const schemas = Object.fromEntries(
    Object.entries(variants).map(([event, fields]) => [event, object(fields as Fields<object>)]),
  );
  const which = object<{ event: string }>({ event: oneOf(Object.keys(schemas)) });
  return (value, onDropped) => {
    const { event } = which(value, onDropped);
    const rest = schemas[event]?.(value, onDropped);
    return { event, ...rest } as T;
  };
}

function yes(value: unknown): true {
  if (value !== true) throw new Mismatch('is not true');
  return true;
}
