import { productNamed, type Product, type ProductKind } from './products';
import { methodOf, type MdnsSighting, type MethodVerdict } from './compatibility';

/**
 * The way for a person to put new firmware on a Sonoff:
 * - `diy`: DIY mode, in which it is now
 * - `diy-button`: DIY mode, after its button was held for 5 s and again for 5 s
 * - `diy-jumper`: DIY mode, which its firmware enters by a jumper alone, or not at all
 * - `cloud`: the emulated cloud
 * - `account`: its owner's eWeLink account alone, which these nodes do not use
 * - `serial`: a serial adapter
 * - `none`: there is none, or none is needed
 * - `unknown`: it depends on what is not known yet
 */
export const METHODS = {
  diy: 'DIY mode, now',
  'diy-button': 'DIY mode, after 5 s + 5 s on the button',
  'diy-jumper': 'DIY mode, after an update or by its jumper',
  cloud: 'emulated cloud',
  account: 'owner’s account (not supported here)',
  serial: 'serial adapter',
  none: 'none',
  unknown: 'not known yet',
} as const;

export type Method = keyof typeof METHODS;

/** Why, for people. The build puts them into the catalogue of `sonota-host`. */
export const REASONS = {
  'diy-now': 'It is in DIY mode: diy flash can flash it.',
  'diy-now-unproven': 'It is in DIY mode, but no flash of this type of device has been reported. It can be tried.',
  'diy-now-newer': 'It is in DIY mode, but no flash of firmware {version} has been reported. It can be tried.',
  'diy-button': 'Its model has DIY mode. Hold its button for 5 s, release it, and hold it for 5 s again.',
  'diy-button-newer':
    'Hold its button for 5 s, release it, and hold it for 5 s again. No flash of firmware {version} has been reported.',
  'diy-button-maybe':
    'It has firmware 3.x. If its model has DIY mode, hold its button for 5 s, release it, and hold it for 5 s again.',
  'diy-update-first': 'Firmware {version} has no DIY mode yet. Update the device in the eWeLink app first.',
  'diy-jumper':
    'Firmware {version} enters DIY mode by a jumper, to be fitted while the device is disconnected from mains. Updated in the eWeLink app, it needs none.',
  cloud: 'Firmware {version} takes any server for its cloud: flash sonoff can flash it.',
  'cloud-maybe': 'Firmware {version} takes the emulated cloud on some devices only. It can be tried.',
  'cloud-unreported': 'Nothing is known of firmware {version}. The emulated cloud can be tried.',
  account:
    'It has no DIY mode, and its firmware checks the certificate of its cloud. Most models take a serial adapter.',
  certificate: 'Firmware {version} checks the certificate of its cloud, and has no DIY mode.',
  'account-only': 'It is built on another chip, and takes new firmware from its owner’s account alone.',
  'other-chip': 'It is built on another chip, of which no flash over the air is known.',
  locked: 'Its chip starts nothing but the firmware of the maker.',
  zigbee: 'It speaks Zigbee, and has no firmware for Wi-Fi.',
  'other-firmware': 'It runs {firmware} already.',
  'access-point': 'Its own Wi-Fi is in sight. flash sonoff and provision ask it, and choose the method.',
  'version-missing': 'It depends on its firmware version, which is not known.',
  unknown: 'Nothing is known of this model.',
} as const satisfies Record<string, string>;

export type Reason = keyof typeof REASONS;

/** How sure it is that the method works, as in the table of what was reported. */
export type Confidence = MethodVerdict['level'];

export interface Recommendation {
  readonly method: Method;
  readonly confidence: Confidence;
  readonly reason: Reason;
  /** Fills the reason. */
  readonly values: Readonly<Record<string, string>>;
  /** Where it is known from, with what was reported. */
  readonly source: string;
}

/** The known facts of a Sonoff, from whatever source. */
export interface KnownFacts {
  /** As it states it (PSA-B01-GL). */
  readonly model?: string | undefined;
  /** The name of its model, as people write it. */
  readonly product?: string | undefined;
  /** Of the firmware that runs on it. */
  readonly version?: string | undefined;
  /** New firmware that it runs by now, by name. */
  readonly firmware?: string | undefined;
  readonly announcement?: MdnsSighting | undefined;
  /** It stated several channels, as devices with another chip do. */
  readonly hasChannels?: boolean | undefined;
  /** A stock server answered at its address, but took no DIY commands. */
  readonly isLocked?: boolean | undefined;
  /** Its own access point is in sight. */
  readonly isAccessPoint?: boolean | undefined;
}

/** The newest firmware that was flashed in DIY mode (docs/dev/diy-mode.md#2.9). */
const NEWEST_FLASHED = [3, 7, 6];
/** Without DIY mode (docs/dev/diy-mode.md#1.1). */
const BEFORE_DIY = [3, 0];
/** Earlier versions enter DIY mode by their jumper (docs/dev/diy-mode.md#1.1). */
const FIRST_BY_BUTTON = [3, 5];
/** Types of announcements of products that have no DIY mode (docs/dev/diy-mode.md#1.1). */
const TYPES_WITHOUT_DIY = ['enhanced_plug', 'th_plug', 'strip', 'rf', 'fan_light'];
const FACTS = 'docs/dev/diy-mode.md#1.1, #2.11';

/** How a Sonoff can be flashed, and why. What is not known is never guessed. */
export function recommend(facts: KnownFacts): Recommendation {
  const { announcement, firmware, product: name, version } = facts;
  const product = name === undefined ? undefined : productNamed(name);
  if (firmware !== undefined) return because('none', 'supported', 'other-firmware', FACTS, { firmware });
  if (product && !['diy', 'no-diy'].includes(product.kind)) return ofOtherProduct(product);
  if (announcement) return ofAnnouncement(announcement, facts, product);
  if (facts.isLocked) return ofStock3(product, version);
  if (version !== undefined) return ofVersion(version, facts, product);
  if (product?.kind === 'diy') return ofStock3(product, undefined);
  if (facts.isAccessPoint) return because('unknown', 'uncertain', 'access-point', FACTS);
  if (product || facts.model !== undefined) return because('unknown', 'uncertain', 'version-missing', FACTS);
  return because('unknown', 'uncertain', 'unknown', FACTS);
}

function ofOtherProduct({ kind, source }: Product): Recommendation {
  const known: Partial<Record<ProductKind, [Method, Confidence, Reason]>> = {
    locked: ['none', 'unsupported', 'locked'],
    zigbee: ['none', 'unsupported', 'zigbee'],
    'account-only': ['account', 'unsupported', 'account-only'],
  };
  const [method, confidence, reason] = known[kind] ?? (['serial', 'unsupported', 'other-chip'] as const);
  return because(method, confidence, reason, source);
}

function ofAnnouncement(
  announcement: MdnsSighting,
  { hasChannels, version }: KnownFacts,
  product: Product | undefined,
): Recommendation {
  const { encrypt, type } = announcement;
  const verdict = methodOf({ mdns: { type } });
  if (hasChannels || verdict.level === 'unsupported') return because('serial', 'unsupported', 'other-chip', FACTS);
  if (String(encrypt).toLowerCase() === 'true') {
    const hasNone = TYPES_WITHOUT_DIY.includes(type ?? '');
    return hasNone ? because('account', 'unsupported', 'account', FACTS) : ofStock3(product, version);
  }
  // DIY mode of a lower version runs on another chip than the ESP8266 (docs/dev/diy-mode.md#1.1).
  if (isBelow(version, [3])) return because('serial', 'unsupported', 'other-chip', FACTS);
  if (isAbove(version, NEWEST_FLASHED)) return because('diy', 'uncertain', 'diy-now-newer', FACTS, { version });
  const reason = verdict.level === 'supported' ? 'diy-now' : 'diy-now-unproven';
  return because('diy', verdict.level, reason, reported(verdict));
}

function ofVersion(version: string, { model }: KnownFacts, product: Product | undefined): Recommendation {
  const verdict = methodOf({ romVersion: version, model });
  const { level } = verdict;
  const source = reported(verdict);
  switch (verdict.method) {
    case 'diy':
      return ofStock3(product, version);
    case 'serial-only':
      return because('serial', level, 'certificate', source, { version });
    case 'unknown':
      return because('cloud', 'uncertain', 'cloud-unreported', source, { version });
    case 'cloud':
    case 'cloud-slow':
    case 'cloud-http':
      return because('cloud', level, level === 'supported' ? 'cloud' : 'cloud-maybe', source, { version });
  }
}

/** A device with firmware 3.x that is not in DIY mode. */
function ofStock3(product: Product | undefined, version: string | undefined): Recommendation {
  if (product?.kind === 'no-diy') return because('account', 'unsupported', 'account', product.source);
  if (isSame(version, BEFORE_DIY)) return because('diy-jumper', 'uncertain', 'diy-update-first', FACTS, { version });
  if (isBelow(version, FIRST_BY_BUTTON)) return because('diy-jumper', 'uncertain', 'diy-jumper', FACTS, { version });
  if (!product) return because('diy-button', 'uncertain', 'diy-button-maybe', FACTS);
  if (!isAbove(version, NEWEST_FLASHED)) return because('diy-button', 'supported', 'diy-button', product.source);
  return because('diy-button', 'uncertain', 'diy-button-newer', product.source, { version });
}

function because(
  method: Method,
  confidence: Confidence,
  reason: Reason,
  source: string,
  values: Readonly<Record<string, string | undefined>> = {},
): Recommendation {
  const filled = Object.entries(values).map(([name, value]) => [name, value ?? '?']);
  return { method, confidence, reason, source, values: Object.fromEntries(filled) as Record<string, string> };
}

/** A report is cited with its place. */
function reported({ reason, source }: MethodVerdict): string {
  return `${source}: ${reason.text}`;
}

function isAbove(version: string | undefined, bound: readonly number[]): boolean {
  return compared(version, bound) > 0;
}

function isBelow(version: string | undefined, bound: readonly number[]): boolean {
  return compared(version, bound) < 0;
}

function isSame(version: string | undefined, bound: readonly number[]): boolean {
  return version !== undefined && compared(version, bound) === 0;
}

/** By as many parts as the bound has; 0 where it is not known. */
function compared(version: string | undefined, bound: readonly number[]): number {
  const parts = /^\d{1,3}(\.\d{1,3}){1,2}$/.test(version ?? '')
    ? (version as string).split('.').map(Number)
    : undefined;
  if (!parts) return 0;
  const different = bound.findIndex((part, index) => (parts[index] ?? 0) !== part);
  return different < 0 ? 0 : (parts[different] ?? 0) - (bound[different] ?? 0);
}
