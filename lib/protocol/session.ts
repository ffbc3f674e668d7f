import { FlashError } from '../errors';
import { isApiKey, isDeviceId, readDeviceStatement, type DeviceStatement } from './device-statement';
import { asciiJson, isObject, parseObject } from './json';
import { upgradeCommand, type UpgradeOffer } from './upgrade';
import { wording, type Wording } from '../wordings/wording';

/** Where a device opens its WebSocket (docs/dev/stock-firmware.md#3.1). */
export const WEBSOCKET_PATH = '/api/ws';

/** How long a device is given, in ms after its first update, to send the query that some firmware never sends. */
export const QUERY_GRACE_MS = 2000;

/**
 * How often a device is asked to ping, in s, as the vendor's cloud asks; it adds up to 7 s
 * (docs/dev/stock-firmware.md#3.3).
 */
export const HEARTBEAT_SECONDS = 145;

/**
 * Length of every key in the field; the device copies a session key of this length only
 * (docs/dev/stock-firmware.md#3.4).
 */
export const SESSION_KEY_LENGTH = 36;

/** The device at the other end. `apikey` is its own key, a secret. */
export type SessionDevice = DeviceStatement;

export type SessionEvent =
  | { readonly type: 'message'; readonly text: string; readonly now: Date }
  | { readonly type: 'binary' }
  /** The time of the last `wait-for-query` is over. */
  | { readonly type: 'query-grace-over' }
  | { readonly type: 'upgrade'; readonly offer: UpgradeOffer; readonly now: Date };

export type SessionAction =
  /** One text frame: ASCII, under 2000 bytes. */
  | { readonly type: 'send'; readonly text: string }
  /** Arm a timer, in place of any earlier one, and come back with `query-grace-over`. */
  | { readonly type: 'wait-for-query'; readonly ms: number }
  | { readonly type: 'registered'; readonly device: SessionDevice }
  /** A register that is not taken: the session is as it was before. */
  | { readonly type: 'refused'; readonly device: SessionDevice }
  /** The device takes an upgrade from now on. Once a session. */
  | { readonly type: 'ready' }
  /** The device's verdict on one of our upgrades, once for each. */
  | { readonly type: 'acknowledged'; readonly error: number; readonly sequence: string }
  /** The values of a device's update, such as fwVersion, rssi, staMac. */
  | { readonly type: 'reported'; readonly params: Record<string, unknown> }
  /** Not its protocol. The reason quotes nothing of the message. */
  | { readonly type: 'malformed'; readonly reason: Wording };

export interface DeviceSessionOptions {
  sessionKey: string;
  admits?: (device: SessionDevice) => boolean;
}

type SessionMessage = Readonly<Record<string, unknown>>;

/**
 * The cloud's side of one WebSocket connection of one device: what came in, what must go out
 * (docs/dev/stock-firmware.md#3.4 to #3.8). It has no socket, timer or clock. A device's message never makes it throw.
 */
export class DeviceSession {
  readonly #sessionKey: string;
  readonly #admits: (device: SessionDevice) => boolean;
  readonly #unacknowledged = new Set<string>();
  #device: SessionDevice | undefined;
  #waitsForQuery = false;
  #ready = false;
  #lastSequence = 0;

  /**
   * @param options.sessionKey 36 characters of our own making, new for each connection, so never the device's own key
   * @param options.admits whether the peer that registers may be the device that it names; asked at every register
   */
  constructor({ sessionKey, admits = () => true }: DeviceSessionOptions) {
    if (sessionKey.length !== SESSION_KEY_LENGTH || !isApiKey(sessionKey)) {
      throw new RangeError(`a session key has ${SESSION_KEY_LENGTH} printable characters`);
    }
    this.#sessionKey = sessionKey;
    this.#admits = admits;
  }

  /** The registered device, once there is one. */
  get device(): SessionDevice | undefined {
    return this.#device;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /**
   * @returns what to do, in this order
   * @throws FlashError only for our own `upgrade`: `upgrade-malformed`, or `unexplained` before the session is ready
   */
  handle(event: SessionEvent): SessionAction[] {
    switch (event.type) {
      case 'message':
        return this.#message(event.text, event.now);
      case 'binary':
        return malformed(wording('binary'));
      case 'query-grace-over':
        return this.#waitsForQuery ? this.#becomeReady() : [];
      case 'upgrade':
        return this.#upgrade(event.offer, event.now);
    }
  }

  #message(text: string, now: Date): SessionAction[] {
    const parsed = parseObject(text);
    if ('reason' in parsed) return malformed(parsed.reason);
    const message = parsed.object;
    if (message['action'] === 'register') return this.#register(message);
    if (typeof message['action'] === 'string') return this.#request(message['action'], message, now);
    if (typeof message['error'] === 'number') return this.#answer(message['error'], message);
    return malformed(wording('without-action'));
  }

  /** Also in the middle of a session: a device that lost its key starts over on the same connection. */
  #register(message: SessionMessage): SessionAction[] {
    const read = readDeviceStatement(message);
    if ('reason' in read) return malformed(read.reason);
    const { device } = read;
    if (this.#device !== undefined && this.#device.deviceid !== device.deviceid) {
      return malformed(wording('registers-as-another'));
    }
    // A device that still holds a session key drops it for its own, by which it is known
    // (docs/dev/stock-firmware.md#3.4).
    if (device.apikey === this.#sessionKey || !this.#admits(device)) {
      return [notRegistered(device.deviceid, device.apikey), { type: 'refused', device }];
    }
    this.#device = device;
    this.#waitsForQuery = false;
    return [this.#reply(device, { config: { hb: 1, hbInterval: HEARTBEAT_SECONDS } }), { type: 'registered', device }];
  }

  #request(action: string, message: SessionMessage, now: Date): SessionAction[] {
    const { deviceid, apikey } = message;
    if (!isDeviceId(deviceid)) return malformed(wording('field-unusable', { field: 'deviceid' }));
    if (!isApiKey(apikey)) return malformed(wording('field-unusable', { field: 'apikey' }));
    const device = this.#device;
    if (device !== undefined && device.deviceid !== deviceid) return malformed(wording('names-another'));
    if (device === undefined || apikey !== this.#sessionKey) {
      return [notRegistered(deviceid, apikey), ...malformed(wording('not-registered'))];
    }
    switch (action) {
      case 'date':
        // Exactly three digits of milliseconds and a Z, which toISOString always writes
        // (docs/dev/stock-firmware.md#3.4).
        return [this.#reply(device, { date: now.toISOString() })];
      case 'update':
        return this.#update(device, message['params']);
      case 'query':
        // 0 is how the vendor's server says that nothing is stored (docs/dev/stock-firmware.md#3.4).
        return [this.#reply(device, { params: 0 }), ...this.#becomeReady()];
      default:
        // The vendor's servers answer everything; a device that waits for an answer may hold back what it sends next.
        return [this.#reply(device)];
    }
  }

  #update(device: SessionDevice, params: unknown): SessionAction[] {
    // No params and no date in this answer: the device tells its kind by them (docs/dev/stock-firmware.md#3.4).
    const actions: SessionAction[] = [this.#reply(device)];
    if (isObject(params)) actions.push({ type: 'reported', params });
    if (!this.#ready && !this.#waitsForQuery) {
      this.#waitsForQuery = true;
      actions.push({ type: 'wait-for-query', ms: QUERY_GRACE_MS });
    }
    return actions;
  }

  /**
   * An answer to something we sent. The sequence alone says to what; deviceid and apikey may be missing, because losing
   * the verdict of a whole download over a formality would be of no use.
   */
  #answer(error: number, message: SessionMessage): SessionAction[] {
    const { deviceid, sequence } = message;
    if (deviceid !== undefined && deviceid !== this.#device?.deviceid) return malformed(wording('names-another'));
    if (typeof sequence !== 'string' || !this.#unacknowledged.delete(sequence)) return [];
    return [{ type: 'acknowledged', error, sequence }];
  }

  #upgrade(offer: UpgradeOffer, now: Date): SessionAction[] {
    const device = this.#device;
    if (device === undefined || !this.#ready) {
      throw new FlashError('unexplained', { reason: wording('session-not-ready') });
    }
    const number = Math.max(now.getTime(), this.#lastSequence + 1);
    const sequence = String(number);
    const text = upgradeCommand(device, this.#sessionKey, sequence, offer);
    this.#lastSequence = number;
    this.#unacknowledged.add(sequence);
    return [{ type: 'send', text }];
  }

  #becomeReady(): SessionAction[] {
    this.#waitsForQuery = false;
    if (this.#ready) return [];
    this.#ready = true;
    return [{ type: 'ready' }];
  }

  /**
   * Every message to a device carries its id and the session's key, or it is silently ignored
   * (docs/dev/stock-firmware.md#3.4).
   */
  #reply({ deviceid }: SessionDevice, more: SessionMessage = {}): SessionAction {
    return { type: 'send', text: asciiJson({ error: 0, deviceid, apikey: this.#sessionKey, ...more }) };
  }
}

/**
 * The answer to a request with a key that is not this session's: a device that still holds the key of an earlier
 * connection, or that never registered. It takes only messages that carry the key it holds itself, so our own key would
 * be lost on it, and so the key comes back as it was sent, with 404, "not registered": then it registers
 * (docs/dev/stock-firmware.md#3.4). Its key is not taken over instead, because without a register there is no model, and
 * an upgrade needs that.
 */
function notRegistered(deviceid: string, apikey: string): SessionAction {
  return { type: 'send', text: asciiJson({ error: 404, deviceid, apikey }) };
}

function malformed(reason: Wording): SessionAction[] {
  return [{ type: 'malformed', reason }];
}
