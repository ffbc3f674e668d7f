import { existsSync } from 'node:fs';

const SETPRIV = '/usr/bin/setpriv';

/**
 * A command whose process ends with ours, however ours ends: a program that a test has started must not hold its ports
 * after a run that was cut off at its limit. Linux only; elsewhere it is the command itself.
 */
export function tied(command: string, args: readonly string[]): [command: string, args: string[]] {
  return existsSync(SETPRIV) ? [SETPRIV, ['--pdeathsig', 'TERM', '--', command, ...args]] : [command, [...args]];
}
