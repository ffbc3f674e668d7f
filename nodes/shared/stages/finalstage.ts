import type { FlashHost } from '../../../lib/flash/host/host';
import type { Job } from '../../../lib/flash/job/job';
import { finalStage } from '../../../lib/flash/stage/finalstage';
import { FINALSTAGE_ADDRESS } from '../../../lib/protocol/finalstage';
import type { StageStep } from '../stage-step';
import type { UpgradeForm } from './upgrade';

export interface FinalStageForm extends Pick<UpgradeForm, 'timeoutSeconds' | 'firmware' | 'newFirmwareUrl'> {
  /** FinalStage's own address; the real one where undefined. */
  readonly url: string | undefined;
}

export const finalStageStep: StageStep<FinalStageForm> = {
  stage: 'finalstage',
  oneAtATime: true,
  plan: ({ host: { flashHost }, form, said }) => {
    const { timeoutSeconds = 900, url = `http://${FINALSTAGE_ADDRESS}` } = form;
    const deviceid = said.deviceId();
    const sources = form.firmware(said);
    const newFirmwareUrl = form.newFirmwareUrl() ?? said.httpUrl('newfirmware');
    return {
      deviceid,
      findJob: () => jobInFinalStage(flashHost, deviceid),
      run: (context) => finalStage(context, flashHost, { timeoutSeconds, url, sources, newFirmwareUrl }),
    };
  },
};

/** A flash that is resumed here may not know its device: then it is the one job that waits, if there is one. */
function jobInFinalStage(host: Pick<FlashHost, 'jobs'>, deviceid: string | undefined): Job {
  const waiting = host.jobs.awaitingFinalStage().filter((job) => !job.running);
  const [only, ...others] = waiting;
  if (deviceid === undefined && only !== undefined && others.length === 0) return only;
  return host.jobs.jobFor('finalstage', deviceid);
}
