import type { DiscoveryOptions } from '../../client/diy/discovery';
import { FlashError } from '../../errors';
import { isLoopback, ownIPv4 } from '../../net/addresses';
import type { Network } from '../../net/networks';
import type { WifiSession } from '../radio/wifi-session';
import type { StageHost } from '../stage/stage-host';
import { DeviceSurvey } from './device-survey';
import { wording } from '../../wordings/wording';

/** For a look at the access points, its turn at the radio included. */
const SCAN_SECONDS = 20;

interface SurveyedHost extends Pick<StageHost, 'directory' | 'devices' | 'jobs' | 'radio' | 'waits' | 'addressToDial'> {
  readonly wifiSession: WifiSession;
}

/** The survey of all that a host sees. */
export function surveyOf(host: SurveyedHost, discovery?: DiscoveryOptions): DeviceSurvey {
  const { directory, devices, jobs } = host;
  const survey = new DeviceSurvey({
    directory,
    connected: () => devices.connected(),
    latestJob: (deviceid) => jobs.latest(deviceid),
    scan: async (signal) => {
      const { driver } = await host.radio.choice(signal);
      return driver === 'manual' ? undefined : await host.wifiSession.scan({ signal, seconds: SCAN_SECONDS });
    },
    network: () => networkOf(host.addressToDial()),
    discovery,
    handOverMs: host.waits.handOverMs,
  });
  devices.on('gone', survey.update);
  jobs.on('changed', (_job, isDurable) => isDurable && survey.update());
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
