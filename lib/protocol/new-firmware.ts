/**
 * What new firmware shows of itself on its web page: in its own access point, or on the home network. Every sign is one
 * that the project puts on all of its pages. Sources: Tasmota's xdrv_01_webserver.ino, ESPHome's web_server and
 * captive_portal, ESPurna's web.cpp.
 */

import { NEW_FIRMWARE_NETWORK } from './device-networks';
import { parseObject } from './json';

/** The address of an ESP8266 in an access point of its own, in whichever firmware is made with the Arduino core. */
export const NEW_FIRMWARE_AP_ADDRESS = NEW_FIRMWARE_NETWORK.device;

/** Where ESPHome's own protocol is spoken; many of its builds have no web page. */
export const ESPHOME_API_PORT = 6053;

/** Tells a Tasmota's network settings, its MAC address among them. */
export const TASMOTA_STATUS_PATH = '/cm?cmnd=Status%205';

export type NewFirmwareKind = 'tasmota' | 'esphome' | 'espurna' | 'other';

/** The answer to a GET of `/`. */
export interface WebPage {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** As much as was read. */
  readonly body: string;
}

export interface NewFirmware {
  readonly kind: NewFirmwareKind;
  /** Where the page says it. */
  readonly version?: string;
  /** The page's title. */
  readonly title?: string;
}

const TITLE = /<title>([^<]{1,100})<\/title>/i;
/** Since 7.2 in a header of every page; before, at the foot of each: `Sonoff-Tasmota 6.7.1 by Theo Arends`. */
const TASMOTA_SERVER = /^Tasmota\/(\d[\w.]{0,30})/;
const TASMOTA_FOOT = /Tasmota (\d[\w.]{0,30})[^<]{0,60}Theo Arends/;
/** The element that the whole page of its web server is; its access point's page names it. */
const ESPHOME = /<esp-app|\besphome\b/i;
const ESPURNA = /\bespurna\b/i;

/** Which firmware a page belongs to; one that nothing is known of is `other`. Never throws, whatever stands in it. */
export function recogniseNewFirmware({ headers, body }: WebPage): NewFirmware {
  const title = TITLE.exec(body)?.[1]?.trim();
  const named = title === undefined || title === '' ? {} : { title };
  const tasmota = TASMOTA_SERVER.exec(headers['server'] ?? '')?.[1] ?? TASMOTA_FOOT.exec(body)?.[1];
  if (tasmota !== undefined) return { kind: 'tasmota', version: tasmota, ...named };
  // It asks for its password before it shows anything, in the name of its host: ESPURNA and half of its MAC.
  if (ESPURNA.test(headers['www-authenticate'] ?? '') || ESPURNA.test(body)) return { kind: 'espurna', ...named };
  if (ESPHOME.test(body)) return { kind: 'esphome', ...named };
  return { kind: 'other', ...named };
}

/** The station's MAC address in the answer to `TASMOTA_STATUS_PATH`, in capitals; undefined where it tells none. */
export function macOfTasmota(body: string): string | undefined {
  const parsed = parseObject(body);
  const network = 'object' in parsed ? (parsed.object['StatusNET'] as { Mac?: unknown } | null | undefined) : undefined;
  const mac = network?.Mac;
  return typeof mac === 'string' && /^([\da-f]{2}:){5}[\da-f]{2}$/i.test(mac) ? mac.toUpperCase() : undefined;
}
