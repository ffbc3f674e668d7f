/**
 * Whether a final image is a minimal build by its own words. Such a build only serves to fetch another one: it has no
 * Wi-Fi set-up, so a device flashed with it first cannot be reached again (image notes 4.2).
 *
 * Only what a full build cannot hold counts. Every Tasmota knows the word `minimal` (older ones list all their build
 * names, all ask for `-minimal` files when they update); the heading that asks for an upgrade, and a finished version
 * such as `(release-minimal)`, are compiled into minimal builds alone.
 */
const EVIDENCE: readonly RegExp[] = [
  // "MINIMAL firmware - please upgrade" and its translations, always a heading with the word in capitals;
  // the second form is the UTF-8 of an accented I.
  /<h3>[^<\0]{0,24}M(?:I|\xc3\x8d)NIM/,
  /\((?:[\w.]{1,16}-)?minimal\)/,
];

/** @param bytes a final image */
export function isMinimalBuild(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return EVIDENCE.some((pattern) => pattern.test(text));
}
