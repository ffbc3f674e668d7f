import { fill } from '../wordings/wording';

/**
 * What stands in the picture of the flash, in English; the build puts it into the catalogue of `sonota-host`, from which
 * other languages take over. What is called the same in every language (user1, eboot, addresses) is not among it.
 */
export const PICTURE_TEXTS = {
  title: 'The flash before and after',
  before: 'Before',
  after: 'After',
  described: 'Before: {before}. After: {after}. {caption}',
  area: '{label}, {from} to {to}, {size} bytes',
  boot: 'boot loader',
  records: "ITEAD's records",
  system: 'system parameters',
  settings: 'its settings',
  free: 'free',
  over: 'does not fit',
  'new-user1': 'new user1',
  'new-user2': 'new user2',
  'new-firmware': 'new firmware',
  room: '{size} bytes are there for the new firmware.',
  fits: 'It fits: {size} of {limit} bytes.',
  'slot-holds': 'The slot holds it: {size} of {limit} bytes.',
  'refused-over': 'Refused ({code}): {over} bytes more than the {limit} that fit.',
  refused: 'Refused ({code}): {size} of {limit} bytes.',
} as const;

export type PictureTextName = keyof typeof PICTURE_TEXTS;

/** Fills a text of the picture, in one language. */
export type PictureSpeech = (name: PictureTextName, values: Readonly<Record<string, string | number>>) => string;

export const inEnglish: PictureSpeech = (name, values) => fill(PICTURE_TEXTS[name], values);

export function isPictureText(label: string): label is PictureTextName {
  return Object.hasOwn(PICTURE_TEXTS, label);
}
