import type { DeviceKeys } from './device-keys';

/**
 * A device that is there dials again within two minutes (docs/dev/stock-firmware.md#2.2); a claim that is older counts
 * no longer.
 */
export const CLAIM_MS = 10 * 60_000;
/** Of one device; more are never needed to know that something is wrong. */
const CLAIMS_KEPT = 8;
const DEVICES_KEPT = 1000;

/**
 * The peer, as far as its key identifies it:
 * - `device`: the key that was read in its access point; or, if none was, the only one that any peer states
 * - `session`: a session key of ours, which the device must drop for its own
 * - `other-key`: not the key that was read in its access point
 * - `second-key`: not the key that `rival` states
 */
export type Claim = { readonly as: 'device' } | { readonly as: 'session' } | RejectedClaim;

export type RejectedClaim = { readonly as: 'other-key' } | { readonly as: 'second-key'; readonly rival: string };

interface Claimant {
  readonly peer: string;
  readonly at: number;
}

/** The peers that state a device's id. The id is in the name of its Wi-Fi for all to read: only its key makes it the device. */
export class Claims {
  /** By device and key, the first that came first. */
  private readonly claimants = new Map<string, Map<string, Claimant>>();

  constructor(
    private readonly keys: DeviceKeys,
    private readonly now: () => number = Date.now,
  ) {}

  /** Judges, and keeps, that `peer` states this id and this key. */
  of(deviceid: string, apikey: string, peer: string): Claim {
    if (this.keys.wasIssued(deviceid, apikey)) return { as: 'session' };
    const claimants = this.note(deviceid, apikey, peer);
    const isPinned = this.keys.isPinnedTo(deviceid, apikey);
    if (isPinned !== undefined) return { as: isPinned ? 'device' : 'other-key' };
    const [first] = claimants;
    return first && first[0] !== apikey ? { as: 'second-key', rival: first[1].peer } : { as: 'device' };
  }

  /** The addresses of two peers that state the same id with different keys, where nothing shows which of them it is. */
  rivals(deviceid: string): readonly [string, string] | undefined {
    const claimants = this.fresh(deviceid);
    const [first, second] = claimants;
    if (!first || !second || this.keys.isPinnedTo(deviceid, first[0]) !== undefined) return undefined;
    return [first[1].peer, second[1].peer];
  }

  /** What its access point states settles whose key it is. */
  pin(deviceid: string, apikey: string): void {
    this.claimants.delete(deviceid);
    this.keys.pin(deviceid, apikey);
  }

  /** Accepts the only peer that states this id as the device, although its key is not the one that was read. */
  acceptOnlyClaimant(deviceid: string): void {
    const [only, second] = this.fresh(deviceid);
    if (only && !second && this.keys.isPinnedTo(deviceid, only[0]) === false) this.keys.unpin(deviceid);
  }

  /** A claim stays in its place in the order for as long as it is repeated. */
  private note(deviceid: string, apikey: string, peer: string): Map<string, Claimant> {
    const claimants = this.fresh(deviceid);
    const isNew = !claimants.has(apikey);
    if (!isNew || claimants.size < CLAIMS_KEPT) claimants.set(apikey, { peer, at: this.now() });
    this.claimants.delete(deviceid);
    this.claimants.set(deviceid, claimants);
    const [oldest] = this.claimants.keys();
    if (this.claimants.size > DEVICES_KEPT && oldest !== undefined) this.claimants.delete(oldest);
    return claimants;
  }

  private fresh(deviceid: string): Map<string, Claimant> {
    const since = this.now() - CLAIM_MS;
    return new Map([...(this.claimants.get(deviceid) ?? [])].filter(([, { at }]) => at >= since));
  }
}
