/** How long a verdict waits until the absence of something means something, in ms. */
export interface Patience {
  /**
   * A joined access point that answers nothing: its server needs 1 s after it has appeared
   * (docs/dev/stock-firmware.md#1.3).
   */
  readonly apSilentMs: number;
  /**
   * After the set-up a device dials within 25 s, and later about every minute (docs/dev/stock-firmware.md#1.5, #2.2).
   */
  readonly nothingArrivedMs: number;
  /** A device that dials speaks immediately. */
  readonly silentConnectionMs: number;
  /** A device that is turned down tries again after 1 s at the least, then after 2 (docs/dev/stock-firmware.md#2.2). */
  readonly refusalSpanMs: number;
  /** A device asks for its image directly after the command; one that cannot reach it tries for seconds. */
  readonly noRequestMs: number;
  /** A refusal that comes sooner than this is no failed connection. */
  readonly failedConnectionMs: number;
  /**
   * A one-hop file is unpacked and written within this, also with the slowest erases of the flash
   * (docs/dev/esp8266-images.md#5.4).
   */
  readonly oneHopWritesMs: number;
  /** FinalStage dials twice a second (docs/dev/stock-firmware.md#5). */
  readonly finalStageDialsMs: number;
  /** FinalStage asks within seconds of a connect; one that only connects for this long is half erased (SonOTA#30). */
  readonly halfErasedMs: number;
  /** Between its last look before and its first after a restart FinalStage is away for at least 10 s of blinking. */
  readonly restartMs: number;
  /** FinalStage returns automatically within 15 s of a failed try (docs/dev/stock-firmware.md#5). */
  readonly leftEarlyMs: number;
  /** After user2 it needs up to a minute, and a person must join again. */
  readonly secondCycleMs: number;
  /** A device that has everything and vanished without a goodbye may yet come back. */
  readonly unconfirmedMs: number;
}

export const PATIENCE: Patience = {
  apSilentMs: 15_000,
  nothingArrivedMs: 90_000,
  silentConnectionMs: 10_000,
  refusalSpanMs: 2000,
  noRequestMs: 20_000,
  failedConnectionMs: 3000,
  oneHopWritesMs: 105_000,
  finalStageDialsMs: 30_000,
  halfErasedMs: 60_000,
  restartMs: 8000,
  leftEarlyMs: 20_000,
  secondCycleMs: 90_000,
  unconfirmedMs: 60_000,
};
