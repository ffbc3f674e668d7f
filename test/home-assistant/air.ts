import type { OwnNetwork, VirtualRadio } from '../../lib/virtual/device/radio';

/**
 * The networks that devices make themselves, as far as this machine is in them: a device reaches us, and we reach it,
 * only once a person has joined its network.
 */
export class Air {
  private readonly waiting: { readonly ssid: string; readonly open: () => void }[] = [];
  /** Joined before the device showed it. */
  private readonly joined: string[] = [];
  private isOver = false;

  readonly radio: Pick<VirtualRadio, 'openAccessPoint'> = {
    openAccessPoint: async ({ ssid }: OwnNetwork) => {
      if (this.isOver || take(this.joined, (one) => one === ssid) !== undefined) return;
      await new Promise<void>((open) => this.waiting.push({ ssid, open }));
    },
  };

  /** The person's action: once for each time that a device shows the network. */
  join(ssid: string): void {
    const device = take(this.waiting, (one) => one.ssid === ssid);
    if (device) device.open();
    else this.joined.push(ssid);
  }

  /** Lets every device continue, so that it can be stopped. */
  end(): void {
    this.isOver = true;
    for (const { open } of this.waiting.splice(0)) open();
  }
}

function take<T>(list: T[], isWanted: (one: T) => boolean): T | undefined {
  const at = list.findIndex(isWanted);
  return at < 0 ? undefined : list.splice(at, 1)[0];
}
