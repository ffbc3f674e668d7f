import type { ErrorCode } from '../../errors';
import type { ImagePlan } from '../../firmware/firmware';
import type { ProgressTextName, ProgressValues } from '../../progress-texts';
import type { Observation } from '../observation';
import type { RouteWaits } from './route-waits';
import type { RouteName, StageName } from '../stages';

/** Locks of which only one device at a time may hold each: FinalStage has one network name and one address for all devices. */
export type RouteLock = 'finalstage';

/** Help for a person whose device has its image, and shows nothing. */
export interface Rescue {
  /**
   * @param jobs every flash of the device, the oldest first
   * @throws FlashError why the device must be left alone
   */
  readonly refuse: (jobs: readonly Pick<FlashSoFar, 'evidence'>[], deviceid: string) => void;
  /** Tells the person what to do, step by step. Rejects with the signal's reason. */
  readonly coach: (
    report: (name: ProgressTextName, values?: ProgressValues) => void,
    waits: Pick<RouteWaits, 'rescueOffMs' | 'rescueStepMs'>,
    signal: AbortSignal,
  ) => Promise<void>;
}

/** One stage of a route. */
export interface RouteStage {
  readonly stage: StageName;
  /** The part of the job's percent that it covers; 100 is reported by the end of the last stage alone. */
  readonly percent: readonly [from: number, to: number];
  /** The job is done once this stage has ended well. */
  readonly isLast?: true;
}

/** The part of a job that shows how far its device is. */
export interface FlashSoFar {
  hasLeft(stage: StageName): boolean;
  readonly evidence: { readonly all: readonly Observation[] };
  /** The downloads of the device in FinalStage; undefined where it cannot be there. */
  readonly finalStage: { readonly deliveries: { readonly final?: object } } | undefined;
}

/**
 * A way in which a device gets its new firmware: all that differs between the ways (docs/dev/design.md#7). Nothing
 * outside this folder compares names of routes.
 */
export interface Route extends ImagePlan {
  readonly name: RouteName;
  /** In their order; what is not among them is passed by. */
  readonly stages: readonly RouteStage[];
  /** The lock that a device holds from its upgrade to the end of its flash. */
  readonly lock?: RouteLock;
  /** The last stage in which the device fetches images: behind it none is kept, and only the new firmware is awaited. */
  readonly servesUntil: StageName;
  /** The stage after which the device puts its new firmware in place automatically, without a sign of life. */
  readonly darkAfter?: StageName;
  /** The rescue that a person can be coached to where its new firmware stays silent. */
  readonly rescue?: Rescue;
  /** Why nothing shows itself after that, where it means more than `new-firmware-silent`. */
  readonly whenSilent?: ErrorCode;
  /** A flash that failed in this stage is resumed in it: its device does not come back to an earlier one. */
  readonly resumesAt?: StageName;
  /** Whether the flash must not be started again without a person: the device is to be left alone and looked at. */
  isPastReturn(job: FlashSoFar): boolean;
}
