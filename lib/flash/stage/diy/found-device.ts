import { DiyClient } from '../../../client/diy/diy-client';
import { SonoffDiscovery, type AnnouncedSonoff, type DiscoveryOptions } from '../../../client/diy/discovery';
import { pause } from '../../../timing/pause';
import { asFlashError, FlashError } from '../../../errors';
import type { DiyInfo } from '../../../protocol/diy/reply';
import type { EwelinkRecord } from '../../../protocol/diy/txt-record';
import { waitFor } from '../../../timing/wait';
import { wording } from '../../../wordings/wording';

/** For one answer of the device. */
export const ANSWER_MS = 10_000;
/** Between two looks at an address without an answer. */
export const LOOK_AGAIN_MS = 2000;

export interface FoundDevice {
  readonly client: DiyClient;
  /** As it dials us. */
  readonly address: string;
  readonly port: number;
  readonly info: DiyInfo;
  /** Its announcement; undefined where it was asked at an address. */
  readonly record: EwelinkRecord | undefined;
}

export interface Wanted {
  readonly deviceid: string | undefined;
  /** IPv4, with a port where it is another than 8081; undefined: by what it announces. */
  readonly address: string | undefined;
  readonly discovery?: DiscoveryOptions | undefined;
}

/**
 * Finds a device in DIY mode and asks it for its identity, until there is an answer.
 *
 * @throws FlashError as `DiyClient.identify`, but `diy-unreachable`; `diy-encrypted` for one that announces eWeLink mode;
 *   the signal's reason
 */
export async function findDevice(wanted: Wanted, signal: AbortSignal): Promise<FoundDevice> {
  const { address } = wanted;
  return address === undefined ? await byAnnouncement(wanted, signal) : await atAddress(wanted, address, signal);
}

async function atAddress({ deviceid }: Wanted, address: string, signal: AbortSignal): Promise<FoundDevice> {
  const [host = '', port] = address.split(':');
  for (;;) {
    const client = new DiyClient(host, { deviceid, ...(port === undefined ? {} : { port: Number(port) }) });
    const info = await identifyIfThere(client, signal);
    if (info) return { client, address: host, port: Number(new URL(client.url).port), info, record: undefined };
    await pause(LOOK_AGAIN_MS, signal);
  }
}

async function byAnnouncement({ deviceid, discovery: options }: Wanted, signal: AbortSignal): Promise<FoundDevice> {
  const discovery = new SonoffDiscovery(options);
  try {
    discovery.start();
    for (;;) {
      const found = deviceid === undefined ? await theOnly(discovery, signal) : await discovery.find(deviceid, signal);
      const { address, port, record } = found;
      if (record.encrypt) throw new FlashError('diy-encrypted', { deviceid: found.deviceid });
      const client = new DiyClient(address, { port, deviceid: found.deviceid });
      const info = await identifyIfThere(client, signal);
      if (info) return { client, address, port, info, record };
      await pause(LOOK_AGAIN_MS, signal);
    }
  } finally {
    await discovery.close();
  }
}

/**
 * The device in DIY mode where none is named.
 * @throws FlashError `device-unknown` where there are several
 */
async function theOnly(discovery: SonoffDiscovery, signal: AbortSignal): Promise<AnnouncedSonoff> {
  const inDiyMode = (): AnnouncedSonoff[] => discovery.sonoffs.filter(({ record }) => !record.encrypt);
  await waitFor(discovery, ['found'], () => inDiyMode()[0], { signal });
  // Others answer within the same moment.
  await pause(LOOK_AGAIN_MS, signal);
  const [only, ...others] = inDiyMode();
  if (!only) return await theOnly(discovery, signal);
  if (others.length === 0) return only;
  const known = [only, ...others].map((one) => one.deviceid).join(', ');
  throw new FlashError('device-unknown', { reason: wording('several-in-diy-mode'), known });
}

async function identifyIfThere(client: DiyClient, signal: AbortSignal): Promise<DiyInfo | undefined> {
  try {
    return await client.identify({ signal, limitMs: ANSWER_MS });
  } catch (thrown) {
    if (asFlashError(thrown).code !== 'diy-unreachable') throw thrown;
    return undefined;
  }
}
