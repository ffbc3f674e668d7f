import type { FlashHost } from '../../../lib/flash/host/host';
import type { Job } from '../../../lib/flash/job/job';
import { newFirmware } from '../../../lib/flash/stage/new-firmware';
import type { StageStep } from '../stage-step';

export interface NewFirmwareForm {
  readonly timeoutSeconds: number | undefined;
  readonly url: string | undefined;
}

export const newFirmwareStep: StageStep<NewFirmwareForm> = {
  stage: 'newfirmware',
  oneAtATime: true,
  plan: ({ host: { flashHost }, form, said }) => {
    const deviceid = said.deviceId();
    const url = form.url ?? said.httpUrl('newfirmware');
    const options = { timeoutSeconds: form.timeoutSeconds ?? 600, url, rescue: said.flag('rescue') };
    return {
      deviceid,
      findJob: () => jobToLookAfter(flashHost, deviceid),
      run: (context) => newFirmware(context, flashHost, options),
    };
  },
};

/** A flash that was resumed at FinalStage may not know its device: then it is the newest such one that is done. */
function jobToLookAfter(host: Pick<FlashHost, 'jobs'>, deviceid: string | undefined): Job {
  const nameless = host.jobs.all().findLast((job) => job.deviceid === undefined && job.stage === 'done');
  const [only, ...others] = host.jobs.awaitingNewFirmware();
  if (deviceid === undefined && only !== undefined && others.length === 0) return only;
  return deviceid === undefined && nameless ? nameless : host.jobs.jobFor('newfirmware', deviceid);
}
