/**
 * Tasmota's commands over HTTP: lines in, answers out. Facts: its documentation (Commands, Web API) and source
 * (support_command.ino, xdrv_01_9_webserver.ino); they hold from 6.x to 15.x unless a version is named.
 */

import { FlashError } from '../errors';
import { isObject } from './json';
import type { TermCode } from '../wordings/term';
import { wording, type Wording } from '../wordings/wording';

/** The only user that its web server knows. */
const USER = 'admin';
/** A request of this many characters is not read by any version (INPUT_BUFFER_SIZE of 8.x; newer ones take 1200). */
const LINE_LIMIT = 520;
/** `Status 0` of a full build has about 4 KB. */
const ANSWER_LIMIT = 32_768;
/** Its texts share little room. */
const TEXT_LIMIT = 128;

/** The behaviour of `WifiConfig` where Tasmota does not get into its Wi-Fi. */
export const WifiConfig = {
  /** Opens its access point for three minutes, then tries again. */
  manager: 2,
  /** Tries without end, the default since 6.x: a wrong password then needs its button. */
  retry: 4,
} as const;

/** One command: its name, with its index, and its value. */
export type TasmotaCommand = readonly [name: string, value: string | number];

export type TasmotaAnswer = Readonly<Record<string, unknown>>;

/** The reply to `Status 0`, as far as a set-up needs it. */
export interface TasmotaFacts {
  readonly version: string | undefined;
  /** Six pairs of capitals with colons; of its station, whichever network it is in. */
  readonly mac: string | undefined;
  /** Its name on the network, and of its access point. */
  readonly hostname: string | undefined;
  /** Grows with every boot. */
  readonly bootCount: number | undefined;
  readonly wifiConfig: number | undefined;
  /** 0 is a template. */
  readonly module: number | undefined;
  readonly topic: string | undefined;
  /** Undefined where this version has no such name (before 8.4). */
  readonly deviceName: string | undefined;
  readonly friendlyName: string | undefined;
  readonly mqtt: { readonly host: string; readonly port: number; readonly user: string; readonly connects: number };
}

/**
 * The path that asks for a command. It may hold passwords: it is for sending, never for keeping.
 * @param webPassword where the web server asks for one
 */
export function commandPath(line: string, webPassword?: string): string {
  const login = webPassword === undefined ? '' : `user=${USER}&password=${encodeURIComponent(webPassword)}&`;
  return `/cm?${login}cmnd=${encodeURIComponent(line)}`;
}

/** The object that a command was answered with; undefined where that is no answer of a Tasmota. */
export function readAnswer(body: string): TasmotaAnswer | undefined {
  if (body.length > ANSWER_LIMIT) return undefined;
  try {
    const value: unknown = JSON.parse(body, (key, inner: unknown) => (key === '__proto__' ? undefined : inner));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where the answer is not one to `Status 0`. */
export function readFacts(answer: TasmotaAnswer): TasmotaFacts | undefined {
  const [status, parameters, firmware] = [part(answer, 'Status'), part(answer, 'StatusPRM'), part(answer, 'StatusFWR')];
  const [network, mqtt] = [part(answer, 'StatusNET'), part(answer, 'StatusMQT')];
  if (Object.keys(status).length === 0) return undefined;
  const friendly: unknown = Array.isArray(status['FriendlyName']) ? status['FriendlyName'][0] : status['FriendlyName'];
  return {
    version: text(firmware['Version'])?.replace(/\(.*$/, ''),
    mac: macOf(network['Mac']),
    hostname: text(network['Hostname']),
    bootCount: number(parameters['BootCount']),
    wifiConfig: number(network['WifiConfig']),
    module: number(status['Module']),
    topic: text(status['Topic']),
    deviceName: text(status['DeviceName']),
    friendlyName: text(friendly),
    mqtt: {
      host: text(mqtt['MqttHost']) ?? '',
      port: number(mqtt['MqttPort']) ?? 0,
      user: text(mqtt['MqttUser']) ?? '',
      connects: number(mqtt['MqttCount']) ?? 0,
    },
  };
}

/**
 * The requests that set all of this, in this order and with one restart behind the last of it: a backlog holds the
 * restart that many commands ask for until it is empty. A value in which a backlog would find its own signs goes alone,
 * while a resting backlog holds the restart.
 */
export function linesFor(commands: readonly TasmotaCommand[]): string[] {
  const alone = commands.filter(([, value]) => !fitsBacklog(value));
  const together = commands.filter(([, value]) => fitsBacklog(value));
  const lines: string[] = [];
  for (const command of [...together, ['Restart', 1] as const].map(lineOf)) {
    const last = lines.at(-1);
    const joined = last === undefined ? undefined : `${last}; ${command}`;
    if (joined !== undefined && joined.length < LINE_LIMIT) lines[lines.length - 1] = joined;
    else lines.push(`Backlog ${command}`);
  }
  const isInOne = alone.length === 0 && lines.length === 1;
  return isInOne ? lines : ['Backlog Delay 100; WifiConfig', ...alone.map(lineOf), ...lines];
}

/**
 * Whether Tasmota would store this text as it is.
 *
 * @param what of the setting, for the error, which never quotes the text
 * @throws FlashError `tasmota-setting-unusable`
 */
export function checkSetting(what: TermCode, value: string): void {
  const refuse = (reason: Wording): never => {
    throw new FlashError('tasmota-setting-unusable', { what: wording(what), reason });
  };
  if (value.trim() !== value) refuse(wording('setting-outer-space'));
  // One character of these is a command in itself: empty it, or make it what it was.
  if (/^[012"]$/.test(value)) refuse(wording('setting-sign'));
  if (/\p{Cc}/u.test(value)) refuse(wording('setting-control'));
  if (Buffer.byteLength(value, 'utf8') > TEXT_LIMIT) refuse(wording('setting-long', { limit: TEXT_LIMIT }));
}

/** @throws FlashError `tasmota-setting-unusable` where it is no name for an MQTT topic of one level */
export function checkTopic(value: string): void {
  checkSetting('tasmota-topic', value);
  if (!/^[^\s+#/;%]+$/.test(value)) {
    const reason = wording('setting-topic');
    throw new FlashError('tasmota-setting-unusable', { what: wording('tasmota-topic'), reason });
  }
}

function lineOf([name, value]: TasmotaCommand): string {
  return `${name} ${value}`;
}

function fitsBacklog(value: string | number): boolean {
  const isTemplate = typeof value === 'string' && /^\{[^;]*\}$/.test(value) && readAnswer(value) !== undefined;
  return isTemplate || !/[;{}]/.test(String(value));
}

function part(answer: TasmotaAnswer, name: string): TasmotaAnswer {
  const value = answer[name];
  return isObject(value) ? value : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function macOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^([\da-f]{2}:){5}[\da-f]{2}$/i.test(value) ? value.toUpperCase() : undefined;
}
