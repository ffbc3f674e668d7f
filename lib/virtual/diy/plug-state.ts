import type { DiyBehaviours } from './behaviours';
import type { DiyProfile } from './versions';

const PULSE = { least: 500, most: 36_000_000, step: 500 };

/** The relay of the device and what belongs to it, from one boot to the next. */
export class PlugState {
  /** Grows with each reply and each change (docs/dev/diy-mode.md#1.5). */
  seq = 1;
  switch: 'on' | 'off' = 'off';
  startup: 'on' | 'off' | 'stay' = 'off';
  pulse: 'on' | 'off' = 'off';
  pulseWidth = PULSE.least;
}

/** The state as its announcement carries it (docs/dev/diy-mode.md#1.5, #2.5). */
export function stateJson({
  plug,
  profile,
  behaviours,
}: {
  plug: PlugState;
  profile: DiyProfile;
  behaviours: DiyBehaviours;
}): string {
  const { switch: relay, startup, pulse, pulseWidth } = plug;
  const led = profile.hasLedState ? { sledOnline: 'on' } : {};
  return JSON.stringify({ switch: relay, startup, pulse, ...led, pulseWidth, rssi: behaviours.rssi });
}

/** Takes a change out of a request's data; false where it does not fit. */
export function changePlug(
  plug: PlugState,
  name: 'switch' | 'startup' | 'pulse',
  data: Record<string, unknown>,
): boolean {
  const value = data[name];
  if (value !== 'on' && value !== 'off' && !(name === 'startup' && value === 'stay')) return false;
  const { pulseWidth: width = plug.pulseWidth } = data;
  if (name === 'pulse') {
    if (typeof width !== 'number' || width < PULSE.least || width > PULSE.most || width % PULSE.step) return false;
    plug.pulseWidth = width;
  }
  Object.assign(plug, { [name]: value, seq: plug.seq + 1 });
  return true;
}
