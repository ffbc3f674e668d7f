/**
 * The page in which ESPHome takes a Wi-Fi, in the access point that it opens where it knows none. Source: ESPHome's
 * captive_portal component, the same in every release since 2021.
 */

import { parseObject } from './json';
import type { WebPage } from './new-firmware';

/** Tells whose page it is. */
export const PORTAL_PATH = '/config.json';

/** Whose page it is. */
export interface EsphomePortal {
  /** Of the device's station, in capitals; undefined where it states none. */
  readonly mac: string | undefined;
}

/** Reads the answer to `PORTAL_PATH`; undefined where it is not such a page. Never throws. */
export function readPortal({ status, body }: WebPage): EsphomePortal | undefined {
  const parsed = status === 200 ? parseObject(body) : undefined;
  if (!parsed || !('object' in parsed) || !Array.isArray(parsed.object['aps'])) return undefined;
  const { mac } = parsed.object;
  const isMac = typeof mac === 'string' && /^([\da-f]{2}:){5}[\da-f]{2}$/i.test(mac);
  return { mac: isMac ? mac.toUpperCase() : undefined };
}

/** The request with which it stores the Wi-Fi. Holds a secret. */
export function savePath(ssid: string, password: string): string {
  return `/wifisave?ssid=${encodeURIComponent(ssid)}&psk=${encodeURIComponent(password)}`;
}

/** Whether it has kept it: it leads back to its first page. */
export function hasKept({ status }: WebPage): boolean {
  return status >= 200 && status < 400;
}
