import { pause } from '../../../timing/pause';
import type { StageContext } from '../../run/task';
import type { Waits } from '../waits';
import { ANSWER_MS, type FoundDevice } from './found-device';
import { noteCommand } from './note-command';

/** There and back. */
const CLICKS = 2;

/** A relay is audible; closer together it is one noise. */
export const BETWEEN_MS = 500;

/**
 * Shows a person which device is about to be flashed: its relay clicks, and the flash waits so that the person can cancel
 * it. Only for a person who asked for that, since it switches what is connected. The relay is left as it was found, also
 * where the flash is cancelled meanwhile; a device that does not tell how it stands is not touched.
 *
 * @throws FlashError `cancelled` or the signal's reason; `diy-*` where the relay could not be switched back
 */
export async function clickRelay(
  { job, report }: Pick<StageContext, 'job' | 'report'>,
  { client, info, address }: FoundDevice,
  { signal, waits }: { readonly signal: AbortSignal; readonly waits: Pick<Waits, 'clickMs'> },
): Promise<void> {
  const { relay } = info;
  if (relay === undefined) return;
  const seconds = Math.round(waits.clickMs / 1000);
  report('diy-click', { deviceid: client.deviceid ?? address, seconds }, { fraction: 0.06 });
  for (let click = 0; click < CLICKS; click++) {
    try {
      const there = await client.send({ name: 'switch', switch: opposite(relay) }, { signal, limitMs: ANSWER_MS });
      noteCommand(job, 'switch', there);
      await pause(BETWEEN_MS, signal);
    } finally {
      // A command that was cancelled may have been taken.
      await switchBack(relay);
    }
  }
  await pause(waits.clickMs, signal);

  async function switchBack(to: 'on' | 'off'): Promise<void> {
    // With a limit, but no signal: what is switched is switched back.
    const options = { signal: new AbortController().signal, limitMs: ANSWER_MS };
    const back = await client.send({ name: 'switch', switch: to }, options);
    noteCommand(job, 'switch', back);
    if (back.result !== 'done') throw client.errorOf('switch', back, options);
  }
}

function opposite(relay: 'on' | 'off'): 'on' | 'off' {
  return relay === 'on' ? 'off' : 'on';
}
