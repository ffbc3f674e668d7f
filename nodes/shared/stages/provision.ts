import { FlashError } from '../../../lib/errors';
import { provision } from '../../../lib/flash/stage/provision/provision';
import type { ProvisionMethod } from '../../../lib/flash/stage/provision-method';
import { AP_URL } from '../../../lib/protocol/ap';
import { homeWifi, type HomeWifi } from '../hosts';
import type { MessageValues } from '../messages';
import type { StageStep } from '../stage-step';
import { wording } from '../../../lib/wordings/wording';

export interface ProvisionForm {
  /** Of the access point; its own where undefined. */
  readonly url: string | undefined;
  readonly timeoutSeconds: number | undefined;
  /** The one device that is provisioned. */
  readonly only: string | undefined;
  /** The set-up for a message. */
  readonly method: (said: MessageValues) => ProvisionMethod;
  /** With the method `diy` and no device named, the only device that is in DIY mode at home counts as well. */
  readonly takesAnyInDiyMode?: boolean;
  /** Also firmware that is known not to take an upgrade. */
  readonly forcesCloud?: boolean;
  /** Of the node's own form, before the host's. */
  readonly wifi?: HomeWifi;
}

export const provisionStep: StageStep<ProvisionForm> = {
  stage: 'provision',
  oneAtATime: true,
  plan: ({ host, form, said }) => {
    const { flashHost } = host;
    const {
      only,
      url = AP_URL,
      timeoutSeconds = 600,
      method,
      takesAnyInDiyMode = false,
      forcesCloud = false,
      wifi,
    } = form;
    const meant = said.deviceId();
    if (only !== undefined && meant !== undefined && meant !== only) throw anotherDevice(only, meant);
    const deviceid = only ?? meant;
    const options = {
      ...{ url, timeoutSeconds, ...homeWifi(host, said, wifi), deviceid },
      ...{ method: method(said), takesAnyInDiyMode, force: said.flag('force'), forcesCloud },
    };
    return {
      deviceid,
      findJob: () => flashHost.jobs.jobFor('provision', deviceid),
      run: (context) => provision(context, flashHost, options),
    };
  },
};

function anotherDevice(only: string, meant: string): FlashError {
  return new FlashError('device-unknown', { reason: wording('takes-only', { only, meant }), known: only });
}
