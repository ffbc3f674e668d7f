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
    this.forgetOld();
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
    // Looked at with each sign of life of each device; who is held is a longer question.
    const mayBeSurplus = this.devices.size > RECENT_AT_MOST;
    if (!mayBeSurplus && !this.all().some(({ seenAt }) => seenAt < since)) return false;
    const held = this.held();
    const others = [...this.devices].filter(([deviceid]) => !held.has(deviceid));
    const surplus = others.length - RECENT_AT_MOST;
    const forgotten = others.filter(([, { seenAt }], index) => index < surplus || seenAt < since);
    for (const [deviceid] of forgotten) this.devices.delete(deviceid);
    return forgotten.length > 0;
  }
}
