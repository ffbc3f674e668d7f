import { FlashError } from '../../errors';
import { isLoopback, ownIPv4 } from '../../net/addresses';
import type { Network } from '../../net/networks';
import { latestOfAllJobs } from '../job/all-jobs';
import type { WifiSession } from '../radio/wifi-session';
import type { StageHost } from '../stage/stage-host';
import { DeviceSurvey } from './device-survey';
import { wording } from '../../wordings/wording';

/** For a look at the access points, its turn at the radio included. */
const SCAN_SECONDS = 20;

interface SurveyedHost extends Pick<
  StageHost,
  'directory' | 'devices' | 'radio' | 'discovery' | 'waits' | 'addressToDial'
> {
  readonly wifiSession: WifiSession;
}

/** The survey of all that a host sees; it is to be updated when a job of any host changes. */
export function surveyOf(host: SurveyedHost): DeviceSurvey {
  const { directory, devices } = host;
  const survey = new DeviceSurvey({
    directory,
    connected: () => devices.connected(),
    latestJob: latestOfAllJobs,
    scan: async (signal) => {
      const { driver } = await host.radio.choice(signal);
      return driver === 'manual' ? undefined : await host.wifiSession.scan({ signal, seconds: SCAN_SECONDS });
    },
    network: () => networkOf(host.addressToDial()),
    discovery: host.discovery,
    handOverMs: host.waits.handOverMs,
  });
  devices.on('gone', survey.update);
  return survey;
}

/** The network in which this machine has an address. @throws FlashError `address-invalid` */
function networkOf(address: string): Network {
  const own = isLoopback(address)
    ? { address, netmask: '255.255.255.0' }
    : ownIPv4().find((one) => one.address === address);
  if (own) return own;
  throw new FlashError('address-invalid', { reason: wording('address-gone', { address }) });
}
