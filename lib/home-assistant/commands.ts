/** Commands of Home Assistant, or of a person with an MQTT client; and reports of a Wi-Fi scan. */

import { ASKED_AT_ONCE } from '../flash/queue/asked-at-once';
import { isDeviceId } from '../protocol/device-statement';
import { readObject, textOf } from './content';
import { PAYLOAD_INSTALL, PAYLOAD_OFF, PAYLOAD_ON, PAYLOAD_PRESS } from './discovery';
import { sonoffsInReach } from './in-reach';
import { instanceOf, ownerOf } from './instance';
import type { Topics } from './topics';

/** A message of the core node `mqtt in`, or of `sonota-wifi`. */
export interface Incoming {
  readonly topic?: unknown;
  readonly payload?: unknown;
  /** Set where the broker had kept it: it was not said just now. */
  readonly retain?: unknown;
}

export type Command =
  /** `restore`: shows again what was deleted in Home Assistant. */
  | { readonly kind: 'pause' | 'retry' | 'restore' }
  /** So many new devices. */
  | { readonly kind: 'start'; readonly count: number }
  | { readonly kind: 'start-device'; readonly deviceid: string }
  | { readonly kind: 'start-all' }
  | { readonly kind: 'firmware'; readonly name: string }
  | { readonly kind: 'install' | 'remove'; readonly deviceid: string }
  /** Without a device: everything. */
  | { readonly kind: 'cancel'; readonly deviceid?: string }
  /** Without a device: all, those to come included. */
  | { readonly kind: 'arm'; readonly deviceid?: string; readonly isOn: boolean }
  /** These show their own access points. */
  | { readonly kind: 'in-reach'; readonly devices: readonly string[] }
  /** Home Assistant has started, and knows nothing of us. */
  | { readonly kind: 'home-assistant-online' }
  /** Our status topic: the broker is reached. `instance` says it; with `offline` what the broker has of us is wrong. */
  | { readonly kind: 'heard'; readonly says: 'online' | 'offline'; readonly instance?: string }
  /** A device is announced, by whichever instance, or removed. */
  | { readonly kind: 'config'; readonly topic: string; readonly isCleared: boolean; readonly owner?: string }
  /** An instance has received every config that the broker keeps. */
  | { readonly kind: 'configs-heard'; readonly instance: string }
  /** Nothing to do, with the reason for people who look for it. */
  | { readonly kind: 'ignored'; readonly reason: 'retained' | 'payload' | 'topic' };

/**
 * Reads a message. A retained command is ignored: it is not given now, and a Sonoff must not be flashed because a broker
 * started again.
 *
 * @param deviceIds of the devices that we know: a topic holds an id in which not every letter can stand
 */
export function readCommand(topics: Topics, message: Incoming, deviceIds: readonly string[]): Command {
  const { topic, retain } = message;
  const devices = sonoffsInReach(message.payload);
  if (devices) return { kind: 'in-reach', devices };
  const payload = textOf(message.payload);
  if (topic === topics.status) return readStatus(payload);
  if (topic === topics.homeAssistant) {
    // Kept or not: that it runs is still so. Its `offline` asks for nothing.
    return payload === 'online' ? { kind: 'home-assistant-online' } : ignored('payload');
  }
  if (topic === topics.knock) return { kind: 'configs-heard', instance: payload };
  if (typeof topic === 'string' && topics.isConfig(topic)) return readConfig(topic, message.payload);
  if (typeof topic !== 'string' || !topic.startsWith(topics.command(''))) return ignored('topic');
  if (retain === true) return ignored('retained');
  if (topic === topics.command('firmware'))
    return payload === '' ? ignored('payload') : { kind: 'firmware', name: payload };
  if (topic === topics.command('start')) return readStart(message.payload, payload);
  for (const kind of ['pause', 'retry', 'cancel', 'restore'] as const) {
    if (topic === topics.command(kind)) return payload === PAYLOAD_PRESS ? { kind } : ignored('payload');
  }
  if (topic === topics.command('arm')) return switched(payload);
  const armed = deviceIds.find((id) => topic === topics.command('arm', id));
  if (armed !== undefined) return switched(payload, armed);
  for (const [kind, wanted] of [
    ['install', PAYLOAD_INSTALL],
    ['remove', PAYLOAD_PRESS],
    ['cancel', PAYLOAD_PRESS],
  ] as const) {
    const deviceid = deviceIds.find((id) => topic === topics.command(kind, id));
    if (deviceid !== undefined) return payload === wanted ? { kind, deviceid } : ignored('payload');
  }
  return ignored('topic');
}

/** The button means one new device; an object names a device or a number of new ones, or asks for all. */
function readStart(payload: unknown, text: string): Command {
  if (text === PAYLOAD_PRESS) return { kind: 'start', count: 1 };
  const { deviceid, count = 1, all = false, ...others } = readObject(payload) ?? { unreadable: true };
  const isPlain = Object.keys(others).length === 0 && [deviceid === undefined, count === 1, all === false];
  if (!isPlain || isPlain.filter((isLeftOut) => !isLeftOut).length > 1) return ignored('payload');
  if (all === true) return { kind: 'start-all' };
  if (isDeviceId(deviceid)) return { kind: 'start-device', deviceid };
  const isFit = Number.isInteger(count) && Number(count) >= 1 && Number(count) <= ASKED_AT_ONCE;
  return deviceid === undefined && all === false && isFit
    ? { kind: 'start', count: Number(count) }
    : ignored('payload');
}

/** A word that names no instance is the broker's birth message, or that of an older version. */
function readStatus(word: string): Command {
  const instance = instanceOf(word);
  if (instance !== undefined) return { kind: 'heard', says: 'online', instance };
  // A word that was removed is none of ours either.
  if (word === 'offline' || word === '') return { kind: 'heard', says: 'offline' };
  return word === 'online' ? { kind: 'heard', says: 'online' } : ignored('payload');
}

function readConfig(topic: string, payload: unknown): Command {
  const owner = ownerOf(payload);
  const isCleared = payload === undefined || payload === '' || (Buffer.isBuffer(payload) && payload.length === 0);
  return { kind: 'config', topic, isCleared, ...(owner === undefined ? {} : { owner }) };
}

function switched(payload: string, deviceid?: string): Command {
  if (payload !== PAYLOAD_ON && payload !== PAYLOAD_OFF) return ignored('payload');
  return { kind: 'arm', isOn: payload === PAYLOAD_ON, ...(deviceid === undefined ? {} : { deviceid }) };
}

function ignored(reason: 'retained' | 'payload' | 'topic'): Command {
  return { kind: 'ignored', reason };
}
