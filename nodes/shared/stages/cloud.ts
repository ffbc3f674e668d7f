import { cloud } from '../../../lib/flash/stage/cloud';
import type { StageStep } from '../stage-step';

export interface CloudForm {
  readonly timeoutSeconds: number | undefined;
  /** Also a device whose firmware is known not to take the upgrade. */
  readonly force: boolean;
}

export const cloudStep: StageStep<CloudForm> = {
  stage: 'cloud',
  oneAtATime: false,
  plan: ({ host: { flashHost }, form: { timeoutSeconds = 300, force }, said }) => {
    const deviceid = said.deviceId();
    return {
      deviceid,
      findJob: () => flashHost.jobs.jobFor('cloud', deviceid),
      run: (context) => cloud(context, flashHost, { timeoutSeconds, deviceid, force }),
    };
  },
};
