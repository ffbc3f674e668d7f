/** Devices that need no set-up any more: a flash that is resumed or tried again finds its device on the home network. */

import type { DiscoveryOptions } from '../../client/diy/discovery';
import { DIY } from '../routes';
import type { StageContext } from '../run/stage-runs';
import { waitFor } from '../../timing/wait';
import { untilInDiyMode } from './diy/at-home';
import type { ProvisionMethod } from './provision-method';
import type { StageHost } from './stage-host';

/** What the stage found where nothing is left to do in an access point. */
export type SetUpBefore = Readonly<Record<string, unknown>>;

/**
 * A device that dials us has its set-up, and its access point is gone: where a restart broke into the stage, or where a
 * flash that failed later is tried again.
 */
export async function dialsUs(
  context: StageContext,
  host: StageHost,
  signal: AbortSignal,
): Promise<{ readonly before: SetUpBefore }> {
  const { job } = context;
  const { deviceid } = job;
  const isHere = (id: string): boolean =>
    host.devices.get(id) !== undefined || (job.isResuming('provision') && host.devices.lastDispatch(id) !== undefined);
  const hasDialled = (): true | undefined => (deviceid !== undefined && isHere(deviceid)) || undefined;
  await waitFor(host.devices, ['dispatched', 'ready'], hasDialled, { signal });
  context.report('already-set-up', { deviceid: deviceid ?? '?' }, { fraction: 0.9 });
  return { before: { deviceid, answer: 'dialled-in' } };
}

/** A device in DIY mode dials nobody: where a restart broke into the end of the stage, what was seen tells it. */
export function wasSetUp({ job }: StageContext): SetUpBefore | undefined {
  if (!job.isResuming('provision')) return undefined;
  const seen = job.evidence.all.findLast((one) => one.kind === 'provisioned');
  return seen?.isDiy && { deviceid: job.deviceid, method: DIY.name, answer: seen.answer };
}

/** Where a device may be found that was brought into DIY mode before. */
export interface AtHomeOptions {
  readonly deviceid: string | undefined;
  readonly method?: ProvisionMethod;
  /** Where no device is named, the only one in DIY mode is taken; only with the method `diy`. */
  readonly takesAnyInDiyMode?: boolean;
  readonly discovery?: DiscoveryOptions | undefined;
}

/** Whether a device is looked for at home too. One that is used in DIY mode must not be flashed in place of another. */
export function mayBeInDiyMode({ deviceid, method, takesAnyInDiyMode = false }: AtHomeOptions): boolean {
  if (method === 'cloud') return false;
  return deviceid !== undefined || (takesAnyInDiyMode && method === 'diy');
}

/** @throws FlashError `device-unknown` where none is named and several are in DIY mode; the signal's reason */
export async function isInDiyMode(
  context: StageContext,
  host: StageHost,
  { deviceid: named, discovery }: AtHomeOptions,
  signal: AbortSignal,
): Promise<{ readonly before: SetUpBefore }> {
  const { job } = context;
  const { client, address, info } = await untilInDiyMode({ deviceid: named, address: undefined, discovery }, signal);
  const { deviceid } = client;
  const { fwVersion: version } = info;
  if (deviceid !== undefined) {
    host.jobs.identify(job, deviceid);
    host.directory.saw({ deviceid, how: 'announcement', version, address });
  }
  job.route = DIY;
  context.report('diy-at-home', { deviceid: deviceid ?? address, address }, { fraction: 0.9 });
  return { before: { deviceid, method: DIY.name, answer: 'in-diy-mode', address } };
}
