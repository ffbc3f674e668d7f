import { FlashError } from '../../errors';
import { isCloudMethod, methodOf, type MethodVerdict } from '../../protocol/compatibility';

/**
 * The method for a device that came to our cloud, if that is one that may be tried.
 *
 * @param force takes any method: a person wants to try against what is known
 * @throws FlashError `device-not-supported`
 */
export function requireCloudMethod(
  device: { deviceid: string; model: string; romVersion: string },
  { force = false }: { force?: boolean | undefined } = {},
): MethodVerdict {
  const { deviceid, model, romVersion } = device;
  const verdict = methodOf({ deviceid, model, romVersion });
  if (force || isCloudMethod(verdict)) return verdict;
  throw new FlashError('device-not-supported', { deviceid, model, romVersion, reason: verdict.reason });
}
