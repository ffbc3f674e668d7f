import type { RequestOptions } from '../../../client/device-request';
import { FlashError } from '../../../errors';
import type { StageContext } from '../../run/stage-runs';
import { ANSWER_MS, type FoundDevice } from './found-device';
import { noteCommand } from './note-command';

/**
 * Lets the device take new firmware: the maker's service decides, and the device keeps what it decided. What `info` says
 * afterwards counts, not the answer, which may be lost or wrong.
 *
 * @param options `limitMs` for the device's answer
 * @throws FlashError `diy-unlock-refused`, `diy-unlock-offline`, `diy-unlock-silent`, `diy-locked`, `cancelled`, and as
 *   `DiyClient.identify`
 */
export async function unlock(context: StageContext, device: FoundDevice, options: RequestOptions): Promise<void> {
  const { signal, limitMs } = options;
  const { client, info } = device;
  if (info.otaUnlock === true) return;
  const { job } = context;
  const deviceid = client.deviceid ?? client.url;
  context.say('diy-unlock', { deviceid }, { fraction: 0.08 });
  const outcome = await client.send({ name: 'ota_unlock' }, options);
  noteCommand(job, 'ota_unlock', outcome);
  const { otaUnlock } = await client.identify({ signal, limitMs: ANSWER_MS });
  if (otaUnlock === true) return;
  if (outcome.result === 'refused') throw client.errorOf('ota_unlock', outcome, options);
  if (outcome.result !== 'done')
    throw new FlashError('diy-unlock-silent', { deviceid, seconds: Math.round(limitMs / 1000) });
  // A version that tells nothing of it has at least said yes.
  if (otaUnlock === false) throw new FlashError('diy-locked', { deviceid });
}
