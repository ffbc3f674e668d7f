/** The process of the devices. */

import { answerParent } from './child';
import { WireDevice, type WireDeviceTimes } from './wire-device';

export interface Fleet {
  readonly count: number;
  readonly port: number;
  readonly sectorMs: number;
  /** Prefix of the ids, so that no two fleets of a run have the same devices. */
  readonly first: number;
}

/** Times in ms. */
export interface FleetTimes {
  /** From the first dispatch to the last acknowledgement. */
  readonly total: number;
  readonly toUpgrade: readonly number[];
  readonly ranges: readonly number[];
}

let devices: WireDevice[] = [];
let held: (() => void)[] = [];
let running: Promise<WireDeviceTimes[]> | undefined;

function start({ count, port, sectorMs, first }: Fleet): void {
  devices = Array.from({ length: count }, (_, index) => {
    const deviceid = `1000${(first + index).toString(16).padStart(6, '0')}`;
    return new WireDevice({ deviceid, port, sectorMs });
  });
}

answerParent({
  async flash(fleet: Fleet): Promise<FleetTimes> {
    start(fleet);
    const begun = performance.now();
    const times = await Promise.all(devices.map((device) => device.flash()));
    return {
      total: performance.now() - begun,
      toUpgrade: times.map(({ toUpgrade }) => toUpgrade),
      ranges: times.flatMap(({ ranges }) => ranges),
    };
  },

  /** An image of any server on this machine, by ranges. */
  async fetch({ url }: { url: string }): Promise<readonly number[]> {
    const { port } = new URL(url);
    return await new WireDevice({ deviceid: '1000ffffff', port: Number(port), sectorMs: 0 }).download(new URL(url));
  },

  /** Resolves when each device has its whole image and none has acknowledged it. */
  async fetchAll(fleet: Fleet): Promise<void> {
    start(fleet);
    held = [];
    await new Promise<void>((resolve, reject) => {
      const hold = (): Promise<void> =>
        new Promise((goOn) => {
          held.push(goOn);
          if (held.length === fleet.count) resolve();
        });
      running = Promise.all(devices.map((device) => device.flash(hold)));
      running.catch(reject);
    });
  },

  async acknowledgeAll(): Promise<void> {
    for (const goOn of held) goOn();
    await running;
  },

  leave(): void {
    for (const device of devices) device.leave();
    devices = [];
  },
});
