import { FlashError } from '../../../errors';
import { methodOf } from '../../../protocol/compatibility';
import type { FoundDevice } from './found-device';
import { wording, type Wording } from '../../../wordings/wording';

/** The first version of DIY mode on an ESP8266; what has a lower one is another chip (docs/dev/diy-mode.md#1.1). */
const FIRST_MAJOR = 3;

/**
 * Refuses a device that is not known to be an ESP8266: an image for that chip would be its end, and its downloader does
 * not look (docs/dev/diy-mode.md#2.11).
 *
 * @throws FlashError `device-not-supported`
 */
export function requireEsp8266({ client, info, record, address }: FoundDevice): void {
  const reason = whyNot({ info, record });
  if (reason === undefined) return;
  const romVersion = info.fwVersion ?? wording('unknown');
  const deviceid = client.deviceid ?? address;
  throw new FlashError('device-not-supported', {
    deviceid,
    model: record?.type ?? wording('unknown'),
    romVersion,
    reason,
  });
}

function whyNot({ info, record }: Pick<FoundDevice, 'info' | 'record'>): Wording | undefined {
  if (info.hasChannels || record?.state?.hasChannels) return wording('several-channels');
  const major = Number(info.fwVersion?.split('.')[0] ?? FIRST_MAJOR);
  if (major < FIRST_MAJOR) return wording('other-chip', { romVersion: info.fwVersion ?? '?' });
  const { level, reason } = methodOf({ mdns: { type: record?.type ?? 'diy_plug' } });
  return level === 'unsupported' ? reason : undefined;
}
