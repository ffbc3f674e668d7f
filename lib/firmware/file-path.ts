/** A file as people write where it is. */

import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wording, type Wording } from '../wordings/wording';

export interface FileSystem {
  readonly platform: NodeJS.Platform;
  /** The folder of the user that Node-RED runs as: `~`. */
  readonly home: string;
  /** Node-RED's own user folder, where there is one. */
  readonly userFolder: string | undefined;
}

/** Where to look for a file, the first that exists counts; or why it cannot be there. */
export type FilePlaces = { readonly paths: readonly [string, ...string[]] } | { readonly reason: Wording };

const QUOTED = /^(["'])(.*)\1$|^[“„«](.*)[”“»]$|^[‘‚](.*)[’‘]$/s;
const DRIVE = /^[a-z]:([\\/]|$)/i;
/** Looks like the name of a server: `www.example.org/x.bin`. */
const SERVER = /^(www\.|[a-z\d-]+(\.[a-z\d-]+)*\.(com|org|net|io|de|fr|eu|dev|info|lan|local)(:\d+)?\/)/i;

export function thisFileSystem(userFolder: string | undefined): FileSystem {
  return { platform: process.platform, home: homedir(), userFolder };
}

/** A source without the quotes that a file manager or a shell has put around it. */
export function withoutQuotes(given: string): string {
  const [, , plain, double, single] = QUOTED.exec(given.trim()) ?? [];
  return (plain ?? double ?? single ?? given).trim();
}

/**
 * Finds what a path means on the machine that runs Node-RED, which need not be the one with the browser.
 *
 * @param given without quotes
 */
export function placesOf(given: string, { platform, home, userFolder }: FileSystem): FilePlaces {
  if (/^file:\/\//i.test(given)) return ofFileUrl(given);
  const isWindows = platform === 'win32';
  if (!isWindows && DRIVE.test(given)) return { reason: wording('no-file-drive') };
  if (!isWindows && given.startsWith('\\\\')) {
    return { reason: wording('no-file-share') };
  }
  const [, below = ''] = /^~(?:[\\/](.*))?$/s.exec(given) ?? [];
  if (/^~([\\/]|$)/.test(given)) return { paths: [join(home, below)] };
  if (isAbsolute(given) || userFolder === undefined) return { paths: [resolve(given)] };
  return { paths: [resolve(given), join(userFolder, given)] };
}

/** Why a file that was looked for is not there. */
export function whyNoFile(given: string): Wording {
  return SERVER.test(given) ? wording('no-file-address', { given }) : wording('no-file');
}

function ofFileUrl(given: string): FilePlaces {
  try {
    return { paths: [fileURLToPath(given)] };
  } catch {
    return { reason: wording('no-file') };
  }
}
