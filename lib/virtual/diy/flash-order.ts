/** The order of `ota_flash`. */
export interface FlashOrder {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Compared as text: only lower-case hex ever fits. */
  readonly digest: string;
}

/** The download is impossible. */
const IMPOSSIBLE = 424;
const MALFORMED = 422;

/**
 * Reads the parameters of `ota_flash` (docs/dev/diy-mode.md#1.7, #1.9). Returns the error where it refuses: an address
 * must be an IPv4 address, and its port must be written (docs/dev/diy-mode.md#2.4).
 */
export function checkFlashOrder({ downloadUrl, sha256sum }: Record<string, unknown>): FlashOrder | number {
  if (typeof downloadUrl !== 'string' || typeof sha256sum !== 'string' || sha256sum.length !== 64) return MALFORMED;
  const parts = /^http:\/\/([^/]+)(\/.*)$/.exec(downloadUrl);
  if (!parts) return MALFORMED;
  const [, host, port] = /^(\d+\.\d+\.\d+\.\d+):(\d{1,5})$/.exec(parts[1] ?? '') ?? [];
  if (host === undefined) return IMPOSSIBLE;
  return { host, port: Number(port), path: parts[2] ?? '/', digest: sha256sum };
}
