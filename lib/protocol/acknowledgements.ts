import type { ErrorCode } from '../errors';

/**
 * What each acknowledgement of an upgrade means (docs/dev/stock-firmware.md#3.8). The numbers are the device's own, not
 * HTTP's; 0 is the image written and verified, and any other number is not known.
 */
export const REFUSALS = {
  'download-failed': [404],
  'upgrade-malformed': [400, 403, 405],
  'model-refused': [406, 411],
  'digest-refused': [409],
  'version-refused': [410],
} as const satisfies Partial<Record<ErrorCode, readonly number[]>>;

export type RefusalCode = keyof typeof REFUSALS;

/** @returns undefined for 0, and for a number that is not known */
export function refusalOf(acknowledgement: number): RefusalCode | undefined {
  const entries = Object.entries(REFUSALS) as [RefusalCode, readonly number[]][];
  return entries.find(([, numbers]) => numbers.includes(acknowledgement))?.[0];
}
