import type { DeviceContext } from './context';
import { pause } from './timers';

const LOOK_MS = 5;

/** Waits while a behaviour holds the device at this many written bytes. Rejects with the signal's reason. */
export async function hold({ behaviours, log }: DeviceContext, written: number, signal: AbortSignal): Promise<void> {
  const isHeld = (): boolean => behaviours.holdsAtByte !== undefined && written >= behaviours.holdsAtByte;
  if (!isHeld()) return;
  log(`held at byte ${written}`);
  while (isHeld()) await pause(LOOK_MS, signal);
}
