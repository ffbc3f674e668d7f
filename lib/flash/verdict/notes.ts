/** The verdicts without a fault: the one table of them. */
const NOTES = {
  'on-course': 'Nothing is wrong as far as can be seen.',
  'plain-firmware': 'The device has old firmware without TLS and came to the plain port, which is served as well.',
  'finalstage-again':
    'FinalStage has taken user2 and appears a second time, which is normal for a device whose stock firmware ran from user2.',
  'one-hop-unconfirmed':
    'The device has fetched its whole image, but did not acknowledge it. It has not connected again either, so it most likely runs its new firmware.',
  'device-reported': 'The device itself has reported that its new firmware is written.',
  'device-left': 'The device has fetched every byte and left its stock firmware ({signs}); it reported no result.',
  'firmware-same-mac': 'The new firmware answers, and names the MAC address of the device.',
  'firmware-own-network': 'The new firmware answers in its own Wi-Fi network. There was no MAC address to compare.',
  'firmware-page': 'New firmware answers where the device was looked for. There was no MAC address to compare.',
} as const;

export type NoteCode = keyof typeof NOTES;

export const NOTE_CODES = Object.keys(NOTES) as NoteCode[];

/** The note's sentence, with `{name}`s. */
export function noteText(code: NoteCode): string {
  return NOTES[code];
}

export function isNote(code: string): code is NoteCode {
  return Object.hasOwn(NOTES, code);
}
