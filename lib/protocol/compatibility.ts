import { MDNS_ROWS, VERSION_ROWS, type Level, type FlashMethod } from './compatibility-table';

export type { Level, FlashMethod } from './compatibility-table';

/** By which way a device can get new firmware. */
export interface MethodVerdict {
  readonly method: FlashMethod;
  readonly level: Level;
  /** A clause that goes on a sentence: small letter, no full stop. */
  readonly reason: string;
  /** Where it is known from, such as `SonOTA#58`. */
  readonly source: string;
}

/** Whatever has been seen of a device so far; the more there is, the better the verdict. */
export interface DeviceSighting {
  /** The name of the access point that it shows. */
  readonly apName?: string | undefined;
  readonly deviceid?: string | undefined;
  /** From its dispatch or its register message. */
  readonly model?: string | undefined;
  /** The same; in DIY mode `fwVersion` of its `info`. */
  readonly romVersion?: string | undefined;
  /** Its `_ewelink._tcp` announcement. */
  readonly mdns?: MdnsSighting | undefined;
}

/** What the TXT record of an `_ewelink._tcp` service says (docs/dev/diy-mode.md#1.5). */
export interface MdnsSighting {
  readonly type?: string | undefined;
  /** `true` or 'true' in eWeLink mode; absent or false in DIY mode. */
  readonly encrypt?: boolean | string | undefined;
}

/** The methods that this set of nodes supports from provision to FinalStage. */
const CLOUD_METHODS: readonly FlashMethod[] = ['cloud', 'cloud-slow', 'cloud-http'];

/**
 * The method for a device. An announcement counts most, since only newer firmware makes one; then the version that the
 * device states; an access point's name tells little. What is not known is `unknown`, never a guess.
 */
export function methodOf({ apName, model, romVersion, mdns }: DeviceSighting): MethodVerdict {
  if (mdns) return ofAnnouncement(mdns);
  if (romVersion !== undefined) return ofVersion(model, romVersion);
  if (apName !== undefined) return ofAccessPoint(apName.trim());
  return unknown('nothing is known of it yet: its dispatch tells model and version', 'docs/dev/stock-firmware.md#2.1');
}

/** Whether the flow through the emulated cloud may be tried: its own methods, and what has not been reported yet. */
export function isCloudMethod({ method }: Pick<MethodVerdict, 'method'>): boolean {
  return method === 'unknown' || CLOUD_METHODS.includes(method);
}

function ofVersion(model: string | undefined, romVersion: string): MethodVerdict {
  const version = parse(romVersion);
  if (version === undefined)
    return unknown('its version is not of a form that is known', 'docs/dev/stock-firmware.md#6');
  const row = VERSION_ROWS.find(
    ({ models, from, to }) =>
      (models === undefined || (model !== undefined && models.includes(model))) &&
      compare(version, from) >= 0 &&
      compare(version, to) <= 0,
  );
  if (row === undefined) return unknown('nothing is known of this version', 'docs/dev/stock-firmware.md#6');
  const { method: method, level, reason, source } = row;
  return { method: method, level, reason, source };
}

function ofAnnouncement({ type, encrypt }: MdnsSighting): MethodVerdict {
  if (String(encrypt ?? false).toLowerCase() === 'true') {
    const reason =
      'it announces itself in eWeLink mode; where the model has DIY mode, it must be switched to that first';
    return { method: 'diy', level: 'uncertain', reason, source: 'SonoffLAN' };
  }
  const row = MDNS_ROWS.find(({ types }) => types.includes(type ?? ''));
  if (row) return { method: row.method, level: row.level, reason: row.reason, source: row.source };
  const reason = 'it announces DIY mode, but nobody has reported that a device of this type was flashed through it';
  return { method: 'diy', level: 'uncertain', reason, source: 'SonoffLAN' };
}

function ofAccessPoint(apName: string): MethodVerdict {
  if (apName === 'FinalStage') {
    const reason = 'it has taken the upgrade already and waits in FinalStage; begin the flow there';
    return { method: 'cloud', level: 'supported', reason, source: 'docs/dev/stock-firmware.md#5' };
  }
  if (/^ITEAD-1/i.test(apName)) {
    const reason = 'every stock Sonoff shows this access point, whatever its version; its dispatch tells';
    return unknown(reason, 'docs/dev/stock-firmware.md#1.1, docs/dev/diy-mode.md#1.3');
  }
  return unknown('its access point is not that of a stock Sonoff', 'docs/dev/stock-firmware.md#1.1');
}

function unknown(reason: string, source: string): MethodVerdict {
  return { method: 'unknown', level: 'uncertain', reason, source };
}

function parse(version: string): number[] | undefined {
  return /^\d{1,3}\.\d{1,3}(\.\d{1,3})?$/.test(version) ? version.split('.').map(Number) : undefined;
}

/** Compares only as many parts as the bound has, so 1.5.9 is no later than '1.5'. A part that is missing counts as 0. */
function compare(version: readonly number[], bound: string): number {
  for (const [index, part] of bound.split('.').entries()) {
    const difference = (version[index] ?? 0) - Number(part);
    if (difference !== 0) return difference;
  }
  return 0;
}
