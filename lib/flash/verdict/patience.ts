/** How long a verdict waits until the absence of something means something, in ms. */
export interface Patience {
  /**
   * A joined access point that answers nothing: its server needs 1 s after it has appeared
   * (docs/dev/stock-firmware.md#1.3).
   */
  readonly apSilent: number;
  /**
   * After the set-up a device dials within 25 s, and later about every minute (docs/dev/stock-firmware.md#1.5, #2.2).
   */
  readonly nothingArrived: number;
  /** A device that dials speaks at once. */
  readonly saysNothing: number;
  /** A device that is turned down tries again after 1 s at the least, then after 2 (docs/dev/stock-firmware.md#2.2). */
  readonly refusalSpan: number;
  /** A device asks for its image at once after the command; one that cannot reach it tries for seconds. */
  readonly noRequest: number;
  /** A refusal that comes sooner than this is no failed connection. */
  readonly failedConnection: number;
  /**
   * A one-hop file is unpacked and written within this, also with the slowest erases of the flash
   * (docs/dev/esp8266-images.md#5.4).
   */
  readonly oneHopWrites: number;
  /** FinalStage dials twice a second (docs/dev/stock-firmware.md#5). */
  readonly finalStageDials: number;
  /** FinalStage asks within seconds of a connect; one that only connects for this long is half erased (SonOTA#30). */
  readonly halfErased: number;
  /** Between its last look before and its first after a restart FinalStage is away for at least 10 s of blinking. */
  readonly restart: number;
  /** FinalStage comes back by itself within 15 s of a failed try (docs/dev/stock-firmware.md#5). */
  readonly leftEarly: number;
  /** After user2 it needs up to a minute, and a person must join again. */
  readonly secondCycle: number;
  /** A device that has everything and vanished without a goodbye may yet come back. */
  readonly unconfirmed: number;
}

export const PATIENCE: Patience = {
  apSilent: 15_000,
  nothingArrived: 90_000,
  saysNothing: 10_000,
  refusalSpan: 2000,
  noRequest: 20_000,
  failedConnection: 3000,
  oneHopWrites: 105_000,
  finalStageDials: 30_000,
  halfErased: 60_000,
  restart: 8000,
  leftEarly: 20_000,
  secondCycle: 90_000,
  unconfirmed: 60_000,
};
