/** More than a home has; anyone on the network can make up devices. */
export const RECENT_AT_MOST = 200;
/** A device that is switched on dials again within two minutes (docs/dev/stock-firmware.md#2.2). */
export const RECENT_MS = 24 * 60 * 60_000;

/**
 * What is known of devices: of those that nothing holds the 200 that were seen last, each for 24 h. A device that is held,
 * by a session, a job or what a person did with it, is neither counted nor forgotten.
 */
export class RecentDevices<T> {
  /** The one that was seen longest ago first. */
  private readonly devices = new Map<string, { readonly value: T; readonly seenAt: number }>();
  /** With as many there is nothing to forget, as far as was known when they were looked through last. */
  private roomFor = RECENT_AT_MOST;

  constructor(
    private readonly held: () => ReadonlySet<string>,
    private readonly now: () => number = Date.now,
  ) {}

  get(deviceid: string): T | undefined {
    return this.devices.get(deviceid)?.value;
  }

  all(): { readonly value: T; readonly seenAt: number }[] {
    return [...this.devices.values()];
  }

  /** Keeps what is known of a device that was seen. */
  saw(deviceid: string, value: T, seenAt = this.now()): void {
    this.devices.delete(deviceid);
    this.devices.set(deviceid, { value, seenAt });
    // With each sign of life of each device: they are looked through only where one of them may go.
    const [oldest] = this.devices.values();
    const mayBeTooOld = oldest !== undefined && oldest.seenAt < this.now() - RECENT_MS;
    if (this.devices.size > this.roomFor || mayBeTooOld) this.forgetOld();
  }

  /** Keeps what became known of a device in another way. */
  learn(deviceid: string, value: T): void {
    const before = this.devices.get(deviceid);
    if (before) this.devices.set(deviceid, { ...before, value });
    else this.saw(deviceid, value);
  }

  delete(deviceid: string): boolean {
    return this.devices.delete(deviceid);
  }

  /** @returns whether anything was forgotten */
  forgetOld(): boolean {
    const since = this.now() - RECENT_MS;
    const held = this.held();
    const others = [...this.devices].filter(([deviceid]) => !held.has(deviceid));
    const surplus = others.length - RECENT_AT_MOST;
    const forgotten = others.filter(([, { seenAt }], index) => index < surplus || seenAt < since);
    for (const [deviceid] of forgotten) this.devices.delete(deviceid);
    this.roomFor = this.devices.size + RECENT_AT_MOST - (others.length - forgotten.length);
    return forgotten.length > 0;
  }
}
