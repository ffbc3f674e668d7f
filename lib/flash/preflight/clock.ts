import { passed, warned, type Check } from './check';

/** Machines without a battery-backed clock begin long before this project. */
const FIRST_PLAUSIBLE_YEAR = 2024;

export function checkClock(now: Date): Check {
  const date = now.toISOString().slice(0, 10);
  if (now.getUTCFullYear() < FIRST_PLAUSIBLE_YEAR) return warned('clock', 'clock-wrong', { date });
  return passed('clock', 'clock-wrong', `The clock of this machine says ${date}.`);
}
