import type { DiyClient, DiyOutcome } from '../../../client/diy/diy-client';
import type { RequestOptions } from '../../../client/device-request';
import type { DiyCommand } from '../../../protocol/diy/commands';
import { pause } from '../../../timing/pause';
import type { Waits } from '../waits';

export interface OnceFreeOptions extends RequestOptions {
  readonly waits: Pick<Waits, 'lanHangsMs' | 'lanLookMs'>;
  /** Whether the device may get the command twice; default true. */
  readonly isRepeatable?: boolean;
}

/**
 * Sends a command, and again while another program has the device's only connection, which may hang for minutes there
 * (docs/dev/diy-mode.md#1.6).
 *
 * @throws FlashError `cancelled`, or the signal's reason
 */
export async function sendOnceFree(
  client: DiyClient,
  command: DiyCommand,
  { waits, isRepeatable = true, ...options }: OnceFreeOptions,
): Promise<DiyOutcome> {
  const giveUpAt = performance.now() + waits.lanHangsMs;
  for (;;) {
    const outcome = await client.send(command, options);
    const isTurnedAway = 'isTurnedAway' in outcome && outcome.isTurnedAway === true;
    if (!isTurnedAway || (outcome.result === 'lost' && !isRepeatable)) return outcome;
    if (performance.now() >= giveUpAt) return outcome;
    await pause(waits.lanLookMs, options.signal);
  }
}
