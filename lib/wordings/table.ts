import { ACTION_WORDINGS } from './action';
import { ADDRESS_WORDINGS } from './address';
import { CONNECTION_WORDINGS } from './connection';
import { DEVICE_WORDINGS } from './device';
import { FIRMWARE_WORDINGS } from './source';
import { IMAGE_WORDINGS } from './image-file';
import { LOG_WORDINGS } from './log';
import { MESSAGE_WORDINGS } from './message';
import { METHOD_WORDINGS } from './method';
import { TASMOTA_WORDINGS } from './tasmota';
import { TERM_WORDINGS } from './term';
import { TLS_WORDINGS } from './tls';
import { VALUE_WORDINGS } from './value';
import { WIFI_WORDINGS } from './wifi';

/**
 * The closed sets, one for each concept. They are clauses and names: small letter, no full stop. The build puts them into
 * the catalogue of `sonota-host`, from which other languages take over.
 */
export const WORDING_SETS = {
  action: ACTION_WORDINGS,
  address: ADDRESS_WORDINGS,
  connection: CONNECTION_WORDINGS,
  device: DEVICE_WORDINGS,
  firmware: FIRMWARE_WORDINGS,
  image: IMAGE_WORDINGS,
  log: LOG_WORDINGS,
  message: MESSAGE_WORDINGS,
  method: METHOD_WORDINGS,
  tasmota: TASMOTA_WORDINGS,
  term: TERM_WORDINGS,
  tls: TLS_WORDINGS,
  value: VALUE_WORDINGS,
  wifi: WIFI_WORDINGS,
} as const;

type Sets = typeof WORDING_SETS;

/** Of all sets: a code belongs to one of them. */
export type WordingCode = { [Name in keyof Sets]: keyof Sets[Name] }[keyof Sets];

export const WORDINGS: Readonly<Record<WordingCode, string>> = Object.assign(
  {},
  ...Object.values(WORDING_SETS),
) as never;

export const WORDING_CODES = Object.keys(WORDINGS) as WordingCode[];
