/** The device's own pauses, in ms. A virtual device's `speed` divides them. */
export const PAUSES = {
  /** From the AP's start to its listening port. */
  apListens: 1000,
  /** From the reply to `POST /ap` to the AP's end. */
  apGoes: 1000,
  /** Joining the home network. */
  joinHome: 8000,
  /** From the connection to the dispatch request. */
  dispatchAfter: 200,
  /** The unit of the dispatch's back-off: 2^n to 2^(n+1) of it. */
  backoffUnit: 1000,
  /** The unit of the heartbeat's interval. */
  heartbeatUnit: 1000,
  /** The unit of the n-th reconnect of a ranged download. */
  reconnectUnit: 1000,
  /** From acknowledgement 0 to the reboot. */
  rebootAfter: 3000,
  /** A reboot. */
  boot: 500,
  /** The intermediate firmware's 100 blinks. */
  blink: 10_000,
  /** The relocator of a one-hop image moving itself to slot 2; and unpacking twice and writing, from there. */
  moves: 6000,
  relocates: 14_000,
  /** Between two connects of FinalStage. */
  finalStageDial: 500,
  /** Between two commands of Tasmota's backlog (SetOption34). */
  tasmotaBacklog: 200,
  /** The unit of the command Delay. */
  tasmotaDelayUnit: 100,
  /** From a change that needs a restart to the restart: up to two turns of its one-second clock. */
  tasmotaRestarts: 1500,
  /** Tasmota joining the home network. */
  tasmotaJoins: 5000,
  /** From a Wi-Fi that does not let it in to what WifiConfig says: 20 s and some more by its chip. */
  tasmotaGivesUp: 25_000,
  /** From being at home to the MQTT connection, and between two tries. */
  tasmotaMqtt: 2000,
  /** A request that is not answered at all. */
  tasmotaDropsAfter: 2000,
  /** DIY mode: between two requests. Its vendor asks for 200 ms, and timers of a client may be a little early. */
  lanRests: 150,
  /** From `ota_unlock` to the vendor's answer, and to the end of the connection where none comes. */
  unlocks: 500,
  unlockHangs: 120_000,
  /** From a Wi-Fi that does not let it in to the end of its tries. */
  diyGivesUp: 20_000,
} as const;

/** The device's limits for others, in ms. These stay as they are at any speed: the other side works in real time. */
export const LIMITS = {
  /** An unfinished request at the AP. */
  apRequest: 10_000,
  /** The AP's life time. */
  apOpen: 180_000,
  /** A TCP or TLS connection. */
  connect: 10_000,
  /** The reply to the dispatch and to the WebSocket handshake. */
  dispatchReply: 10_000,
  /** Until an unanswered or refused register or date is sent again. */
  askAgain: 3000,
  /** One reply of a download. */
  downloadReply: 10_000,
  /** A whole download. */
  upgrade: 180_000,
  /** FinalStage's wait for a reply's header. */
  finalStageHeader: 5000,
  /** The reply of the vendor's unlock service, and the answer to a DIY device's result. */
  vendorReply: 10_000,
  resultReply: 5000,
  /** Tasmota's access point, where it has a Wi-Fi to go back to. */
  tasmotaApOpen: 180_000,
} as const;

export type Timings = Record<keyof typeof PAUSES | keyof typeof LIMITS, number>;

/** All times of a device that runs `speed` times as fast; `overrides` are taken as they are. */
export function timingsAt(speed: number, overrides: Partial<Timings> = {}): Timings {
  const pauses = Object.entries(PAUSES).map(([name, ms]) => [name, ms / speed]);
  return { ...(Object.fromEntries(pauses) as Record<keyof typeof PAUSES, number>), ...LIMITS, ...overrides };
}
