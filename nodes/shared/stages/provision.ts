import { FlashError } from '../../../lib/errors';
import { provision } from '../../../lib/flash/stage/provision';
import type { ProvisionMethod } from '../../../lib/flash/stage/provision-method';
import { AP_URL } from '../../../lib/protocol/ap';
import { homeWifi, type HomeWifi } from '../hosts';
import type { MessageValues } from '../messages';
import type { StageStep } from '../stage-step';

export interface ProvisionForm {
  /** Of the access point; its own where undefined. */
  readonly url: string | undefined;
  readonly timeoutSeconds: number | undefined;
  /** The one device that is provisioned. */
  readonly only: string | undefined;
  /** The set-up for a message. */
  readonly method: (said: MessageValues) => ProvisionMethod;
  /** Of the node's own form, before the host's. */
  readonly wifi?: HomeWifi;
}

export const provisionStep: StageStep<ProvisionForm> = {
  stage: 'provision',
  oneAtATime: true,
  plan: ({ host, form: { only, url = AP_URL, timeoutSeconds = 600, method, wifi }, said }) => {
    const { flashHost } = host;
    const meant = said.deviceId();
    if (only !== undefined && meant !== undefined && meant !== only) throw anotherDevice(only, meant);
    const deviceid = only ?? meant;
    const options = {
      ...{ url, timeoutSeconds, ...homeWifi(host, said, wifi), deviceid },
      ...{ method: method(said), force: said.flag('force') },
    };
    return {
      deviceid,
      findJob: () => flashHost.jobs.jobFor('provision', deviceid),
      run: (context) => provision(context, flashHost, options),
    };
  },
};

function anotherDevice(only: string, meant: string): FlashError {
  return new FlashError('device-unknown', { reason: `this node takes only ${only}, not ${meant}`, known: only });
}
