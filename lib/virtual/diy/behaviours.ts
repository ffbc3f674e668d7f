import { type Behaviours, HEALTHY } from '../device/behaviours';
import type { DownloadHost } from './versions';

/** The commands behind `/zeroconf/` (docs/dev/diy-mode.md#1.6). */
export type Command = 'info' | 'switch' | 'startup' | 'pulse' | 'signal_strength' | 'wifi' | 'ota_unlock' | 'ota_flash';

/** The deviations of one virtual DIY device from a healthy one, beside those of every device. */
export interface DiyBehaviours extends Behaviours {
  /** Its set-up access point: with its web server, with a closed port, or not there at all. */
  accessPoint: 'open' | 'refuses' | 'none';
  /** false: it opens its access point, but has no page there and does not know `/ap_diy`. */
  hasDiyMode: boolean;
  /** true: it is in eWeLink mode and wants encrypted requests. */
  encrypts: boolean;
  /** Its mDNS: each record to its own question, all records to the first one, or nothing. */
  mdns: 'as-asked' | 'all-at-once' | 'silent';
  /** The part that is missing in its unasked announcements. */
  announcesWithout: 'nothing' | 'address' | 'port';
  /** true: it takes its records back when it leaves. */
  saysGoodbye: boolean;
  /** How it writes the name of its service instance. */
  namePrefix: 'eWeLink_' | 'eWelink_';
  /** Bytes of state in each of `data1` to `data4`. */
  dataBytes: number;
  /** dBm. */
  rssi: number;
  /** The reply to a body that is no JSON: nothing at all, or the error that the vendor documents. */
  brokenJson: 'silence' | 400;
  /** Commands that it always answers with an error. */
  errors: Partial<Record<Command, number>>;
  /**
   * What `ota_unlock` comes to: the vendor agrees; it answers 0 and stays locked; it closes after a long time without a word;
   * it asks the name that its DNS gives for the vendor's; an error.
   */
  unlock: 'vendor' | 'lies' | 'hangs' | 'asks' | number;
  /** The `error` in a reply to its own question that unlocks it; any other is passed on, and it stays locked. */
  unlocksOn: number;
  /** When it answers `ota_flash`; `never`: it closes without a word where it would have answered. */
  flashReply: 'before-range' | 'after-first-range' | 'after-last-range' | 'never';
  /** The `Host` of its downloads; undefined: as its version does. */
  downloadHost: DownloadHost | undefined;
  /** `without-slash`: path without its slash, no query, no Host, no User-Agent, as a B02-BL-A60 1.4.1. */
  requestLine: 'proper' | 'without-slash';
  /** true: a bit of what it writes flips, once. */
  writeRots: boolean;
  /** Loses its Wi-Fi once, when this many bytes are written... */
  losesWifiAtByte: number | undefined;
  /** ...and joins it again, or not before its next start. */
  wifiReturns: boolean;
  /** true: the boot loader is overwritten first, not last: a start in mid-way is its end. */
  writesLoaderFirst: boolean;
  /** false: it reports no result to the server of the image. */
  postsResult: boolean;
  /** false: its report has no Content-Length. */
  resultHasLength: boolean;
  /** Reports this instead of what happened; anything but 0 also keeps it from restarting. */
  resultCode: number | undefined;
}

export const HEALTHY_DIY: DiyBehaviours = {
  ...HEALTHY,
  accessPoint: 'open',
  hasDiyMode: true,
  encrypts: false,
  mdns: 'as-asked',
  announcesWithout: 'nothing',
  saysGoodbye: false,
  namePrefix: 'eWeLink_',
  dataBytes: 249,
  rssi: -52,
  brokenJson: 'silence',
  errors: {},
  unlock: 'vendor',
  unlocksOn: 422,
  flashReply: 'after-first-range',
  downloadHost: undefined,
  requestLine: 'proper',
  writeRots: false,
  losesWifiAtByte: undefined,
  wifiReturns: false,
  writesLoaderFirst: false,
  postsResult: true,
  resultHasLength: true,
  resultCode: undefined,
};
