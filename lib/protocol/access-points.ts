import { AP_SSID_PREFIX } from './ap';
import { FINALSTAGE_SSID } from './finalstage';

/** The kind of an access point, by its name. */
export interface AccessPointKind {
  readonly kind: 'stock' | 'finalstage' | 'tasmota' | 'esphome' | 'other';
  /** Of a stock device, whose network is named after it. */
  readonly deviceid?: string;
}

const STOCK = new RegExp(`^${AP_SSID_PREFIX}([\\da-f]{10})$`, 'i');
/** `tasmota-A1B2C3-0967`, with an underscore in between versions, and `sonoff-0967` up to 6.x (Tasmota documentation). */
const TASMOTA = /^(tasmota|sonoff)[-_][\da-f]/i;
/** The fallback hotspot of a configuration made by its wizard, and the ready-made image for the browser. */
const ESPHOME = / Fallback Hotspot$|^esphome-web-[\da-f]{6}$/i;

export function kindOf(ssid: string): AccessPointKind {
  const deviceid = STOCK.exec(ssid)?.[1]?.toLowerCase();
  if (deviceid !== undefined) return { kind: 'stock', deviceid };
  if (ssid === FINALSTAGE_SSID) return { kind: 'finalstage' };
  if (TASMOTA.test(ssid)) return { kind: 'tasmota' };
  if (ESPHOME.test(ssid)) return { kind: 'esphome' };
  return { kind: 'other' };
}

/**
 * Whether an access point belongs to the device with this MAC address. An ESP8266 derives the address of its access
 * point from that of its station by the bit "locally administered" (18:FE:34:9C:9E:F6 shows 1A:FE:34:9C:9E:F6), and
 * where that is set already, by the bit above it.
 */
export function isAccessPointOf(bssid: string, mac: string): boolean {
  const [ours, theirs] = [bytesOf(bssid), bytesOf(mac)];
  if (ours.length !== 6 || theirs.length !== 6) return false;
  const [first = 0, ...rest] = ours;
  const [second = 0, ...others] = theirs;
  return ((first ^ second) & ~0x06) === 0 && rest.every((byte, index) => byte === others[index]);
}

/** The known addresses of a device. */
export interface KnownAddresses {
  /** Of its access point, where this machine was in it. */
  readonly bssid?: string | undefined;
  /** Of its station, as it has stated it. */
  readonly mac?: string | undefined;
  /** Of its station, as the home network shows it. */
  readonly linkMac?: string | undefined;
}

/**
 * Whether an access point is a device's own, whichever firmware opens it: by the address that is known best. Undefined
 * where none is known.
 */
export function isAccessPointOfDevice(
  bssid: string,
  { bssid: known, mac, linkMac }: KnownAddresses,
): boolean | undefined {
  if (known !== undefined) return known === bssid;
  const station = mac ?? linkMac;
  return station === undefined ? undefined : isAccessPointOf(bssid, station);
}

function bytesOf(mac: string): number[] {
  return mac.split(/[:-]/).map((pair) => parseInt(pair, 16));
}
