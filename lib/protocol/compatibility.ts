import { MDNS_ROWS, VERSION_ROWS, type Level, type FlashMethod } from './compatibility-table';
import type { MethodReason } from '../wordings/method';
import { wording, type Wording } from '../wordings/wording';

export type { Level, FlashMethod } from './compatibility-table';

/** By which way a device can get new firmware. */
export interface MethodVerdict {
  readonly method: FlashMethod;
  readonly level: Level;
  /** A clause that follows a sentence: small letter, no full stop. */
  readonly reason: Wording;
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

/** The TXT record of an `_ewelink._tcp` service (docs/dev/diy-mode.md#1.5). */
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
  return unknown('nothing-known', 'docs/dev/stock-firmware.md#2.1');
}

/** Whether the flow through the emulated cloud may be tried: its own methods, and what has not been reported yet. */
export function isCloudMethod({ method }: Pick<MethodVerdict, 'method'>): boolean {
  return method === 'unknown' || CLOUD_METHODS.includes(method);
}

function ofVersion(model: string | undefined, romVersion: string): MethodVerdict {
  const version = parse(romVersion);
  if (version === undefined) return unknown('version-form', 'docs/dev/stock-firmware.md#6');
  const row = VERSION_ROWS.find(
    ({ models, from, to }) =>
      (models === undefined || (model !== undefined && models.includes(model))) &&
      compare(version, from) >= 0 &&
      compare(version, to) <= 0,
  );
  if (row === undefined) return unknown('version-unheard', 'docs/dev/stock-firmware.md#6');
  const { method: method, level, reason, source } = row;
  return { method: method, level, reason: wording(reason), source };
}

function ofAnnouncement({ type, encrypt }: MdnsSighting): MethodVerdict {
  if (String(encrypt ?? false).toLowerCase() === 'true') {
    return { method: 'diy', level: 'uncertain', reason: wording('diy-ewelink'), source: 'SonoffLAN' };
  }
  const row = MDNS_ROWS.find(({ types }) => types.includes(type ?? ''));
  if (row) return { method: row.method, level: row.level, reason: wording(row.reason), source: row.source };
  return { method: 'diy', level: 'uncertain', reason: wording('diy-unreported'), source: 'SonoffLAN' };
}

function ofAccessPoint(apName: string): MethodVerdict {
  if (apName === 'FinalStage') {
    return {
      method: 'cloud',
      level: 'supported',
      reason: wording('in-finalstage'),
      source: 'docs/dev/stock-firmware.md#5',
    };
  }
  if (/^ITEAD-1/i.test(apName)) {
    return unknown('any-access-point', 'docs/dev/stock-firmware.md#1.1, docs/dev/diy-mode.md#1.3');
  }
  return unknown('other-access-point', 'docs/dev/stock-firmware.md#1.1');
}

function unknown(reason: MethodReason, source: string): MethodVerdict {
  return { method: 'unknown', level: 'uncertain', reason: wording(reason), source };
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
