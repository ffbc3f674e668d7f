import { ROUTE_WAITS, type RouteWaits } from '../routes/route-waits';

/**
 * How long the host and its stages wait for a device, a person or the disk, in ms; what a verdict waits for is in
 * `Patience`. Given in from outside, so that a test need not wait as long.
 */
export interface Waits extends RouteWaits {
  /** A host is kept for so long without its config node: a deploy waits up to 15 s for the nodes that it closes. */
  readonly handOverMs: number;
  /** How often the host looks whether FinalStage's port is still needed. */
  readonly sweepMs: number;
  /** A job in FinalStage that no stage watches is served for so long: a person may need it to join the network. */
  readonly unwatchedVisitMs: number;
  /** A job that no stage continues ends when its device was silent for so long before its upgrade. */
  readonly staleJobMs: number;
  /** The host listens on for so long after a failure, so that what a person tries again finds the device still there. */
  readonly retryableMs: number;
  /** The stages may take so long to leave what they joined when the host closes; Node-RED waits for 15 s in all. */
  readonly leaveMs: number;
  /** A FinalStage transfer that has not moved for so long does not hold up the close of the host. */
  readonly deadTransferMs: number;

  /** Progress of a transfer is written to disk this often. */
  readonly flowMs: number;
  /** So far apart on the average are the writes of all that has changed, where more changes come than a flash has. */
  readonly writesMs: number;
  /** A disk that is full or gone is tried again after so long. */
  readonly retryMs: number;
  /**
   * The disk's time before a device: FinalStage gives up on an answer that has not started after 5 s
   * (docs/dev/stock-firmware.md#5).
   */
  readonly settleMs: number;

  /**
   * A device that has its set-up still answers in its access point for a second (docs/dev/stock-firmware.md#1.3); a
   * margin on top.
   */
  readonly apGoesMs: number;
  /** The turn of a device for its upgrade: each one before it has limits of its own, some 20 minutes in all. */
  readonly turnMs: number;
  /** The device gives itself 180 s for an upgrade and reports 404 when they are over; a margin on top. */
  readonly upgradeVerdictMs: number;
  /** An upgrade whose last byte went out this recently still flows. */
  readonly upgradeFlowsMs: number;

  /** FinalStage is gone when nothing was seen of it for so long (docs/dev/design.md#3.6). */
  readonly goneMs: number;
  /**
   * FinalStage that was not installed over restarts, blinks for 10 s and is back well before this
   * (docs/dev/stock-firmware.md#5).
   */
  readonly unconfirmedMs: number;
  /** A FinalStage transfer whose last byte went out this recently still flows. */
  readonly finalStageFlowsMs: number;
  /** After the last byte FinalStage takes a few seconds to go, and a person a little longer to leave its network. */
  readonly finalStageLeavesMs: number;
}

export const WAITS: Waits = {
  handOverMs: 20_000,
  sweepMs: 5000,
  unwatchedVisitMs: 15 * 60_000,
  staleJobMs: 24 * 60 * 60_000,
  retryableMs: 15 * 60_000,
  leaveMs: 10_000,
  deadTransferMs: 30_000,

  flowMs: 1000,
  writesMs: 100,
  retryMs: 5000,
  settleMs: 2000,

  apGoesMs: 10_000,
  turnMs: 60 * 60_000,
  upgradeVerdictMs: 190_000,
  upgradeFlowsMs: 10_000,

  goneMs: 3000,
  unconfirmedMs: 60_000,
  finalStageFlowsMs: 30_000,
  finalStageLeavesMs: 30_000,

  ...ROUTE_WAITS,
};
