import { FlashError } from '../../errors';
import { pause } from '../../timing/pause';
import type { Rescue } from './route';

/** Tasmota counts seven starts; the last one stays on (docs/dev/diy-mode.md#1.13). */
const CYCLES = 6;
const COUNT_MS = 1000;

/** The device says of what it wrote that it is not what was announced (docs/dev/diy-mode.md#1.7, #1.12). */
const WRONG_DIGEST = { answered: 471, reported: 409 };

/**
 * Counts Tasmota's fast power-cycle for a person: a device whose LED blinks slowly, and that opens no Wi-Fi, runs its new
 * firmware with settings that are not its own, and this resets them (docs/dev/diy-mode.md#1.4, #1.15). Resolves when the
 * power is on for good.
 *
 * @throws the signal's reason
 */
export const coachPowerCycle: Rescue['coach'] = async (report, { rescueOffMs, rescueStepMs }, signal) => {
  for (let left = rescueOffMs; left > 0; left -= COUNT_MS) {
    report('rescue-off', { seconds: Math.ceil(left / COUNT_MS) });
    await pause(Math.min(COUNT_MS, left), signal);
  }
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    report('rescue-on', { cycle, cycles: CYCLES });
    await pause(rescueStepMs, signal);
    report('rescue-cut', { cycle, cycles: CYCLES });
    await pause(rescueStepMs, signal);
  }
  report('rescue-stay-on');
};

/**
 * A device that wrote something else than it was to write may not start again: it must keep its power until it is flashed
 * once more.
 *
 * @throws FlashError `diy-digest-differs`
 */
export const refuseAfterWrongDigest: Rescue['refuse'] = (jobs, deviceid) => {
  const last = jobs
    .flatMap(({ evidence }) => evidence.all)
    .flatMap((seen) => {
      if (seen.kind === 'result-reported') return [{ error: seen.error, wrong: WRONG_DIGEST.reported }];
      const isFlash = seen.kind === 'command' && seen.command === 'ota_flash' && seen.error !== undefined;
      return isFlash ? [{ error: seen.error, wrong: WRONG_DIGEST.answered }] : [];
    })
    .at(-1);
  if (last && last.error === last.wrong) throw new FlashError('diy-digest-differs', { deviceid, error: last.error });
};
