import { FlashError } from '../../../lib/errors';
import type { FirmwareSources } from '../../../lib/firmware/firmware';
import type { FlashHost } from '../../../lib/flash/host/host';
import { upgrade } from '../../../lib/flash/stage/upgrade';
import type { MessageValues } from '../messages';
import type { StageStep } from '../stage-step';
import { wording } from '../../../lib/wordings/wording';

export interface UpgradeForm {
  readonly timeoutSeconds: number | undefined;
  /** Also a device whose firmware is known not to take the upgrade. */
  readonly force: boolean;
  /** The firmware for a message; undefined where neither form nor message names one. */
  readonly firmware: (said: MessageValues) => FirmwareSources | undefined;
  /** Where the new firmware is looked for at the end of the flash, if a form names a place. */
  readonly newFirmwareUrl: () => string | undefined;
}

export const upgradeStep: StageStep<UpgradeForm> = {
  stage: 'upgrade',
  oneAtATime: false,
  plan: ({ host: { flashHost }, form, said }) => {
    const { timeoutSeconds = 300, force } = form;
    const deviceid = said.deviceId() ?? onlyDeviceReady(flashHost);
    const sources = form.firmware(said);
    const newFirmwareUrl = form.newFirmwareUrl() ?? said.httpUrl('newfirmware');
    const options = { timeoutSeconds, deviceid, sources, force, newFirmwareUrl };
    return {
      deviceid,
      findJob: () => flashHost.jobs.jobFor('upgrade', deviceid),
      run: (context) => upgrade(context, flashHost, options),
    };
  },
};

/** @throws FlashError `device-not-ready`; `device-unknown` where several are; why the host does not listen */
function onlyDeviceReady(host: Pick<FlashHost, 'trouble' | 'devices'>): string {
  if (host.trouble) throw host.trouble;
  const known = host.devices.ready().flatMap(({ device }) => (device ? [device.deviceid] : []));
  const [only, ...others] = known;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) throw new FlashError('device-not-ready');
  throw new FlashError('device-unknown', { reason: wording('several-ready'), known: known.join(', ') });
}
