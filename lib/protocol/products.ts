/** The products themselves, by the names that the maker, shops and other programs use for them. */

/**
 * What a product is, as far as it decides how it can be flashed:
 * - `diy`: an ESP8285 with DIY mode
 * - `no-diy`: an ESP8266 whose firmware never had DIY mode
 * - `other-chip`: another chip, of which no flash over the air is known
 * - `account-only`: another chip, which takes foreign firmware from its owner's account alone
 * - `locked`: its chip boots nothing but the maker's firmware
 * - `zigbee`: no firmware on Wi-Fi at all
 */
export type ProductKind = 'diy' | 'no-diy' | 'other-chip' | 'account-only' | 'locked' | 'zigbee';

export interface Product {
  readonly kind: ProductKind;
  readonly source: string;
}

interface ProductRow extends Product {
  /** As `plainName` writes them. A trailing `*` matches any rest. */
  readonly names: readonly string[];
}

/** The first row that fits decides. */
export const PRODUCT_ROWS: readonly ProductRow[] = [
  {
    names: ['MINI', 'MINIR2', 'BASICR3', 'RFR3', 'D1', 'D1R1'],
    kind: 'diy',
    source: 'docs/dev/diy-mode.md#1.1, #2.11',
  },
  {
    names: ['MINIR4M*', 'M53C*'],
    kind: 'locked',
    source: 'docs/dev/diy-mode.md#2.11; esphome-devices PR 716, blakadder PR 1904',
  },
  { names: ['S60*'], kind: 'account-only', source: 'docs/dev/diy-mode.md#2.11; SonoffS60OTA' },
  {
    names: ['MINIR3*', 'MINIR4*', 'MINID*', 'BASICR4*', 'SPM*', 'B02BL*', 'B05BL*', 'DUALR3*', 'NSPANEL*'],
    kind: 'other-chip',
    source: 'docs/dev/diy-mode.md#2.11',
  },
  {
    // Elite and Origin: THR316, THR320D, POWR316D and so on; TX Ultimate.
    names: ['THR3*', 'POWR3*', 'THELITE', 'THORIGIN', 'POWELITE', 'POWORIGIN', 'TXULTIMATE', 'T51C*', 'T52C*', 'T53C*'],
    kind: 'other-chip',
    source: 'docs/dev/diy-mode.md#2.11',
  },
  { names: ['ZB*', 'SNZB*'], kind: 'zigbee', source: 'its name' },
  {
    names: [
      ...['BASIC', 'BASICR1', 'BASICR2', 'RF', 'RFR2', 'S20', 'S26', 'S26R2', 'S31', 'S55', 'SV', 'B1', 'LED'],
      ...['TH', 'TH10', 'TH16', 'THR2', 'POW', 'POWR2', 'DUAL', 'DUALR2', 'TOUCH', 'T1', 'T11C', 'T12C', 'T13C'],
      ...['4CH', '4CHR2', '4CHPRO', '4CHPROR2', '4CHR3', '4CHPROR3', 'SLAMPHER', 'SLAMPHERR2', 'RFBRIDGE'],
      ...['IFAN02', 'IFAN03', 'IFAN04', 'IFAN04L', 'IFAN04H'],
    ],
    kind: 'no-diy',
    source: 'docs/dev/stock-firmware.md#6, docs/dev/diy-mode.md#2.11, #2.12',
  },
];

/** The product of a name; undefined where it is unknown. Case, spaces and the maker's name do not count. */
export function productNamed(name: string): Product | undefined {
  const plain = plainName(name);
  if (plain === '') return undefined;
  const row = PRODUCT_ROWS.find(({ names }) => names.some((one) => fits(plain, one)));
  return row && { kind: row.kind, source: row.source };
}

/** `Sonoff Basic R3` is `BASICR3`. */
export function plainName(name: string): string {
  return name
    .toUpperCase()
    .replace(/\b(SONOFF|ITEAD|SMART SWITCH)\b/g, '')
    .replace(/[^A-Z\d]/g, '');
}

function fits(plain: string, name: string): boolean {
  return name.endsWith('*') ? plain.startsWith(name.slice(0, -1)) : plain === name;
}
