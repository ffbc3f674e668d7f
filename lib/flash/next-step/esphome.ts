import { setTimeout as pause } from 'node:timers/promises';
import { readWebPage } from '../../client/web-page';
import { FlashError } from '../../errors';
import { isInNetwork, NEW_FIRMWARE_NETWORK } from '../../protocol/device-networks';
import { hasKept, PORTAL_PATH, readPortal, savePath, type EsphomePortal } from '../../protocol/esphome-portal';
import type { Job } from '../job/job';
import { NetworkVisit } from '../radio/network-visit';
import { newFirmwareVisit } from '../radio/join-plans';
import type { StageHost } from '../stage/stage-host';
import { firstOf } from '../../timing/first-of';
import { withinLimit } from '../../timing/time-limit';
import type { NextStepContext } from './next-steps';

export const LOOK_PAUSE_MS = 1000;
export const LOOK_LIMIT_MS = 4000;

export interface EsphomeOptions {
  readonly ssid: string;
  /** A secret. */
  readonly password: string;
  /** Of its own access point, `http://192.168.4.1`. */
  readonly apUrl: string;
  readonly timeoutSeconds: number;
  readonly report: NextStepContext['report'];
}

/**
 * Gives an ESPHome the home Wi-Fi in its captive portal: once a person has joined its access point, or automatically where
 * that is open and this machine can.
 *
 * @throws FlashError `portal-unreachable`, `cancelled`
 */
export async function giveWifiToEsphome(
  host: StageHost,
  job: Job,
  options: EsphomeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { apUrl: url, timeoutSeconds: seconds, report } = options;
  const radio = host.hasWifi(url) ? new NetworkVisit(host.radio, job.evidence, newFirmwareVisit(job)) : undefined;
  const limit = { seconds, whenOver: () => new FlashError('portal-unreachable', { url, seconds }) };
  try {
    report('wait-for-portal');
    await withinLimit(signal, limit, (limited) =>
      firstOf<true>(limited, [
        (either) => untilKept(host, job, options, either),
        // A person may join all the same.
        ...(radio ? [(either: AbortSignal) => joinIfPossible(radio, either)] : []),
      ]),
    );
  } finally {
    await radio?.leave();
  }
}

async function joinIfPossible(radio: NetworkVisit, signal: AbortSignal): Promise<never> {
  return await radio.keepJoined(signal).catch(async () => {
    signal.throwIfAborted();
    return await pause(2 ** 31 - 1, undefined as never, { signal });
  });
}

async function untilKept(host: StageHost, job: Job, options: EsphomeOptions, signal: AbortSignal): Promise<true> {
  const { apUrl, ssid, password } = options;
  for (;;) {
    const portal = isInside(host, apUrl) ? await portalAt(apUrl, signal) : undefined;
    if (portal && mayBeOf(portal, job)) {
      const answer = await readWebPage(new URL(savePath(ssid, password), apUrl), { signal, limitMs: LOOK_LIMIT_MS });
      if (typeof answer !== 'string' && hasKept(answer)) return true;
    }
    await pause(LOOK_PAUSE_MS, undefined, { signal });
  }
}

async function portalAt(url: string, signal: AbortSignal): Promise<EsphomePortal | undefined> {
  const page = await readWebPage(new URL(PORTAL_PATH, url), { signal, limitMs: LOOK_LIMIT_MS });
  return typeof page === 'string' ? undefined : readPortal(page);
}

/** Another device's portal is left alone. */
function mayBeOf({ mac }: EsphomePortal, job: Job): boolean {
  const own = job.facts.mac?.toUpperCase();
  return mac === undefined || own === undefined || mac === own;
}

/** From outside, the address of the access point is another host's, if any. */
function isInside(host: StageHost, url: string): boolean {
  if (!host.hasWifi(url)) return true;
  return host.ownAddresses(url).some(({ address }) => isInNetwork(address, NEW_FIRMWARE_NETWORK));
}
