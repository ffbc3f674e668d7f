import type { DeviceContext } from '../../lib/virtual/device/context';
import type { VirtualResult } from '../../lib/virtual/device/options';
import type { VirtualDevice } from '../../lib/virtual/device/virtual-device';

/** A device of any kind. */
type Device = VirtualDevice<DeviceContext>;

/** As long as a real device would not notice a redeploy, neither must a virtual one. */
const HAND_OVER_MS = 5000;

/** Receives the events of a virtual device: the instance of its node that is deployed now. */
export interface RehearsalOutlet {
  state(name: string): void;
  /** It has ended, or runs its new firmware; called once. */
  ended(result: VirtualResult): void;
  /** A device that kept running is switched off. */
  off(): void;
}

interface Rehearsal {
  readonly device: Device;
  outlet: RehearsalOutlet | undefined;
  state: string;
  hasEnded: boolean;
  timer?: NodeJS.Timeout;
}

/** The virtual devices that are switched on, by the id of their node: they outlive a redeploy, as hardware does. */
const rehearsals = new Map<string, Rehearsal>();

/**
 * Switches a virtual device on; one that runs under this id is switched off first.
 * @throws where it cannot listen, or where its options are not possible
 */
export async function switchOn(id: string, make: () => Device, outlet: RehearsalOutlet): Promise<void> {
  await switchOff(id);
  const device = make();
  const rehearsal: Rehearsal = { device, outlet, state: 'off', hasEnded: false };
  rehearsals.set(id, rehearsal);
  device.on('state', (name: string) => {
    rehearsal.state = name;
    rehearsal.outlet?.state(name);
  });
  device.once('flashed', (result: VirtualResult) => {
    rehearsal.hasEnded = true;
    rehearsal.outlet?.ended(result);
  });
  try {
    await device.start();
  } catch (error) {
    rehearsals.delete(id);
    throw error;
  }
  void device.ended.then((result) => {
    if (rehearsals.get(id) === rehearsal) rehearsals.delete(id);
    if (rehearsal.hasEnded) rehearsal.outlet?.off();
    else rehearsal.outlet?.ended(result);
  });
}

/** A new instance of the node takes over the device that runs under its id. */
export function takeOver(id: string, outlet: RehearsalOutlet): void {
  const rehearsal = rehearsals.get(id);
  if (!rehearsal) return;
  clearTimeout(rehearsal.timer);
  rehearsal.outlet = outlet;
  outlet.state(rehearsal.state);
}

/** The instance goes; with `removed` for good, and the device with it. */
export async function detach(id: string, removed: boolean): Promise<void> {
  const rehearsal = rehearsals.get(id);
  if (!rehearsal) return;
  rehearsal.outlet = undefined;
  if (removed) await switchOff(id);
  else rehearsal.timer = setTimeout(() => void switchOff(id), HAND_OVER_MS);
}

/** A deploy is over, or Node-RED stops: devices that no node has taken over are switched off. */
export async function switchOffAbandoned(): Promise<void> {
  const abandoned = [...rehearsals].filter(([, { outlet }]) => !outlet);
  await Promise.all(abandoned.map(([id]) => switchOff(id)));
}

/** Switches off the device that runs under this id, if one does. */
export async function switchOff(id: string): Promise<void> {
  const rehearsal = rehearsals.get(id);
  if (!rehearsal) return;
  clearTimeout(rehearsal.timer);
  rehearsals.delete(id);
  await rehearsal.device.stop();
}
