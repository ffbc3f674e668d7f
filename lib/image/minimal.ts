/**
 * Whether an image is a minimal build by its own words. Such a build only serves to fetch another one: it has no
 * Wi-Fi set-up, so a device flashed with it first cannot be reached again (docs/dev/esp8266-images.md#4.2).
 *
 * Only what a full build cannot hold counts. Every Tasmota knows the word `minimal` (older ones list all their build
 * names, all ask for `-minimal` files when they update); the heading that asks for an upgrade, and a finished version
 * such as `(release-minimal)`, are compiled into minimal builds alone.
 */
const EVIDENCE: readonly RegExp[] = [
  // "MINIMAL firmware - please upgrade" and most of its translations: a heading with the word in capitals; the second
  // form is the UTF-8 of an accented I.
  /<h3>[^<\0]{0,24}M(?:I|\xc3\x8d)NIM/,
  // Its place, for the translations that put it otherwise (Turkish): a heading right before the note for browsers
  // without JavaScript, where a full build has none (HTTP_HEAD_STYLE3 in Tasmota's web server).
  /<\/h3><\/div><div style='text-align:center;[^'\0]{0,40}'><noscript>/,
  /\((?:[\w.]{1,16}-)?minimal\)/,
];

/** Stands in every Tasmota from 4.0 to 6.0, and in nothing else. */
export const TASMOTA_BEFORE_6_1 = '(Topic %s, Fallback %s, GroupTopic %s)';

/**
 * The lines that Tasmota of those days logs when it has read its settings, and when it has stored them. Minimal builds
 * of 2017 have no other sign, but have nothing that stores them.
 */
const SETTINGS_LOG: readonly { readonly read: string; readonly stored: string }[] = [
  { read: 'Loaded configuration from flash', stored: 'Saved configuration (' },
  { read: 'Cnfg: Load from flash', stored: 'Cnfg: Save (' },
  { read: 'Loaded from flash at', stored: 'Saved to flash at' },
];

/** @param text the image as latin1, one character a byte */
export function isMinimalText(text: string): boolean {
  if (text.includes(TASMOTA_BEFORE_6_1)) {
    return SETTINGS_LOG.some(({ read, stored }) => text.includes(read) && !text.includes(stored));
  }
  return EVIDENCE.some((pattern) => pattern.test(text));
}

/** @param bytes a final image */
export function isMinimalBuild(bytes: Uint8Array): boolean {
  return isMinimalText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
}
