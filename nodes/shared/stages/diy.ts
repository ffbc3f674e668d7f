import type { FirmwareSources } from '../../../lib/firmware/firmware';
import { diyFlash } from '../../../lib/flash/stage/diy/diy-flash';
import type { MessageValues } from '../messages';
import type { StageStep } from '../stage-step';
import type { Values } from '../values';

export interface DiyForm {
  readonly timeoutSeconds: number | undefined;
  /** Where the device is; found by what it announces where undefined. */
  readonly address: string | undefined;
  /** `local`: this machine may unlock the device where the maker's service does not. */
  readonly unlock: 'local' | undefined;
  /** Its relay clicks before the flash. */
  readonly clicks: boolean;
  /** Also a device that may be of another chip. */
  readonly force: boolean;
  /** The firmware for a message; undefined where neither form nor message names one. */
  readonly firmware: (said: MessageValues) => FirmwareSources | undefined;
}

export const diyStep: StageStep<DiyForm> = {
  stage: 'diy',
  oneAtATime: true,
  plan: ({ host: { flashHost }, form, said }) => {
    const { timeoutSeconds = 600, force, clicks } = form;
    const unlock = readUnlock(said) ?? form.unlock;
    const deviceid = said.deviceId();
    // What a message says is of one device, the form's of whichever comes.
    const url = said.httpUrl('address') ?? form.address;
    const address = url === undefined ? undefined : new URL(url).host;
    const options = { timeoutSeconds, deviceid, address, force, clicks, unlock, sources: form.firmware(said) };
    return {
      deviceid,
      findJob: () => flashHost.jobs.jobFor('diy', deviceid),
      run: (context) => diyFlash(context, flashHost, options),
    };
  },
};

/** @throws FlashError `value-invalid` */
export function readUnlock(values: Values): DiyForm['unlock'] {
  return values.choice('unlock', ['local']);
}
