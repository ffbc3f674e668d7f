import type { Slot } from '../device/boot';
import type { Identity } from '../device/models';

export interface Upgrade {
  host: string;
  port: number;
  path: string;
  digest: string;
}

/**
 * Checks an upgrade command as the firmware does (docs/dev/stock-firmware.md#3.7, docs/dev/esp8266-images.md#2.6):
 * takes the entry for the half that it does not run from. Returns the acknowledgement's code where it refuses.
 */
export function checkUpgrade(
  json: Record<string, unknown>,
  device: Identity,
  target: Slot,
  comparesVersion: boolean,
): Upgrade | number {
  const params = json.params as { binList?: unknown; model?: unknown; version?: unknown } | undefined;
  if (typeof params !== 'object' || params === null || !Array.isArray(params.binList)) return 400;
  const entry = (params.binList as { name?: unknown; downloadUrl?: unknown; digest?: unknown }[]).find(
    (candidate) => candidate?.name === `user${target}.bin`,
  );
  if (!entry || typeof entry.downloadUrl !== 'string' || typeof entry.digest !== 'string') return 400;
  const url = splitUrl(entry.downloadUrl);
  if (!url || entry.digest.length !== 64) return 400;
  if (params.model !== device.model) return 406;
  if (typeof params.version !== 'string') return 400;
  if (comparesVersion && (params.version.length > 5 || params.version <= device.romVersion)) return 410;
  return { ...url, digest: entry.digest };
}

/** Splits `http://host[:port]/path`; undefined for what does not fit the firmware's buffers. */
function splitUrl(url: string): { host: string; port: number; path: string } | undefined {
  const parts = /^http:\/\/([^/:]+)(?::(\d{1,5}))?(\/.*)$/.exec(url);
  if (!parts || url.length >= 150) return undefined;
  const [, host, port, path] = parts;
  if (host!.length >= 50 || path!.length >= 100) return undefined;
  return { host: host!, port: port ? Number(port) : 80, path: path! };
}
