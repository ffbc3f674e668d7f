import { FlashError } from '../errors';
import type { DeviceStatement } from './device-statement';
import { asciiJson } from './json';
import { wording, type Wording } from '../wordings/wording';

/** One of the two images that a device may ask for. */
export interface UpgradeImage {
  /** `http://` alone; the device adds its own query. */
  readonly url: string;
  /** sha256 of exactly the bytes that are served, as 64 lower-case hex digits. */
  readonly digest: string;
}

/** The offer of an upgrade command. Both images always: only the device knows which half it runs from. */
export interface UpgradeOffer {
  readonly user1: UpgradeImage;
  readonly user2: UpgradeImage;
  readonly version: string;
}

/** Accepted by every firmware that SonOTA flashed (docs/dev/stock-firmware.md#3.7). */
export const PROVEN_VERSION = '23.42.5';

/** For firmware that compares versions as text and takes 5 characters at most: sent once after a 410. */
export const FALLBACK_VERSION = '9.9.9';

/** Buffers of the device, in characters with the final zero (docs/dev/stock-firmware.md#3.7). */
export const URL_BUFFER = 150;
export const HOST_BUFFER = 50;
export const PATH_BUFFER = 100;

/** Which device an upgrade is for, as errors tell it. */
export type UpgradeTarget = Pick<DeviceStatement, 'deviceid' | 'model' | 'romVersion'>;

const UNKNOWN_TARGET: UpgradeTarget = { deviceid: 'unknown', model: 'unknown', romVersion: 'unknown' };

/**
 * The upgrade command in the shape that the vendor's cloud sends: no `from`, no `autoRestart`
 * (docs/dev/stock-firmware.md#3.7).
 *
 * @param apikey the session's key, not the device's own
 * @param model the device's own: with any other it refuses
 * @param sequence at most 29 characters; the device repeats it in its acknowledgement
 * @throws FlashError `upgrade-malformed`
 */
export function upgradeCommand(
  { deviceid, model, romVersion }: UpgradeTarget,
  apikey: string,
  sequence: string,
  offer: UpgradeOffer,
): string {
  checkOffer(offer, { deviceid, model, romVersion });
  const { user1, user2, version } = offer;
  const binList = [
    { downloadUrl: user1.url, digest: user1.digest, name: 'user1.bin' },
    { downloadUrl: user2.url, digest: user2.digest, name: 'user2.bin' },
  ];
  const params = { binList, model, version };
  return asciiJson({ action: 'upgrade', deviceid, apikey, userAgent: 'app', sequence, ts: 0, params });
}

/**
 * Whether a device can take this offer at all. Checked here because its own answer to a too long address is a mute 400.
 *
 * @throws FlashError `upgrade-malformed` with the reason
 */
export function checkOffer(offer: UpgradeOffer, target: UpgradeTarget = UNKNOWN_TARGET): void {
  const reason =
    flawOf('user1', offer.user1) ??
    flawOf('user2', offer.user2) ??
    (/^[0-9A-Za-z._-]{1,24}$/.test(offer.version) ? undefined : wording('upgrade-version'));
  if (reason !== undefined) throw new FlashError('upgrade-malformed', { ...errorValues(target), reason });
}

function flawOf(image: string, { url, digest }: UpgradeImage): Wording | undefined {
  // No query and no fragment: the device appends its own "?deviceid=…" to what it is given
  // (docs/dev/stock-firmware.md#4.1).
  const match = /^http:\/\/([0-9A-Za-z._-]+)(?::\d{1,5})?(\/[\x21-\x7e]*)$/.exec(url);
  if (!match || /["\\?#]/.test(url)) return wording('upgrade-address', { image });
  const [, host = '', path = ''] = match;
  if (url.length >= URL_BUFFER) return wording('upgrade-address-long', { image, limit: URL_BUFFER - 1 });
  if (host.length >= HOST_BUFFER) return wording('upgrade-host-long', { image, limit: HOST_BUFFER - 1 });
  if (path.length >= PATH_BUFFER) return wording('upgrade-path-long', { image, limit: PATH_BUFFER - 1 });
  if (!/^[0-9a-f]{64}$/.test(digest)) return wording('upgrade-digest', { image });
  return undefined;
}

// Named one by one: a caller's object may hold the apikey as well, and errors are shown to people.
function errorValues({ deviceid, model, romVersion }: UpgradeTarget) {
  return { deviceid, model, romVersion };
}
