import { FlashError } from '../../errors';
import type { StageHost } from './stage-host';
import type { Job } from '../job/job';

/**
 * Ends a stage for a device whose id two peers state with different keys: which of them it is, only its access point
 * can tell.
 *
 * @throws FlashError `device-contested`
 */
export function requireOneClaimant(host: StageHost, { evidence }: Job, deviceid: string | undefined): void {
  const rivals = deviceid === undefined ? undefined : host.devices.rivals(deviceid);
  if (!rivals) return;
  const [rival, peer] = rivals;
  // The second one may have come before this stage started.
  evidence.addOnce({ kind: 'stranger', peer, act: 'second-key', rival });
  throw new FlashError('device-contested', { deviceid: deviceid ?? '?', peer: rival, other: peer });
}
