import { isDeviceId } from '../device-statement';
import { isObject, parseObject } from '../json';

/** The TXT record of an `_ewelink._tcp` service (docs/dev/diy-mode.md#1.5). */
export interface EwelinkRecord {
  readonly deviceid: string | undefined;
  /** `diy_plug` and so on. */
  readonly type: string | undefined;
  /** Of the API; only 1 is known. */
  readonly apivers: number | undefined;
  /** Grows with each change of state; 1 after a boot. */
  readonly seq: number | undefined;
  /** True in eWeLink mode, in which only the owner's key reads what it says. */
  readonly encrypt: boolean;
  /** The state in its data; undefined where none can be read. */
  readonly state: DiyState | undefined;
}

export interface DiyState {
  /** dBm. */
  readonly rssi: number | undefined;
  /** Several channels in place of one switch: newer hardware, such as MINIR3. */
  readonly hasChannels: boolean;
}

/** The state is cut into pieces of 249 bytes (docs/dev/diy-mode.md#1.5). */
const DATA_KEYS = ['data1', 'data2', 'data3', 'data4'];
/** Types are short words. */
const TYPE = /^[\w-]{1,32}$/;

/**
 * Reads the strings of a TXT record, in any order. A key counts the first time it is there, whatever its case, and a
 * string without `=` says nothing (RFC 6763, section 6.4). Never throws.
 */
export function parseEwelinkRecord(strings: readonly Uint8Array[]): EwelinkRecord {
  const values = valuesOf(strings);
  const [deviceid, type] = [values.get('id'), values.get('type')];
  const encrypt = values.get('encrypt')?.toLowerCase() === 'true';
  return {
    deviceid: isDeviceId(deviceid) ? deviceid : undefined,
    type: type !== undefined && TYPE.test(type) ? type : undefined,
    apivers: countOf(values.get('apivers')),
    seq: countOf(values.get('seq')),
    encrypt,
    state: encrypt ? undefined : stateOf(joinedData(values)),
  };
}

/** Values as their bytes, one character for each: a piece of the state may end in the middle of a character. */
function valuesOf(strings: readonly Uint8Array[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const string of strings) {
    const text = Buffer.from(string).toString('latin1');
    const mark = text.indexOf('=');
    const key = text.slice(0, mark).toLowerCase();
    if (mark > 0 && !values.has(key)) values.set(key, text.slice(mark + 1));
  }
  return values;
}

/** Up to the first piece that is missing. */
function joinedData(values: ReadonlyMap<string, string>): string {
  const pieces = DATA_KEYS.map((key) => values.get(key));
  const missing = pieces.indexOf(undefined);
  return Buffer.from(pieces.slice(0, missing < 0 ? undefined : missing).join(''), 'latin1').toString('utf8');
}

function stateOf(data: string): DiyState | undefined {
  if (data === '') return undefined;
  const parsed = parseObject(data);
  if (!('object' in parsed)) return undefined;
  const { rssi, switches } = parsed.object;
  return { rssi: dBm(rssi), hasChannels: Array.isArray(switches) || isObject(switches) };
}

/** A signal strength as devices state it, in dBm; undefined for what cannot be one. */
export function dBm(value: unknown): number | undefined {
  return typeof value === 'number' && value < 0 && value >= -120 ? Math.round(value) : undefined;
}

function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
