import type { AnnouncementName } from './announcements';

/** Announcements that ask a person for something: without a hand the flash does not go on. */
const NEEDS_PERSON: ReadonlySet<AnnouncementName> = new Set<AnnouncementName>([
  'wait-for-ap',
  'look-for-ap',
  'ap-trouble',
  'wifi-trouble',
  'cloud-trouble',
  'upgrade-trouble',
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

export function needsPerson(name: AnnouncementName): boolean {
  return NEEDS_PERSON.has(name);
}
