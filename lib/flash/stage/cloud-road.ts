import { FlashError } from '../../errors';
import { isCloudRoad, roadOf, type RoadVerdict } from '../../protocol/roads';

/**
 * The road of a device that came to our cloud, if that is one that may be tried.
 *
 * @param force takes any road: a person wants to try against what is known
 * @throws FlashError `device-not-supported`
 */
export function requireCloudRoad(
  device: { deviceid: string; model: string; romVersion: string },
  { force = false }: { force?: boolean | undefined } = {},
): RoadVerdict {
  const { deviceid, model, romVersion } = device;
  const verdict = roadOf({ deviceid, model, romVersion });
  if (force || isCloudRoad(verdict)) return verdict;
  throw new FlashError('device-not-supported', { deviceid, model, romVersion, reason: verdict.reason });
}
