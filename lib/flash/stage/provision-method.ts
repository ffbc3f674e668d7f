import { readDevice, readDiyPage } from '../../client/ap-client';
import type { RequestOptions } from '../../client/device-request';
import { FlashError } from '../../errors';
import type { DeviceInfo } from '../../protocol/ap';

/** The methods to choose from; `automatic` takes what the device shows. */
export const PROVISION_METHODS = ['automatic', 'cloud', 'diy'] as const;

export type ProvisionMethod = (typeof PROVISION_METHODS)[number];

/** The two set-ups that there are: for the emulated cloud, or for DIY mode. */
export type ChosenMethod = Exclude<ProvisionMethod, 'automatic'>;

export interface MethodChoice {
  /** The access point's address. */
  readonly url: string;
  readonly method: ProvisionMethod;
  /** Sends a device without any method to the emulated cloud. */
  readonly force: boolean;
}

/** A device that leaves this many requests for its page unanswered, but answers those for its identity, has no page. */
const SILENT_LOOKS = 2;
/** For the answer to the request for its identity. */
export const ANSWER_LIMIT_MS = 10_000;

/**
 * The set-up that a device in its access point gets. Nothing is posted to find it out: firmware that states no chip id is
 * set up for the emulated cloud, and what states one shows whether it has DIY mode by a page
 * (docs/dev/diy-mode.md#2.6).
 *
 * @param looks how long its page is waited for
 * @throws FlashError `diy-mode-missing` for firmware 3.x without DIY mode; `ap-unreachable`, `ap-refused` where the device
 *   has gone meanwhile; `cancelled`
 */
export async function methodFor(
  { deviceid, statesChipId }: DeviceInfo,
  { url, method, force }: MethodChoice,
  looks: RequestOptions,
): Promise<ChosenMethod> {
  if (method !== 'automatic') return method;
  if (!statesChipId) return 'cloud';
  if (await showsDiyPage(url, looks)) return 'diy';
  if (force) return 'cloud';
  throw new FlashError('diy-mode-missing', { deviceid, url });
}

async function showsDiyPage(url: string, looks: RequestOptions): Promise<boolean> {
  for (let look = 0; look < SILENT_LOOKS; look++) {
    const answer = await readDiyPage(url, looks);
    if (answer !== 'silent') return answer === 'page';
    // Of a device that has gone, a silence tells nothing.
    await readDevice(url, { ...looks, limitMs: ANSWER_LIMIT_MS });
  }
  return false;
}
