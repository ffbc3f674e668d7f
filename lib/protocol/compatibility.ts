/** Whether stock firmware can be flashed over the air by its own upgrade, before it is tried. */
export interface CompatibilityVerdict {
  /** `uncertain` is attempted with a warning, `unsupported` is not. */
  readonly level: 'supported' | 'uncertain' | 'unsupported';
  /** A clause that goes on a sentence: small letter, no full stop. */
  readonly reason: string;
}

/** One line of what is known: a range of versions, and whose. */
interface Finding extends CompatibilityVerdict {
  /** Absent: every model. */
  readonly models?: readonly string[];
  /** First and last version, as many parts as matter: '1.5' holds every 1.5.x. */
  readonly from: string;
  readonly to: string;
}

/** The model strings that are known; other products have others, and some may share one of these (protocol notes 3.6). */
const BASIC = 'ITA-GZ1-GL';
const S20 = 'PSA-B01-GL';
const TH = 'PSA-BHA-GL';
const POW = 'PSC-B01-GL';
const DUAL = 'PSB-B04-GL';
const T1 = 'PSF-B04-GL';

/** Protocol notes 6, with its sources. The first line that fits decides. */
const FINDINGS: readonly Finding[] = [
  // SonOTA#153, #162, #182; 3.x has DIY mode instead.
  {
    from: '3',
    to: '999',
    level: 'unsupported',
    reason: 'firmware 3.x and newer checks the certificate of its cloud; it has DIY mode',
  },
  // SonOTA#58, #146, #162, #176; MD#28.
  { from: '2.6', to: '2', level: 'unsupported', reason: 'firmware from 2.6 on checks the certificate of its cloud' },
  {
    from: '2.1',
    to: '2.5',
    level: 'unsupported',
    reason: 'no device with firmware 2.1 to 2.5 is known to have been flashed this way',
  },
  // SonOTA#144, #149, #153, #162, #164.
  { from: '1.7', to: '1', level: 'unsupported', reason: 'firmware from 1.7 on checks the certificate of its cloud' },
  // Refused on Basic and S20 (SonOTA#70, #77, #83, #97, #101), but a Touch with 1.6.1 was flashed (SonOTA#21).
  { from: '1.6', to: '1.6', level: 'uncertain', reason: 'firmware 1.6 mostly checks the certificate of its cloud' },

  // SonOTA#167; README.
  {
    models: [BASIC],
    from: '1.2.0',
    to: '1.2.0',
    level: 'supported',
    reason: 'a Basic with 1.2.0 was flashed; it speaks TLS 1.1 only',
  },
  // README says it works, SonOTA#21 tells of 404s.
  {
    models: [BASIC],
    from: '1.5.2',
    to: '1.5.2',
    level: 'uncertain',
    reason: 'reports of the Basic with 1.5.2 conflict',
  },
  { models: [BASIC], from: '1.5.5', to: '1.5.5', level: 'supported', reason: 'many Basics with 1.5.5 were flashed' },
  // SonOTA#21; the string may be that of other one-channel devices too, and an RF with 1.5.2 failed (SonOTA#102).
  {
    models: [S20],
    from: '1.5.2',
    to: '1.5.2',
    level: 'uncertain',
    reason: 'an S20 with 1.5.2 failed when it was served fast, and other devices of this version failed altogether',
  },
  // SonOTA#66.
  { models: [S20], from: '1.5.5', to: '1.5.5', level: 'supported', reason: 'S20s with 1.5.5 were flashed' },
  // README; sf#1, SonOTA#21.
  { models: [DUAL], from: '1.1.0', to: '1.3.0', level: 'supported', reason: 'Duals with 1.1.0 and 1.3.0 were flashed' },
  // SonOTA#4, #10, #36, #56; 2.0.2 dials the plain port 8081.
  { models: [POW], from: '2.0.2', to: '2.0.4', level: 'supported', reason: 'POWs with 2.0.2 and 2.0.4 were flashed' },
  // SonOTA#24, #32, #49; 2.0.1 dials the plain port 8081.
  { models: [TH], from: '2.0.1', to: '2.0.4', level: 'supported', reason: 'THs with 2.0.1 and 2.0.4 were flashed' },
  // T#582: 404 when it was served fast. Nobody reported a paced attempt.
  {
    models: [T1],
    from: '2.0.0',
    to: '2.0.0',
    level: 'uncertain',
    reason: 'a T1 with 2.0.0 failed when it was served fast; paced it has not been reported',
  },
  // SonOTA#156, #162; but a 4CH Pro R2 with 2.0.1, whose string is not known, got stuck in FinalStage (SonOTA#143).
  { models: [T1], from: '2.0.1', to: '2.0.1', level: 'supported', reason: 'T1s with 2.0.1 were flashed' },

  // Lines for whoever has a model string that is not known: S31 (SonOTA#73, #139, #163) and RF Bridge (SonOTA#58, #151) ...
  { from: '1.0', to: '1.1', level: 'uncertain', reason: 'S31 and RF Bridge with 1.0 and 1.1 could not be flashed' },
  // ... RF (SonOTA#102) ...
  {
    from: '1.5.2',
    to: '1.5.2',
    level: 'uncertain',
    reason: 'devices with 1.5.2 failed when they were served fast, and an RF failed altogether',
  },
  // ... and B1 (T#676 against SonOTA#58).
  { from: '2.0.3', to: '2.0.3', level: 'uncertain', reason: 'reports of the B1 with 2.0.3 conflict' },

  { from: '1.2', to: '1.5', level: 'supported', reason: 'firmware up to 1.5 takes any server for its cloud' },
  { from: '2.0', to: '2.0', level: 'supported', reason: 'firmware 2.0 takes any server for its cloud' },
];

/** The verdict on what a device states in its dispatch. A version that is not known is tried rather than refused. */
export function compatibilityOf(model: string, romVersion: string): CompatibilityVerdict {
  const version = parse(romVersion);
  if (version === undefined) return { level: 'uncertain', reason: 'its version is not of a form that is known' };
  const finding = FINDINGS.find(
    ({ models, from, to }) =>
      (models === undefined || models.includes(model)) && compare(version, from) >= 0 && compare(version, to) <= 0,
  );
  if (finding === undefined) return { level: 'uncertain', reason: 'nothing is known of this version' };
  return { level: finding.level, reason: finding.reason };
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
