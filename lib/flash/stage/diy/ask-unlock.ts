import type { DiyOutcome } from '../../../client/diy/diy-client';
import { pause } from '../../../timing/pause';
import type { RequestOptions } from '../../../client/device-request';
import { asFlashError, FlashError } from '../../../errors';
import type { DiyInfo } from '../../../protocol/diy/reply';
import type { Job } from '../../job/job';
import type { Waits } from '../waits';
import { ANSWER_MS, type FoundDevice } from './found-device';
import { noteCommand } from './note-command';
import { sendOnceFree } from './send-once-free';

export interface UnlockOptions extends Pick<RequestOptions, 'signal'> {
  readonly job: Job;
  readonly waits: Pick<Waits, 'lanUnlockMs' | 'lanHangsMs' | 'lanLookMs'>;
}

/**
 * Tells the device to have itself unlocked, and asks it what came of that: what `info` says counts, not the answer, which
 * may be lost or wrong (docs/dev/diy-mode.md#1.7, #1.8).
 *
 * @returns undefined where it is unlocked, else why not: `diy-unlock-refused`, `diy-unlock-offline`, `diy-unlock-silent`,
 *   `diy-locked`, or what the device refused the command with
 * @throws FlashError `cancelled` or the signal's reason, and as `DiyClient.identify`
 */
export async function askForUnlock(device: FoundDevice, options: UnlockOptions): Promise<FlashError | undefined> {
  const { job, signal, waits } = options;
  const { client, address: peer } = device;
  const limitMs = waits.lanUnlockMs;
  // Asked twice, it asks the maker's service again.
  const outcome = await sendOnceFree(client, { name: 'ota_unlock' }, { signal, limitMs, waits });
  noteCommand(job, 'ota_unlock', outcome);
  const { otaUnlock } = await infoAfter(outcome, device, options);
  job.evidence.add({ kind: 'device-info', peer, ...(otaUnlock === undefined ? {} : { isUnlocked: otaUnlock }) });
  if (otaUnlock === true) return undefined;
  if (outcome.result === 'refused') return client.errorOf('ota_unlock', outcome, { limitMs });
  const deviceid = client.deviceid ?? client.url;
  if (outcome.result !== 'done')
    return new FlashError('diy-unlock-silent', { deviceid, seconds: Math.round(limitMs / 1000) });
  // A version that tells nothing of it has at least said yes.
  return otaUnlock === false ? new FlashError('diy-locked', { deviceid }) : undefined;
}

/** A device that hangs may answer no other request until it gives up, which takes minutes (docs/dev/diy-mode.md#1.6, #1.13). */
async function infoAfter(
  { result }: DiyOutcome,
  { client }: FoundDevice,
  { signal, waits }: UnlockOptions,
): Promise<DiyInfo> {
  const giveUpAt = performance.now() + (result === 'lost' ? waits.lanHangsMs : 0);
  for (;;) {
    try {
      return await client.identify({ signal, limitMs: ANSWER_MS });
    } catch (thrown) {
      if (asFlashError(thrown).code !== 'diy-unreachable' || performance.now() >= giveUpAt) throw thrown;
    }
    await pause(waits.lanLookMs, signal);
  }
}
