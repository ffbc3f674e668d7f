import { pause } from '../../../timing/pause';
import { asFlashError } from '../../../errors';
import { DIY } from '../../routes';
import type { StageContext } from '../../run/task';
import type { ProvisionMethod } from '../provision-method';
import type { SetUpBefore } from '../set-up-before';
import type { StageHost } from '../stage-host';
import { findDevice, type FoundDevice, type Wanted } from './found-device';

/** Between two looks at a device that is there, but not in DIY mode. */
export const LOOK_AGAIN_MS = 5000;

/** Where a device may be found that was brought into DIY mode before. */
export interface AtHomeOptions {
  readonly deviceid: string | undefined;
  readonly method?: ProvisionMethod;
  /** Where no device is named, the only one in DIY mode is taken; only with the method `diy`. */
  readonly takesAnyInDiyMode?: boolean;
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
  { deviceid: named }: AtHomeOptions,
  signal: AbortSignal,
): Promise<{ readonly before: SetUpBefore }> {
  const { job } = context;
  const { discovery } = host;
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

/**
 * Waits until a device is in DIY mode on the home network. One that is there in eWeLink mode may change over meanwhile.
 *
 * @throws FlashError `device-unknown` where none is named and several are in DIY mode; the signal's reason
 */
async function untilInDiyMode(wanted: Wanted, signal: AbortSignal): Promise<FoundDevice> {
  for (;;) {
    try {
      return await findDevice(wanted, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      if (asFlashError(thrown).code === 'device-unknown') throw thrown;
    }
    await pause(LOOK_AGAIN_MS, signal);
  }
}
