import { MDNS_ROWS, VERSION_ROWS, type Level, type Road } from './road-table';

export type { Level, Road } from './road-table';

/** By which way a device can get new firmware. */
export interface RoadVerdict {
  readonly road: Road;
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

/** The roads that this set of nodes goes from provision to FinalStage. */
const CLOUD_ROADS: readonly Road[] = ['cloud', 'cloud-slow', 'cloud-plain'];

/**
 * The road for a device. An announcement counts most, since only newer firmware makes one; then the version that the
 * device states; an access point's name tells little. What is not known is `unknown`, never a guess.
 */
export function roadOf({ apName, model, romVersion, mdns }: DeviceSighting): RoadVerdict {
  if (mdns) return ofAnnouncement(mdns);
  if (romVersion !== undefined) return ofVersion(model, romVersion);
  if (apName !== undefined) return ofAccessPoint(apName.trim());
  return unknown('nothing is known of it yet: its dispatch tells model and version', 'docs/dev/stock-firmware.md#2.1');
}

/** Whether the flow through the emulated cloud may be tried: its own roads, and what nobody has reported on. */
export function isCloudRoad({ road }: Pick<RoadVerdict, 'road'>): boolean {
  return road === 'unknown' || CLOUD_ROADS.includes(road);
}

function ofVersion(model: string | undefined, romVersion: string): RoadVerdict {
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
  const { road, level, reason, source } = row;
  return { road, level, reason, source };
}

function ofAnnouncement({ type, encrypt }: MdnsSighting): RoadVerdict {
  if (String(encrypt ?? false).toLowerCase() === 'true') {
    const reason =
      'it announces itself in eWeLink mode; where the model has DIY mode, it must be switched to that first';
    return { road: 'diy', level: 'uncertain', reason, source: 'SonoffLAN' };
  }
  const row = MDNS_ROWS.find(({ types }) => types.includes(type ?? ''));
  if (row) return { road: row.road, level: row.level, reason: row.reason, source: row.source };
  const reason = 'it announces DIY mode, but nobody has reported that a device of this type was flashed through it';
  return { road: 'diy', level: 'uncertain', reason, source: 'SonoffLAN' };
}

function ofAccessPoint(apName: string): RoadVerdict {
  if (apName === 'FinalStage') {
    const reason = 'it has taken the upgrade already and waits in FinalStage; begin the flow there';
    return { road: 'cloud', level: 'supported', reason, source: 'docs/dev/stock-firmware.md#5' };
  }
  if (/^ITEAD-1/i.test(apName)) {
    const reason = 'every stock Sonoff shows this access point, whatever its version; its dispatch tells';
    return unknown(reason, 'docs/dev/stock-firmware.md#1.1, docs/dev/diy-mode.md#1.3');
  }
  return unknown('its access point is not that of a stock Sonoff', 'docs/dev/stock-firmware.md#1.1');
}

function unknown(reason: string, source: string): RoadVerdict {
  return { road: 'unknown', level: 'uncertain', reason, source };
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
