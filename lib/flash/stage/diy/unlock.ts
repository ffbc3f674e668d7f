import type { StageContext } from '../../run/task';
import type { StageHost } from '../stage-host';
import { askForUnlock } from './ask-unlock';
import type { FoundDevice } from './found-device';
import { unlockLocally } from './local-unlock';

/**
 * Lets the device take new firmware: the maker's service decides, and the device keeps what it decided. Where that
 * hangs, refuses or lies, this machine may stand in for it, if a person wants that.
 *
 * @throws FlashError `diy-unlock-*`, `diy-locked`, `address-invalid`, `cancelled`, and as `DiyClient.identify`
 */
export async function unlock(
  { job, report }: Pick<StageContext, 'job' | 'report'>,
  host: StageHost,
  device: FoundDevice,
  { isLocal, signal }: { readonly isLocal: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { client, info } = device;
  if (info.otaUnlock === true) return;
  const deviceid = client.deviceid ?? client.url;
  const options = { job, signal, waits: host.waits };
  report('diy-unlock', { deviceid }, { fraction: 0.08 });
  const refusal = await askForUnlock(device, options);
  if (!refusal) return;
  if (!isLocal) throw refusal;
  report('diy-unlock-local', { deviceid }, { fraction: 0.09 });
  await unlockLocally(host, device, options);
}
