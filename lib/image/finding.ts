/** The doctor's findings on an image: one for each thing that is wrong, doubtful or worth knowing. */

import { sentencesOf, type ErrorCode, type ErrorValues } from '../errors';
import type { MendName } from './mend';
import { fill } from '../wordings/wording';

export type Severity = 'refuse' | 'warn' | 'note';

/** Findings that never stop a flash. What stops one is a code of the error table, which Catch nodes see. */
export const ADVICE = {
  'image-odd-length': {
    what: 'The file has {size} bytes, which is no multiple of four; FinalStage writes in words.',
    remedy: 'Take the copy that is padded to {padded} bytes.',
  },
  'image-near-limit': {
    what: "The file has {size} bytes; ITEAD's own tool takes none over {proven}, though {limit} fit.",
    remedy: 'Prefer a smaller build; if there is none, this one should go, too.',
  },
  'image-trailing-bytes': {
    what: 'Behind the image there are {trailing} bytes that belong to nothing.',
    remedy: "They do no harm; compare the digest with the publisher's if you do not expect them.",
  },
  'image-signed': {
    what: 'Behind the image stands a signature, as signed Arduino images have it.',
    remedy: 'It does no harm: only the firmware itself looks at signatures, and only in updates.',
  },
  'image-unknown-loader': {
    what: 'The image has no CRC-32, and its boot loader is of no release of the Arduino core: not all damage would show.',
    remedy: "Compare its digest with the publisher's.",
  },
  'image-flash-frequency': {
    what: 'The header says {frequency} for the flash; stock firmware runs it at 40 MHz.',
    remedy: 'Prefer a build for 40 MHz: not every flash chip in a Sonoff keeps up with more.',
  },
  'image-linked-for-larger-flash': {
    what: 'The code was linked for {linked} of flash, whatever its header says.',
    remedy: 'Use a build for 1 MB of flash: this one may not be able to store its settings.',
  },
  'image-core-build': {
    what: "This is ESPurna's core build, which has no web page and only serves to fetch another.",
    remedy: 'Use the build for your device.',
  },
  'image-eboot-raw': {
    what: 'Its boot loader (eboot) is of the older kind, which unpacks no gzip.',
    remedy: 'Make its first update later with a .bin, not with a .bin.gz.',
  },
  'image-unknown-firmware': {
    what: 'The content names no firmware that is known here.',
    remedy: "Make sure that it is the file you want, and compare its digest with the publisher's.",
  },
  'image-rehearsal': {
    what: 'The image is made for rehearsals with a virtual Sonoff; no real device is ever given it.',
    remedy: 'Choose a real image before you flash a real device.',
  },
  'image-slot-untold': {
    what: 'Nothing in the image tells for which of the two slots it is linked.',
    remedy: 'Make sure by its name or its source that it is meant for {place}.',
  },
  'image-not-finalstage': {
    what: 'Nothing in the image says that it is FinalStage: what it does after its start is not known here.',
    remedy: 'Use the FinalStage pair, unless you know that this image fetches the final one automatically.',
  },
  'image-one-hop': {
    what: 'This is a one-hop image: a final image of {size} bytes, and what puts it in place.',
    remedy: 'It does for either slot, and needs no FinalStage.',
  },
  'image-old-finalstage': {
    what: 'This FinalStage is of 2017: once interrupted after it has erased the flash, it cannot continue.',
    remedy: 'Prefer the pair of 2018, which is in the catalog.',
  },
  'image-without-crc': {
    what: 'The image has no CRC-32: damage in the part that stays in flash cannot be seen.',
    remedy: "Compare its digest with the publisher's.",
  },
} as const satisfies Record<string, { what: string; remedy: string }>;

export type AdviceCode = keyof typeof ADVICE;
export type FindingCode = ErrorCode | AdviceCode;

/** Plain data: it may go into a message as it is. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** One sentence: what was found. */
  readonly text: string;
  /** One sentence: what to do. */
  readonly remedy: string;
  /** The values that fill the sentences. */
  readonly values: ErrorValues;
  /** A safe change of a copy that puts it right, where there is one. */
  readonly mend?: MendName;
}

/** A finding that keeps the image from this place; its code is one of the error table. */
export interface Refusal extends Finding {
  readonly code: ErrorCode;
  readonly severity: 'refuse';
}

/** A finding that keeps the image from its place. */
export function refusal(code: ErrorCode, values: ErrorValues, mend?: MendName): Refusal {
  return { ...ofError(code, values), severity: 'refuse', ...(mend && { mend }) };
}

/** A finding that is a refusal elsewhere, but only a doubt here. */
export function doubt(code: ErrorCode, values: ErrorValues, mend?: MendName): Finding {
  return { ...ofError(code, values), severity: 'warn', ...(mend && { mend }) };
}

/** A finding worth a warning or a note, and never a refusal. */
export function advice(
  severity: 'warn' | 'note',
  code: AdviceCode,
  values: ErrorValues = {},
  mend?: MendName,
): Finding {
  const { what, remedy } = ADVICE[code];
  return { code, severity, text: fill(what, values), remedy: fill(remedy, values), values, ...(mend && { mend }) };
}

export function isRefusal(finding: Finding): finding is Refusal {
  return finding.severity === 'refuse';
}

function ofError(
  code: ErrorCode,
  values: ErrorValues,
): { code: ErrorCode; text: string; remedy: string; values: ErrorValues } {
  const { what, remedy } = sentencesOf(code, values);
  return { code, text: what, remedy, values };
}
