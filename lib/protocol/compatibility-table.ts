/**
 * Which firmware takes which method: what has been reported of it, one row a report (docs/dev/stock-firmware.md#2.3, #4.2
 * and #6, docs/dev/diy-mode.md#1.1).
 */

import type { MethodReason } from '../wordings/method';

/**
 * - `cloud`: the emulated cloud over TLS; it downloads in ranges
 * - `cloud-slow`: the same, but it downloads without ranges and must be served slowly
 * - `cloud-http`: the same without TLS, and at port 8081 whatever port it was given
 * - `diy`: DIY mode, in which it takes new firmware over the LAN
 * - `serial-only`: none over the air is known
 * - `unknown`: nothing is known of it; the cloud may be tried
 */
export type FlashMethod = 'cloud' | 'cloud-slow' | 'cloud-http' | 'diy' | 'serial-only' | 'unknown';

/** How sure it is that the method works: `uncertain` is tried with a warning. */
export type Level = 'supported' | 'uncertain' | 'unsupported';

interface CompatibilityReport {
  readonly method: FlashMethod;
  readonly level: Level;
  readonly reason: MethodReason;
  readonly source: string;
}

interface VersionRow extends CompatibilityReport {
  /** Absent: every model. */
  readonly models?: readonly string[];
  /** First and last version, as many parts as matter: '1.5' holds every 1.5.x. */
  readonly from: string;
  readonly to: string;
}

interface MdnsRow extends CompatibilityReport {
  /** As the TXT record's `type` names them. */
  readonly types: readonly string[];
}

/**
 * The model strings that are known; other products have others, and some may share one of these
 * (docs/dev/stock-firmware.md#3.6).
 */
const BASIC = 'ITA-GZ1-GL';
const S20 = 'PSA-B01-GL';
const TH = 'PSA-BHA-GL';
const POW = 'PSC-B01-GL';
const DUAL = 'PSB-B04-GL';
const T1 = 'PSF-B04-GL';

/** By what a device states of itself. The first row that fits decides. */
export const VERSION_ROWS: readonly VersionRow[] = [
  // Firmware that refuses us, whatever the model.
  {
    from: '3',
    to: '999',
    method: 'diy',
    level: 'uncertain',
    reason: 'version-3',
    source: 'SonOTA#153, #162, #182; docs/dev/diy-mode.md#1.1',
  },
  {
    from: '2.6',
    to: '2',
    method: 'serial-only',
    level: 'unsupported',
    reason: 'version-2.6',
    source: 'SonOTA#58, #146, #162, #176; mdopp/simple-sonoff-server#28',
  },
  {
    from: '2.1',
    to: '2.5',
    method: 'serial-only',
    level: 'unsupported',
    reason: 'version-2.1',
    source: 'docs/dev/stock-firmware.md#6',
  },
  {
    from: '1.7',
    to: '1',
    method: 'serial-only',
    level: 'unsupported',
    reason: 'version-1.7',
    source: 'SonOTA#144, #149, #153, #162, #164',
  },
  {
    // Refused on Basic and S20, but a Touch with 1.6.1 was flashed (SonOTA#21).
    from: '1.6',
    to: '1.6',
    method: 'cloud',
    level: 'uncertain',
    reason: 'version-1.6',
    source: 'SonOTA#21, #70, #77, #83, #97, #101',
  },

  // By model.
  {
    models: [BASIC],
    from: '1.2.0',
    to: '1.2.0',
    method: 'cloud',
    level: 'supported',
    reason: 'basic-1.2.0',
    source: 'SonOTA#167',
  },
  {
    // SonOTA's README says that it works, the thread reports 404s.
    models: [BASIC],
    from: '1.5.2',
    to: '1.5.2',
    method: 'cloud-slow',
    level: 'uncertain',
    reason: 'basic-1.5.2',
    source: 'SonOTA README, SonOTA#21',
  },
  {
    models: [BASIC],
    from: '1.5.5',
    to: '1.5.5',
    method: 'cloud',
    level: 'supported',
    reason: 'basic-1.5.5',
    source: 'SonOTA README, SonOTA#21',
  },
  {
    // The string may be that of other one-channel devices too, and an RF with 1.5.2 failed (SonOTA#102).
    models: [S20],
    from: '1.5.2',
    to: '1.5.2',
    method: 'cloud-slow',
    level: 'uncertain',
    reason: 's20-1.5.2',
    source: 'SonOTA#21, #102',
  },
  {
    models: [S20],
    from: '1.5.5',
    to: '1.5.5',
    method: 'cloud',
    level: 'supported',
    reason: 's20-1.5.5',
    source: 'SonOTA README, SonOTA#66',
  },
  {
    models: [DUAL],
    from: '1.1.0',
    to: '1.2',
    method: 'cloud',
    level: 'supported',
    reason: 'dual-1.1.0',
    source: 'SonOTA README',
  },
  {
    models: [DUAL],
    from: '1.3.0',
    to: '1.3.0',
    method: 'cloud-slow',
    level: 'supported',
    reason: 'dual-1.3.0',
    source: 'sillyfrog/SonOTA#1, SonOTA#21',
  },
  {
    models: [POW],
    from: '2.0.2',
    to: '2.0.2',
    method: 'cloud-http',
    level: 'supported',
    reason: 'pow-2.0.2',
    source: 'SonOTA#4, #10, #36, #56',
  },
  {
    models: [POW],
    from: '2.0.3',
    to: '2.0.4',
    method: 'cloud',
    level: 'supported',
    reason: 'pow-2.0.4',
    source: 'SonOTA#21, #56',
  },
  {
    models: [TH],
    from: '2.0.1',
    to: '2.0.1',
    method: 'cloud-http',
    level: 'supported',
    reason: 'th-2.0.1',
    source: 'SonOTA README, SonOTA#32',
  },
  {
    models: [TH],
    from: '2.0.2',
    to: '2.0.4',
    method: 'cloud',
    level: 'supported',
    reason: 'th-2.0.4',
    source: 'SonOTA#21, #24, #49',
  },
  {
    // There is no report of a paced attempt.
    models: [T1],
    from: '2.0.0',
    to: '2.0.0',
    method: 'cloud-slow',
    level: 'uncertain',
    reason: 't1-2.0.0',
    source: 'arendst/Tasmota#582',
  },
  {
    // But a 4CH Pro R2 with 2.0.1, whose string is not known, got stuck in FinalStage (SonOTA#143).
    models: [T1],
    from: '2.0.1',
    to: '2.0.1',
    method: 'cloud',
    level: 'supported',
    reason: 't1-2.0.1',
    source: 'SonOTA#156, #162',
  },

  // By version, for model strings that are not known.
  {
    from: '1.0',
    to: '1.1',
    method: 'cloud',
    level: 'uncertain',
    reason: 'version-1.0',
    source: 'SonOTA#58, #73, #139, #151, #163',
  },
  {
    from: '1.5.0',
    to: '1.5.0',
    method: 'cloud-http',
    level: 'supported',
    reason: 'version-1.5.0',
    source: 'almeroth.com, docs/dev/stock-firmware.md#2.3',
  },
  {
    from: '1.5.2',
    to: '1.5.2',
    method: 'cloud-slow',
    level: 'uncertain',
    reason: 'version-1.5.2',
    source: 'SonOTA#21, #102',
  },
  {
    from: '2.0.3',
    to: '2.0.3',
    method: 'cloud',
    level: 'uncertain',
    reason: 'version-2.0.3',
    source: 'arendst/Tasmota#676, SonOTA#58',
  },
  {
    from: '1.2',
    to: '1.5',
    method: 'cloud',
    level: 'supported',
    reason: 'version-1.2',
    source: 'SonOTA#21, #58',
  },
  {
    from: '2.0',
    to: '2.0',
    method: 'cloud',
    level: 'supported',
    reason: 'version-2.0',
    source: 'SonOTA#21, #58',
  },
];

/** By what a device in DIY mode announces (docs/dev/diy-mode.md#1.1, #1.5). */
export const MDNS_ROWS: readonly MdnsRow[] = [
  {
    types: ['diy_plug'],
    method: 'diy',
    level: 'supported',
    reason: 'diy-plug',
    source: 'docs/dev/diy-mode.md#1.1; njh/sonoff-ota-flash-cli',
  },
  {
    types: ['diylight'],
    method: 'diy',
    level: 'supported',
    reason: 'diy-d1',
    source: 'itead/Sonoff_Devices_DIY_Tools#137',
  },
  {
    // Its request line lacks the leading slash, which most servers refuse.
    types: ['diy_light'],
    method: 'diy',
    level: 'uncertain',
    reason: 'diy-bulb',
    source: 'itead/Sonoff_Devices_DIY_Tools#129',
  },
  {
    types: ['multifun_switch', 'switch_radar'],
    method: 'serial-only',
    level: 'unsupported',
    reason: 'diy-esp32',
    source: 'SonoffLAN; docs/dev/diy-mode.md#1.1',
  },
];

/** Combinations without a report: for the page of docs/, since no code decides by it. */
export const UNKNOWN_ROWS: readonly { readonly what: string; readonly reason: string; readonly source: string }[] = [
  {
    what: 'firmware 3.8.x with DIY mode',
    reason: 'no flash has been reported; a MINI with 3.8.1 opened no access point',
    source: 'itead/Sonoff_Devices_DIY_Tools#141; docs/dev/diy-mode.md#2.9',
  },
  {
    what: 'newer batches with a BL602 in place of an ESP',
    reason: 'one user names this chip; whether it takes new firmware over the air has not been reported',
    source: 'SonoffLAN#1118; docs/dev/diy-mode.md#2.11',
  },
];
