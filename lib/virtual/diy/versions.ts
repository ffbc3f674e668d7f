/** The stock firmware that this device can have, one for each difference that is known (docs/dev/diy-mode.md#1.1). */
export type DiyVersion = '3.0.0' | '3.1.0' | '3.3.0' | '3.5.0' | '3.6.0' | '3.7.6' | '3.8.1';

/** The differences of a stock firmware from the one before it. */
export interface DiyProfile {
  /** How it gets into DIY mode; 3.0.0 has none (docs/dev/diy-mode.md#1.1). */
  readonly entersBy: 'nothing' | 'jumper' | 'button';
  /** Whether `GET /device` states a chip id: seen on 3.5.0 (docs/dev/diy-mode.md#2.6). */
  readonly statesChipId: boolean;
  /** `data` of a reply: an object, or JSON in a string (docs/dev/diy-mode.md#1.6). */
  readonly dataAs: 'object' | 'string';
  /** The reply to a request without a `deviceid`: `taken`, or this error. */
  readonly missingId: 'taken' | 422;
  /** The reply to an empty `deviceid` (docs/dev/diy-mode.md#1.6). */
  readonly emptyId: 'taken' | 'reset';
  /** `info` with what DIY 2.0 adds (docs/dev/diy-mode.md#1.6). */
  readonly longInfo: boolean;
  /** `sledOnline` in its state (docs/dev/diy-mode.md#1.5). */
  readonly hasLedState: boolean;
  /** TXT with `encrypt=false` and an `iv`, as 3.1.0 sends it (docs/dev/diy-mode.md#1.5). */
  readonly statesNoEncryption: boolean;
  /** The `Host` of its downloads (docs/dev/diy-mode.md#1.11). Which build has which is not known. */
  readonly downloadHost: DownloadHost;
}

/** The vendor's name whatever the URL says, the URL's host without or with its port, or no `Host` at all. */
export type DownloadHost = 'vendor' | 'url' | 'url-and-port' | 'none';

const JUMPER: DiyProfile = {
  entersBy: 'jumper',
  statesChipId: false,
  dataAs: 'string',
  missingId: 422,
  emptyId: 'taken',
  longInfo: false,
  hasLedState: false,
  statesNoEncryption: false,
  downloadHost: 'vendor',
};

const BUTTON: DiyProfile = {
  ...JUMPER,
  entersBy: 'button',
  statesChipId: true,
  dataAs: 'object',
  missingId: 'taken',
  longInfo: true,
  hasLedState: true,
};

const PROFILES: Readonly<Record<DiyVersion, DiyProfile>> = {
  '3.0.0': { ...JUMPER, entersBy: 'nothing' },
  '3.1.0': { ...JUMPER, hasLedState: true, statesNoEncryption: true },
  '3.3.0': JUMPER,
  '3.5.0': BUTTON,
  '3.6.0': BUTTON,
  '3.7.6': { ...BUTTON, emptyId: 'reset', downloadHost: 'url' },
  // Nothing is known of it but that it exists (docs/dev/diy-mode.md#2.9).
  '3.8.1': { ...BUTTON, emptyId: 'reset', downloadHost: 'url-and-port' },
};

export const DIY_VERSIONS = Object.keys(PROFILES) as DiyVersion[];

export function profileOf(version: DiyVersion): DiyProfile {
  return PROFILES[version];
}
