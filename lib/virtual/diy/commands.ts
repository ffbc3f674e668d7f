import type { HomeNetwork } from '../device/radio';
import type { Command } from './behaviours';
import type { DiyContext } from './context';
import type { LanAnswer } from './lan-answer';
import { changePlug } from './plug-state';
import { checkFlashOrder, type FlashOrder } from './flash-order';
import { unlock } from './unlock';

/** The effects of a command beside its reply. */
export interface CommandEffects {
  readonly ssid: string;
  /** Its state is another one. */
  readonly changed: () => void;
  /** Starts to change its Wi-Fi; returns the reply. */
  readonly moveTo: (network: HomeNetwork) => LanAnswer;
  /** Starts a download; resolves to the reply when that is due. */
  readonly flash: (order: FlashOrder) => Promise<LanAnswer>;
}

type Data = Record<string, unknown>;
type Handler = (
  device: DiyContext,
  data: Data,
  effects: CommandEffects,
  gone: AbortSignal,
) => LanAnswer | Promise<LanAnswer>;

/** No router stands behind a virtual Wi-Fi. */
const BSSID = '02:00:00:00:00:01';

const plugHandler =
  (name: 'switch' | 'startup' | 'pulse'): Handler =>
  ({ plug }, data, { changed }) => {
    if (!changePlug(plug, name, data)) return { error: 422 };
    changed();
    return { error: 0 };
  };

const HANDLERS: Readonly<Record<Command, Handler>> = {
  info: (device, _data, { ssid }) => ({ error: 0, data: infoOf(device, ssid) }),
  switch: plugHandler('switch'),
  startup: plugHandler('startup'),
  pulse: plugHandler('pulse'),
  signal_strength: ({ behaviours }) => ({ error: 0, data: { signalStrength: behaviours.rssi } }),
  wifi: (_device, { ssid, password }, effects) => {
    if (typeof ssid !== 'string' || typeof password !== 'string') return { error: 422 };
    return effects.moveTo({ ssid, password });
  },
  ota_unlock: (device, _data, _effects, gone) => unlock(device, gone),
  ota_flash: (device, data, effects) => {
    if (!device.settings.otaUnlock) return { error: 403 };
    const order = checkFlashOrder(data);
    return typeof order === 'number' ? { error: order } : effects.flash(order);
  },
};

/**
 * What one request comes to (docs/dev/diy-mode.md#1.6, #1.7). Rejects where its connection goes before the answer is known.
 */
export async function answerCommand(
  device: DiyContext,
  { command, body }: { command: string; body: string },
  effects: CommandEffects,
  gone: AbortSignal,
): Promise<LanAnswer> {
  const answer = await answerTo(device, command, body, effects, gone);
  const outcome = typeof answer === 'string' ? answer : `error ${answer.error}`;
  device.log(`port 8081: ${isCommand(command) ? command : 'unknown command'}: ${outcome}`);
  return answer;
}

async function answerTo(
  device: DiyContext,
  command: string,
  body: string,
  effects: CommandEffects,
  gone: AbortSignal,
): Promise<LanAnswer> {
  const { behaviours } = device;
  const request = objectIn(body);
  if (!request) return behaviours.brokenJson === 400 ? { error: 400 } : 'silence';
  if (device.settings.mode === 'ewelink' || behaviours.encrypts) return { error: 401 };
  const refusal = refuseId(device, request['deviceid']);
  if (refusal !== undefined) return refusal;
  if (!isCommand(command)) return 'silence';
  const error = behaviours.errors[command];
  if (error !== undefined) return { error };
  const { data } = request;
  if (!isObject(data)) return { error: 422 };
  return await HANDLERS[command](device, data, effects, gone);
}

/** Which id is taken depends on the version (docs/dev/diy-mode.md#1.6). */
function refuseId({ identity, profile }: DiyContext, deviceid: unknown): LanAnswer | undefined {
  if (deviceid === undefined) return profile.missingId === 'taken' ? undefined : { error: profile.missingId };
  if (deviceid === '') return profile.emptyId === 'taken' ? undefined : 'reset';
  return deviceid === identity.deviceid ? undefined : { error: 404 };
}

function infoOf({ plug, profile, settings, identity, behaviours }: DiyContext, ssid: string): Data {
  const { switch: relay, startup, pulse, pulseWidth } = plug;
  const short = { switch: relay, startup, pulse, pulseWidth, ssid, otaUnlock: settings.otaUnlock };
  if (!profile.longInfo) return short;
  const { romVersion: fwVersion, deviceid } = identity;
  return { ...short, fwVersion, deviceid, bssid: BSSID, signalStrength: behaviours.rssi };
}

function isCommand(command: string): command is Command {
  return Object.hasOwn(HANDLERS, command);
}

function objectIn(body: string): Data | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
