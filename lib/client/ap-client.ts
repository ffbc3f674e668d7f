import { FlashError } from '../errors';
import {
  AP_DEVICE_PATH,
  AP_PROVISION_PATH,
  parseDeviceInfo,
  parseProvisioningReply,
  provisioningBody,
  type DeviceInfo,
  type Provisioning,
} from '../protocol/ap';
import { AP_DIY_PATH, diyProvisioningBody, isDiyPage, type DiyProvisioning } from '../protocol/diy/access-point';
import { requestOfDevice, type RequestOptions } from './device-request';
import { readWebPage } from './web-page';
import { wording, type Wording } from '../wordings/wording';

/**
 * Asks the device whose access point this machine is in for its identity. One attempt: the caller repeats it.
 *
 * @param url the device's, such as http://10.10.7.1
 * @throws FlashError `ap-unreachable`, `ap-refused` where the answer is not a Sonoff's, `cancelled`
 */
export async function readDevice(url: string, options: RequestOptions): Promise<DeviceInfo> {
  const outcome = await requestOfDevice({ method: 'GET', url: deviceUrl(url, AP_DEVICE_PATH) }, options);
  switch (outcome.result) {
    case 'answered':
      return parseDeviceInfo(outcome.body, url);
    case 'aborted':
      throw new FlashError('cancelled');
    default:
      throw unreachable(url, options, outcome.reason);
  }
}

/**
 * Gives the device its Wi-Fi and its server. The device answers before it tries them and then leaves its access point,
 * often before its answer is out: once it has the request, a lost answer most likely means yes
 * (docs/dev/stock-firmware.md#1.3).
 *
 * @throws FlashError `ap-unreachable` where nothing was sent, `ap-refused` with the device's code, `cancelled`; and as
 *   `provisioningBody`
 */
export async function postProvisioning(
  url: string,
  provisioning: Provisioning,
  options: RequestOptions,
): Promise<'accepted' | 'probably-accepted'> {
  return await postSettings(url, AP_PROVISION_PATH, provisioningBody(provisioning), options);
}

/**
 * Gives the device its Wi-Fi and brings it into DIY mode. It answers and leaves as after `postProvisioning`.
 *
 * @throws FlashError as `postProvisioning`; and as `diyProvisioningBody`
 */
export async function postDiyProvisioning(
  url: string,
  provisioning: DiyProvisioning,
  options: RequestOptions,
): Promise<'accepted' | 'probably-accepted'> {
  return await postSettings(url, AP_DIY_PATH, diyProvisioningBody(provisioning), options);
}

/**
 * Asks a device of firmware 3.x for the page of its DIY mode. One without DIY mode is silent, or says that it has no page
 * (docs/dev/diy-mode.md#2.6).
 *
 * @throws FlashError `ap-unreachable` for an address that is none, `cancelled`
 */
export async function readDiyPage(url: string, options: RequestOptions): Promise<'page' | 'none' | 'silent'> {
  const page = await readWebPage(deviceUrl(url, '/'), { ...options, isEnough: isDiyPage });
  if (options.signal.aborted) throw new FlashError('cancelled');
  if (typeof page === 'string') return 'silent';
  return isDiyPage(page) ? 'page' : 'none';
}

async function postSettings(
  url: string,
  path: string,
  body: string,
  options: RequestOptions,
): Promise<'accepted' | 'probably-accepted'> {
  const outcome = await requestOfDevice({ method: 'POST', url: deviceUrl(url, path), body }, options);
  switch (outcome.result) {
    case 'answered':
      parseProvisioningReply(outcome.body, url);
      return 'accepted';
    case 'lost':
      return 'probably-accepted';
    case 'aborted':
      throw new FlashError('cancelled');
    case 'unsent':
      throw unreachable(url, options, outcome.reason);
  }
}

/** The path is the device's alone: whatever the user's address has behind the host is left out. */
function deviceUrl(url: string, path: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:') {
    throw new FlashError('ap-unreachable', { url, seconds: 0, reason: wording('not-an-http-address') });
  }
  return new URL(path, parsed);
}

function unreachable(url: string, { limitMs }: RequestOptions, reason: Wording): FlashError {
  return new FlashError('ap-unreachable', { url, seconds: Math.round(limitMs / 1000), reason });
}
