/** Which of several Node-REDs at one broker something comes from: each of our nodes has an id of its own. */

import { readObject } from './content';

/** Eight hex digits. */
export const INSTANCE_ID = /^[0-9a-f]{8}$/;

const ONLINE = /^online ([0-9a-f]{8})$/;

/** The payload of an instance under the status topic while it is there. */
export function onlineWord(instance: string): string {
  return `online ${instance}`;
}

/** The instance that announces itself; undefined for a word that names none, such as the broker's birth message. */
export function instanceOf(word: string): string | undefined {
  return ONLINE.exec(word)?.[1];
}

/** Whose a config is; undefined for one from before instances had ids. */
export function ownerOf(config: unknown): string | undefined {
  const availability = readObject(config)?.['availability'];
  const [first] = Array.isArray(availability) ? (availability as unknown[]) : [];
  const word = readObject(first)?.['payload_available'];
  return typeof word === 'string' ? instanceOf(word) : undefined;
}
