import { FlashError } from '../errors';
import type { Check, SaidCheck } from './check';
import type { SaidReport } from './preflight';

/** The checks of this machine that decide over every flash; the rest depends on facts that no check can see. */
const DECISIVE: ReadonlySet<Check['check']> = new Set<Check['check']>(['address', 'port', 'tls', 'wifi', 'firmware']);

/**
 * Why a flash of a real device cannot succeed, if that is certain: no person is to hold a button for it. Home Wi-Fi
 * settings that are missing count, although a table of checks only warns of them.
 */
export function certainFailure({ checks }: SaidReport): FlashError | undefined {
  const decisive = checks.find(
    ({ check, code, ok }) =>
      (ok === false && DECISIVE.has(check)) || (ok !== true && code === 'wifi-credentials-missing'),
  );
  return decisive && new FlashError(decisive.code, decisive.values);
}

/** The checks that speak against a flash without deciding it: a person may start all the same. */
export function doubts({ checks }: SaidReport): readonly SaidCheck[] {
  return checks.filter(({ ok, code }) => ok !== true && code !== 'rehearsal-only');
}
