import { passed, warned, type SaidCheck } from './check';
import { phrase } from './phrases';

/** Machines without a battery-backed clock start at a date long before this project. */
const FIRST_PLAUSIBLE_YEAR = 2024;

export function checkClock(now: Date): SaidCheck {
  const date = now.toISOString().slice(0, 10);
  if (now.getUTCFullYear() < FIRST_PLAUSIBLE_YEAR) return warned('clock', 'clock-wrong', { date });
  return passed('clock', 'clock-wrong', phrase('clock', { date }));
}
