import type { ProgressTextName } from '../../progress-texts';

/** Announcements that ask a person for something: without a hand the flash does not go on. */
const NEEDS_PERSON: ReadonlySet<ProgressTextName> = new Set<ProgressTextName>([
  'wait-for-ap',
  'look-for-ap',
  'ap-trouble',
  'wifi-trouble',
  'cloud-trouble',
  'upgrade-trouble',
  'diy-click',
  'diy-look',
  'diy-trouble',
  'wait-for-finalstage',
  'finalstage-wrong-address',
  'finalstage-trouble',
  'finalstage-again',
  'user2-stalled',
  'finalstage-away',
  'leave-finalstage',
  'several-wait',
  'wait-for-new-firmware',
  'new-firmware-stranger',
  'wait-for-tasmota',
  'wait-for-portal',
  'output-leads-nowhere',
]);

export function needsPerson(name: ProgressTextName): boolean {
  return NEEDS_PERSON.has(name);
}
