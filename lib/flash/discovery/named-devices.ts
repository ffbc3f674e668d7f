import { isIPv4 } from 'node:net';
import { isObject } from '../../protocol/json';
import { productNamed } from '../../protocol/products';
import { wording, type Wording } from '../../wordings/wording';

/** A Sonoff as another program knows it. */
export interface NamedDevice {
  readonly deviceid?: string | undefined;
  readonly name?: string | undefined;
  /** As the stock firmware states it (PSA-B01-GL). */
  readonly model?: string | undefined;
  /** The name of its model, as people write it. */
  readonly product?: string | undefined;
  readonly version?: string | undefined;
  /** New firmware that it runs by now, by name. */
  readonly firmware?: string | undefined;
  /** IPv4. */
  readonly address?: string | undefined;
  /** Lower case, with colons. */
  readonly mac?: string | undefined;
}

/** More than any home has. */
const MOST_ENTRIES = 1000;
const LONGEST_JSON = 4_000_000;
const LONGEST_TEXT = 64;
/** An export wraps its list a few times at most. */
const DEPTH = 6;

/** Where exports keep their lists, the outermost first. */
const WRAPPERS = ['result', 'data', 'devices', 'thingList', 'devicelist', 'itemData'];
/** The properties that make an object an entry. */
const MARKS = [
  'deviceid',
  'manufacturer',
  'brandName',
  'model',
  'productModel',
  'sw_version',
  'fwVersion',
  'identifiers',
];

const FIELDS = {
  name: ['name_by_user', 'name', 'deviceName'],
  brand: ['manufacturer', 'brandName', 'brand'],
  model: ['model', 'productModel', 'product_model', 'extra.model', 'model_id'],
  modelId: ['model_id', 'extra.model', 'model'],
  version: ['sw_version', 'swVersion', 'fwVersion', 'params.fwVersion', 'romVersion', 'version', 'firmware'],
  deviceid: ['deviceid', 'device_id', 'serial_number', 'id'],
  address: ['address', 'ip', 'ip_address', 'host', 'configuration_url'],
  mac: ['mac', 'mac_address', 'staMac', 'params.staMac', 'extra.mac'],
} as const;

/** Brands under which the maker's devices are listed. */
const BRAND = /sonoff|itead|e-?welink|coolkit/i;
/** Whose identifiers are device ids. */
const DOMAINS = ['sonoff', 'ewelink', 'sonota'];
/** All device ids seen so far. */
const DEVICE_ID = /(?:^|_)(10[\da-f]{8})$/i;
/** How the stock firmware writes a model. */
const FACTORY_MODEL = /^[A-Z]{3}-[A-Z\d]{3}-[A-Z]{2}$/;
const VERSION = /(?<![\d.])\d{1,3}\.\d{1,3}(?:\.\d{1,3})?(?![\d.])/;
/** The firmware that can be on a Sonoff in place of the stock one. */
const NEW_FIRMWARE = ['Tasmota', 'ESPHome', 'ESPurna', 'ESPEasy', 'WLED', 'OpenBeken'];

type Entry = Readonly<Record<string, unknown>>;

/**
 * The Sonoffs in what another program exports: a list of Home Assistant's device registry, its file
 * `core.device_registry`, what the eWeLink API or an integration of it lists, each as objects or as JSON. What is no
 * Sonoff is left out. Never throws.
 *
 * @returns a reason where it is nothing of the kind
 */
export function readNamedDevices(
  given: unknown,
): { readonly devices: readonly NamedDevice[] } | { readonly reason: Wording } {
  const parsed = typeof given === 'string' ? parsedOf(given) : given;
  if (typeof parsed !== 'object' || parsed === null) {
    return { reason: wording('value-no-devices') };
  }
  const entries = entriesIn(parsed, DEPTH);
  if (entries.length > MOST_ENTRIES) return { reason: wording('value-many-entries', { limit: MOST_ENTRIES }) };
  return { devices: entries.flatMap((entry) => deviceIn(entry) ?? []) };
}

function parsedOf(json: string): unknown {
  if (json.length > LONGEST_JSON) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function entriesIn(value: unknown, depth: number): Entry[] {
  if (depth === 0) return [];
  if (Array.isArray(value)) return value.flatMap((one) => entriesIn(one, depth - 1));
  if (!isObject(value)) return [];
  if (MARKS.some((mark) => mark in value)) return [value];
  const wrapper = WRAPPERS.find((name) => typeof value[name] === 'object' && value[name] !== null);
  if (wrapper !== undefined) return entriesIn(value[wrapper], depth - 1);
  // By their ids.
  return Object.entries(value).flatMap(([key, one]) =>
    entriesIn(isObject(one) && idIn(key) !== undefined ? { deviceid: key, ...one } : one, depth - 1),
  );
}

function deviceIn(entry: Entry): NamedDevice | undefined {
  const [brand, written] = [textAt(entry, FIELDS.brand), textAt(entry, FIELDS.model)];
  const deviceid = deviceidOf(entry);
  const isSonoff =
    BRAND.test(brand ?? '') ||
    /sonoff/i.test(written ?? '') ||
    deviceid !== undefined ||
    (brand === undefined && written !== undefined && productNamed(written) !== undefined);
  if (!isSonoff) return undefined;
  const stated = textAt(entry, FIELDS.version) ?? '';
  const firmware = NEW_FIRMWARE.find((name) =>
    `${brand} ${written} ${stated}`.toLowerCase().includes(name.toLowerCase()),
  );
  return {
    deviceid,
    name: textAt(entry, FIELDS.name),
    model: textsAt(entry, FIELDS.modelId).find((one) => FACTORY_MODEL.test(one)),
    product: textsAt(entry, FIELDS.model).find((one) => !FACTORY_MODEL.test(one)),
    version: VERSION.exec(stated)?.[0],
    firmware,
    address: addressOf(entry),
    mac: macOf(entry),
  };
}

function deviceidOf(entry: Entry): string | undefined {
  const { identifiers } = entry;
  const named = (Array.isArray(identifiers) ? identifiers : []).flatMap((one: unknown) => {
    const [domain, id] = Array.isArray(one) ? (one as unknown[]) : ['', one];
    if (typeof id !== 'string') return [];
    return (typeof domain === 'string' && DOMAINS.includes(domain)) || id.startsWith('sonota_') ? [id] : [];
  });
  return [...textsAt(entry, FIELDS.deviceid), ...named].map(idIn).find((id) => id !== undefined);
}

function idIn(text: string): string | undefined {
  return DEVICE_ID.exec(text)?.[1]?.toLowerCase();
}

function addressOf(entry: Entry): string | undefined {
  return textsAt(entry, FIELDS.address)
    .map((text) => (URL.canParse(text) ? new URL(text).hostname : text))
    .find((one) => isIPv4(one));
}

function macOf(entry: Entry): string | undefined {
  const { connections } = entry;
  const connected = (Array.isArray(connections) ? connections : []).flatMap((one: unknown) => {
    const [kind, mac] = Array.isArray(one) ? (one as unknown[]) : [];
    return kind === 'mac' && typeof mac === 'string' ? [mac] : [];
  });
  return [...connected, ...textsAt(entry, FIELDS.mac)]
    .map((mac) => mac.toLowerCase().replaceAll('-', ':'))
    .find((mac) => /^([\da-f]{2}:){5}[\da-f]{2}$/.test(mac));
}

function textAt(entry: Entry, paths: readonly string[]): string | undefined {
  return textsAt(entry, paths)[0];
}

/** The texts at these paths, in one line, in the order of the paths. */
function textsAt(entry: Entry, paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const value = path.split('.').reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), entry);
    if (typeof value !== 'string' && typeof value !== 'number') return [];
    const text = String(value)
      .replace(/\p{C}+/gu, ' ')
      .trim();
    return text === '' ? [] : [shortened(text)];
  });
}

/** Cut between characters: half of an emoji is no text. */
function shortened(text: string): string {
  return text.length <= LONGEST_TEXT ? text : Array.from(text).slice(0, LONGEST_TEXT).join('');
}
