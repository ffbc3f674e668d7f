/** How long the stages that not all routes have wait, in ms; see `Waits`. */
export interface RouteWaits {
  /** A device in its access point answers immediately; one that has no page never does (docs/dev/diy-mode.md#2.6). */
  readonly apPageMs: number;
  /** Without internet a device that is to be unlocked is silent for minutes, then closes (docs/dev/diy-mode.md#1.8). */
  readonly lanUnlockMs: number;
  /** How long a device may answer no other request after one that hangs (docs/dev/diy-mode.md#1.6, #1.13). */
  readonly lanHangsMs: number;
  /** A person has so long to cancel a flash after the relay has clicked. */
  readonly clickMs: number;
  /** Tasmota's fast power-cycle: first so long without power... */
  readonly rescueOffMs: number;
  /** ...then so long with and so long without it (docs/dev/diy-mode.md#1.13). */
  readonly rescueStepMs: number;
  /** A device that answers, and has fetched nothing for so long, has broken off its download. */
  readonly lanStalledMs: number;
  /** Between two looks at a device over the LAN. */
  readonly lanLookMs: number;

  /**
   * From acknowledgement 0 of a one-hop image on: 3 s until the device restarts, 15 to 20 s in which it unpacks and
   * writes without a sign of life (docs/dev/esp8266-images.md#5.4), and its new firmware's own start.
   */
  readonly darkMs: number;
  /**
   * With the slowest erases of the flash's data sheet the same takes 70 to 100 s (issue 11, B.8). Until then no stage
   * fails for silence, so no remedy asks for a power cut.
   */
  readonly darkAtMostMs: number;
  /** No device is through the dark sooner: what answers before was there already, and is another device. */
  readonly darkAtLeastMs: number;
}

export const ROUTE_WAITS: RouteWaits = {
  apPageMs: 3000,
  lanUnlockMs: 60_000,
  lanHangsMs: 180_000,
  clickMs: 10_000,
  rescueOffMs: 30_000,
  rescueStepMs: 2000,
  lanStalledMs: 30_000,
  lanLookMs: 1000,

  darkMs: 25_000,
  darkAtMostMs: 105_000,
  darkAtLeastMs: 8000,
};
