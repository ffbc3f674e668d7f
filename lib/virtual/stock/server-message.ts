/** A server's message, classified by its content alone, as the firmware does (docs/dev/stock-firmware.md#3.4). */
export type ServerMessage =
  | { type: 'registered'; sessionKey: string; config: Heartbeat }
  | { type: 'date' }
  | { type: 'accepted' }
  | { type: 'answered'; config: Heartbeat }
  | { type: 'action'; action: string; sequence: string; json: Record<string, unknown> }
  | { type: 'error'; code: number }
  | { type: 'ignored'; reason: string };

/** The ping settings of a message: undefined where it has none. */
export interface Heartbeat {
  on: boolean | undefined;
  seconds: number | undefined;
}

export interface Known {
  deviceid: string;
  apikey: string;
  /** undefined before the register's reply. */
  sessionKey: string | undefined;
}

const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Reads one message. Whatever does not carry this device's id and the session's key is ignored without a word. */
export function readMessage(text: string, known: Known): ServerMessage {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { type: 'ignored', reason: 'no JSON' };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { type: 'ignored', reason: 'no object' };
  const key = flat(json, 'apikey');
  const error = flat(json, 'error');
  if (flat(json, 'deviceid') !== known.deviceid) return { type: 'ignored', reason: 'another deviceid' };
  if (typeof error === 'number' && error !== 0 && key === known.apikey) return { type: 'error', code: error };
  const config = { on: truth(flat(json, 'hb')), seconds: number(flat(json, 'hbInterval')) };
  if (known.sessionKey === undefined) {
    if (error !== 0 || flat(json, 'params') !== undefined) return { type: 'ignored', reason: 'not registered yet' };
    if (typeof key !== 'string' || key.length !== 36) return { type: 'ignored', reason: 'apikey is not 36 characters' };
    if (key === known.apikey) return { type: 'ignored', reason: 'the session has the factory key' };
    return { type: 'registered', sessionKey: key, config };
  }
  if (key !== known.sessionKey) return { type: 'ignored', reason: 'another apikey' };
  const action = flat(json, 'action');
  if (typeof action === 'string') {
    const sequence = flat(json, 'sequence');
    const usable = typeof sequence === 'string' && sequence.length <= 29;
    return { type: 'action', action, sequence: usable ? sequence : 'invalid', json: json as Record<string, unknown> };
  }
  if (error !== 0) return { type: 'ignored', reason: 'neither an action nor error 0' };
  const date = flat(json, 'date');
  if (date !== undefined) {
    return typeof date === 'string' && DATE.test(date)
      ? { type: 'date' }
      : { type: 'ignored', reason: 'unreadable date' };
  }
  return flat(json, 'params') === undefined ? { type: 'accepted' } : { type: 'answered', config };
}

/** The first value under `key` in the text's order, however deep: the firmware searches names, not places. */
function flat(value: object, key: string): unknown {
  for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
    if (name === key) return inner;
    if (typeof inner === 'object' && inner !== null) {
      const found = flat(inner, key);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function truth(value: unknown): boolean | undefined {
  return typeof value === 'number' ? value !== 0 : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}
