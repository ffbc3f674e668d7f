/**
 * Where everything lies in the 1 MB of a Sonoff's flash, before and after. Source: docs/dev/esp8266-images.md#2.1,
 * #2.6, #3, #4.1.
 *
 * The limits of the doctor and the areas of the picture are both made from these numbers.
 */

export const SECTOR_BYTES = 0x1000;
export const FLASH_BYTES = 0x100000;

/** Espressif's boot loader or eboot has the first sector; user1 or the application starts behind it. */
export const APP_OFFSET = SECTOR_BYTES;
export const USER1_OFFSET = APP_OFFSET;
export const USER2_OFFSET = 0x81000;

/** ITEAD's own records: deviceid, apikey, Wi-Fi, state, and in newer firmware the certificate it checks. */
export const RECORDS_OFFSET = 0x78000;
export const RECORDS_END = 0x80000;
/** RF calibration, start-up data and the SDK's parameters with the boot flags. */
export const SYSTEM_OFFSET = 0xfb000;
/** Tasmota and ESPHome keep their settings in front of the SDK's sectors; Tasmota from here. */
export const SETTINGS_OFFSET = 0xf3000;
export const SETTINGS_END = 0xfc000;

/** Most that stock firmware takes for a user image, whatever more its slot could hold (0x73000 bytes). */
export const USER_LIMIT = 0x73000;
/** Most that FinalStage takes: the half of the flash that it does not run from. */
export const FINAL_LIMIT = 0x80000;
/** Most that the relocator of a one-hop image puts in place: everything in front of slot 2, which it runs from. */
export const ONE_HOP_LIMIT = USER2_OFFSET;
/**
 * Most that DIY mode takes: what user2 could hold, as the file lies there before it is copied down
 * (docs/dev/diy-mode.md#1.10).
 */
export const DIY_LIMIT = FLASH_BYTES - USER2_OFFSET;
/** ITEAD's own DIY tool takes at most this much (docs/dev/diy-mode.md#1.10). */
export const DIY_PROVEN = 508_000;

export type AreaKind = 'boot' | 'slot' | 'records' | 'system' | 'settings' | 'image' | 'over' | 'free';

/** Bytes `from` to `to` (not included) of the flash. */
export interface Area {
  readonly from: number;
  readonly to: number;
  readonly kind: AreaKind;
  /** The name of a text in `picture-texts.ts`, or what it is called in every language. */
  readonly label: string;
}

/** Areas in ascending order, without gaps, from 0 to the end of the flash. */
export type FlashLayout = readonly Area[];

const RESERVED: readonly Area[] = [
  { from: RECORDS_OFFSET, to: RECORDS_END, kind: 'records', label: 'records' },
  { from: SYSTEM_OFFSET, to: FLASH_BYTES, kind: 'system', label: 'system' },
];

/** A stock device: Espressif's boot loader, a slot in either half, ITEAD's records between them. */
export const STOCK_LAYOUT: FlashLayout = complete([
  { from: 0, to: SECTOR_BYTES, kind: 'boot', label: 'boot' },
  { from: USER1_OFFSET, to: RECORDS_OFFSET, kind: 'slot', label: 'user1' },
  { from: USER2_OFFSET, to: USER2_OFFSET + USER_LIMIT, kind: 'slot', label: 'user2' },
  ...RESERVED,
]);

/** The place of a file and the most it takes, both in bytes. */
export interface Place {
  readonly from: number;
  readonly limit: number;
  /** As that of an area. */
  readonly label: string;
}

/** A stock device with an image of `size` bytes in one of its slots. */
export function slotLayout(place: Place, size: number): FlashLayout {
  const image = imageAreas(place, size);
  const others = STOCK_LAYOUT.filter((area) => area.kind !== 'free' && area.from !== place.from);
  return complete([...image, ...others.filter((area) => !overlaps(area, image))]);
}

/** A device with its new firmware of `size` bytes: eboot in front, settings and the SDK's sectors behind. */
export function finalLayout(place: Place, size: number): FlashLayout {
  const image = imageAreas({ ...place, from: SECTOR_BYTES, limit: place.limit - SECTOR_BYTES }, size - SECTOR_BYTES);
  const others: Area[] = [
    { from: SETTINGS_OFFSET, to: SETTINGS_END, kind: 'settings', label: 'settings' },
    { from: SETTINGS_END, to: FLASH_BYTES, kind: 'system', label: 'system' },
  ];
  return complete([
    { from: 0, to: SECTOR_BYTES, kind: 'boot', label: 'eboot' },
    ...image,
    ...others.filter((area) => !overlaps(area, image)),
  ]);
}

/** The image in its place; what lies behind the limit stands for itself. Nothing goes beyond the flash. */
function imageAreas({ from, limit, label }: Place, size: number): Area[] {
  const end = Math.min(from + Math.max(size, 0), FLASH_BYTES);
  const fits = Math.min(end, from + limit);
  const areas: Area[] = [];
  if (fits > from) areas.push({ from, to: fits, kind: 'image', label });
  if (end > fits) areas.push({ from: fits, to: end, kind: 'over', label: 'over' });
  return areas;
}

function overlaps(area: Area, others: readonly Area[]): boolean {
  return others.some((other) => area.from < other.to && other.from < area.to);
}

/** In order, with the gaps between them as free areas. */
function complete(areas: readonly Area[]): FlashLayout {
  const whole: Area[] = [];
  let at = 0;
  for (const area of [...areas].sort((a, b) => a.from - b.from)) {
    if (area.from > at) whole.push({ from: at, to: area.from, kind: 'free', label: 'free' });
    whole.push(area);
    at = area.to;
  }
  if (at < FLASH_BYTES) whole.push({ from: at, to: FLASH_BYTES, kind: 'free', label: 'free' });
  return whole;
}
