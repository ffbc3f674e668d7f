import type { JobSnapshot } from '../../lib/flash/job/job';
import type { ShownDevice } from '../../lib/home-assistant';
import { NEW_FIRMWARE_AP_ADDRESS } from '../../lib/protocol/new-firmware';

const MAC = /^([\da-f]{2}:){5}[\da-f]{2}$/i;

/** When the last stage of a job started. */
export function lastUse({ startedAt, stages }: JobSnapshot): string {
  const starts = Object.values(stages).map((stage) => stage.startedAt);
  return [startedAt, ...starts].reduce((last, one) => (Date.parse(one) > Date.parse(last) ? one : last));
}

/** The facts that the new firmware has shown. In its own access point it has no page of its own. */
export function newFirmwareIn({ stages, mac }: JobSnapshot): Partial<ShownDevice> {
  const found = stages.newfirmware;
  const [url, version] = [found?.['url'], found?.['version']];
  const own = found?.['mac'] ?? mac;
  const page = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  const isAtHome = page !== undefined && page.hostname !== NEW_FIRMWARE_AP_ADDRESS;
  return {
    page: isAtHome ? page.href : undefined,
    installedVersion: typeof version === 'string' ? version : undefined,
    ...(typeof own === 'string' && MAC.test(own) ? { mac: own.toUpperCase() } : {}),
  };
}
