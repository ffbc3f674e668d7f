import type { Project } from '../../image';
import { FlashError } from '../../errors';
import { NEW_FIRMWARE_AP_ADDRESS } from '../../protocol/new-firmware';
import type { Job } from '../job/job';
import type { StageHost } from '../stage/stage-host';
import { setUpTasmota } from '../../tasmota/set-up';
import { giveWifiToEsphome } from './esphome';
import type { NextStepContext } from './next-steps';
import { wording } from '../../wordings/wording';

/** New firmware that can be given the home Wi-Fi. */
const GIVABLE = ['tasmota', 'esphome'] as const satisfies readonly Project[];
export type Givable = (typeof GIVABLE)[number];

/** For a person who joins its network; s. */
const TIMEOUT_SECONDS = 300;

export interface WifiToGive {
  readonly ssid: string | undefined;
  /** Empty for an open Wi-Fi. A secret. */
  readonly password: string | undefined;
  /** Where the access point of the new firmware is, where a person knows better. */
  readonly apUrl?: string | undefined;
}

export function isGivable(project: string | undefined): project is Givable {
  return GIVABLE.some((one) => one === project);
}

/**
 * Gives the new firmware of a flash that is done the home Wi-Fi, in the access point that it opens.
 *
 * @returns the address of its page at home, where that is known
 * @throws FlashError `wifi-credentials-missing`, `tasmota-*`, `portal-unreachable`, `cancelled`
 */
export async function giveWifi(
  host: StageHost,
  job: Job,
  project: Givable,
  { ssid, password, apUrl = `http://${NEW_FIRMWARE_AP_ADDRESS}` }: WifiToGive,
  { signal, report }: NextStepContext,
): Promise<string | undefined> {
  if (!ssid) throw new FlashError('wifi-credentials-missing', { what: wording('wifi-name') });
  if (password === undefined) throw new FlashError('wifi-credentials-missing', { what: wording('wifi-password') });
  const timeoutSeconds = TIMEOUT_SECONDS;
  if (project === 'esphome') {
    await giveWifiToEsphome(host, job, { ssid, password, apUrl, timeoutSeconds, report }, signal);
    return undefined;
  }
  const { mac, linkMac, bssid, model, ip } = job.facts;
  const nothing = { mqtt: undefined, topic: undefined, name: undefined, template: undefined, webPassword: undefined };
  const device = { mac, linkMac, bssid, model, ip };
  const settings = { ssid, password, ...nothing };
  const { url } = await setUpTasmota(
    host,
    { device, settings, apUrl, homeUrl: undefined, timeoutSeconds, report },
    signal,
  );
  return url;
}
