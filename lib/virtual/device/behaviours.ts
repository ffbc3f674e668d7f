/** The deviations of one virtual device from a healthy one. Each is a plain value; a newer one replaces an older. */
export interface Behaviours {
  /** false: it never reaches the home network, as with a wrong Wi-Fi password. */
  joinsHomeNetwork: boolean;
  /** The body that it really sends as its dispatch. */
  dispatchBody: (json: string) => string;
  /** true: it keeps the key of its last session and registers with it, until the server answers that it is unknown. */
  keepsSessionKey: boolean;
  /** false: it never sends `query`, as some firmware. */
  sendsQuery: boolean;
  /** true: it sends broken JSON, JSON of a wrong shape and a binary frame after it has registered. */
  sendsGarbage: boolean;
  /** Refuses an upgrade with this acknowledgement code before any download. */
  refusesWith: number | undefined;
  /** true: `version` must have at most 5 characters and be greater, as text, than the device's own; else 410. */
  comparesVersion: boolean;
  /** Reboots once, when this many bytes of a download are written. */
  crashesAtByte: number | undefined;
  /** Loses the download's connection when this many bytes of it are written... */
  losesConnectionAtByte: number | undefined;
  /** ...this many times, in a download by ranges. */
  losesConnectionTimes: number;
  /** true: after a lost connection it restarts the download instead of continuing it. */
  restartsDownload: boolean;
  /** false: its connects to the server of the images go nowhere. */
  reachesImages: boolean;
  /** false: after the download it falls silent: no acknowledgement, no reboot. */
  acknowledges: boolean;
  /** Time it takes over each block that it writes (4096 bytes of an upgrade, 1024 in FinalStage), in ms. */
  blockPauseMs: number;
  /** Takes nothing more once so many bytes of a download or of an image in FinalStage are written, until it changes. */
  holdsAtByte: number | undefined;
  /** true: a bit of what it has written and acknowledged flips before its first start. */
  imageRots: boolean;
  /** A part of its flash takes no erase and no write: first and last sector of 4096 bytes. */
  flashRefuses: readonly [first: number, last: number] | undefined;
  /** false: FinalStage's connects go nowhere. */
  finalStageDials: boolean;
  /** Another client has 192.168.4.2 in FinalStage's network. The radio is notified; FinalStage dials no host. */
  finalStageStolen: boolean;
  /** Loses its power once, when this many bytes of the final image have arrived. */
  losesPowerAtByte: number | undefined;
  /** How often a half-erased device connects: both were seen (docs/dev/stock-firmware.md#5, failure mode 5). */
  halfErasedDials: 'once' | 'repeatedly';
  /** false: its new firmware boots and shows itself nowhere. */
  newFirmwareShows: boolean;
  /** false: its new firmware never gets into the home network. */
  newFirmwareJoins: boolean;
  /** false: its new firmware reaches no MQTT broker. */
  mqttReaches: boolean;
}

export const HEALTHY: Behaviours = {
  joinsHomeNetwork: true,
  dispatchBody: (json) => json,
  keepsSessionKey: false,
  sendsQuery: true,
  sendsGarbage: false,
  refusesWith: undefined,
  comparesVersion: false,
  crashesAtByte: undefined,
  losesConnectionAtByte: undefined,
  losesConnectionTimes: 1,
  restartsDownload: false,
  reachesImages: true,
  acknowledges: true,
  blockPauseMs: 0,
  holdsAtByte: undefined,
  imageRots: false,
  flashRefuses: undefined,
  finalStageDials: true,
  finalStageStolen: false,
  losesPowerAtByte: undefined,
  halfErasedDials: 'repeatedly',
  newFirmwareShows: true,
  newFirmwareJoins: true,
  mqttReaches: true,
};

export interface Fault {
  readonly name: string;
  /** One sentence for the person who chooses it. */
  readonly about: string;
  readonly behaviours: Partial<Behaviours>;
}

/** Faults by name: what the rehearsal node offers. The byte numbers are small, so that small images meet them too. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'wrong-wifi-password',
    about: 'It takes the Wi-Fi settings, but never appears on the home network.',
    behaviours: { joinsHomeNetwork: false },
  },
  {
    name: 'garbage',
    about: 'It sends broken JSON and binary data between its messages, and continues.',
    behaviours: { sendsGarbage: true },
  },
  {
    name: 'garbage-dispatch',
    about: 'Its first request, the dispatch, is broken JSON.',
    behaviours: { dispatchBody: (json) => json.slice(0, -20) },
  },
  {
    name: 'never-queries',
    about: 'It never asks for its timers, which most firmware does when it is ready.',
    behaviours: { sendsQuery: false },
  },
  {
    name: 'crash-during-upgrade',
    about: 'It reboots once in the middle of the download and dials in again.',
    behaviours: { crashesAtByte: 8192 },
  },
  {
    name: 'connection-lost',
    about: 'The connection of the download is lost once: range firmware continues, other firmware answers 404.',
    behaviours: { losesConnectionAtByte: 8192 },
  },
  {
    name: 'connection-lost-always',
    about: 'The connection of the download is lost again and again, until the device gives up with 404.',
    behaviours: { losesConnectionAtByte: 4096, losesConnectionTimes: Infinity },
  },
  {
    name: 'download-restarts',
    about: 'The connection of the download is lost again and again, and each time it begins with the first byte.',
    behaviours: { losesConnectionAtByte: 4096, losesConnectionTimes: Infinity, restartsDownload: true },
  },
  {
    name: 'download-blocked',
    about: 'It takes the upgrade command, but cannot reach the port of the images, as with a firewall in between.',
    behaviours: { reachesImages: false },
  },
  {
    name: 'refuse-400',
    about: 'It calls the upgrade command malformed.',
    behaviours: { refusesWith: 400 },
  },
  {
    name: 'refuse-404',
    about: 'It reports that the download failed.',
    behaviours: { refusesWith: 404 },
  },
  {
    name: 'refuse-406',
    about: 'It says that the upgrade is for another model.',
    behaviours: { refusesWith: 406 },
  },
  {
    name: 'refuse-409',
    about: 'It says that the digest does not match what it wrote.',
    behaviours: { refusesWith: 409 },
  },
  {
    name: 'refuse-410',
    about: 'It refuses the version number as not newer, and takes a short one that is greater as text.',
    behaviours: { comparesVersion: true },
  },
  {
    name: 'silent-after-upgrade',
    about: 'It downloads the firmware and then says nothing more.',
    behaviours: { acknowledges: false },
  },
  {
    name: 'slow-drip',
    about: 'It takes everything very slowly, but without a pause that would end it.',
    behaviours: { blockPauseMs: 200 },
  },
  {
    name: 'image-rots',
    about: 'A bit of the written image flips before its first start: in one hop it goes back to the stock firmware.',
    behaviours: { imageRots: true },
  },
  {
    name: 'flash-half-protected',
    about: 'The lower half of its flash is write-protected: in one hop it goes back to the stock firmware.',
    behaviours: { flashRefuses: [0x00, 0x7f] },
  },
  {
    name: 'flash-sector-bad',
    about: 'A sector in the place of the new firmware takes nothing: in one hop it stays dark.',
    behaviours: { flashRefuses: [0x03, 0x03] },
  },
  {
    name: 'flash-sector-0-bad',
    about: 'The very first sector takes nothing: in one hop it stays dark.',
    behaviours: { flashRefuses: [0x00, 0x00] },
  },
  {
    name: 'finalstage-stolen',
    about: 'Another machine was first in the FinalStage network and has the address that the device dials.',
    behaviours: { finalStageDials: false, finalStageStolen: true },
  },
  {
    name: 'finalstage-blocked',
    about: 'FinalStage is there, but its connects do not arrive, as with a firewall in between.',
    behaviours: { finalStageDials: false },
  },
  {
    name: 'stream-cut',
    about: 'It loses power while it writes the final image: half-erased, it connects and never asks for anything.',
    behaviours: { losesPowerAtByte: 8192 },
  },
  {
    name: 'new-firmware-silent',
    about: 'It is flashed, but its new firmware shows no access point and answers nowhere.',
    behaviours: { newFirmwareShows: false },
  },
  {
    name: 'tasmota-wifi-wrong',
    about: 'Its Tasmota takes the Wi-Fi settings, but never gets into the home network.',
    behaviours: { newFirmwareJoins: false },
  },
  {
    name: 'tasmota-mqtt-down',
    about: 'Its Tasmota joins the home network, but reaches no MQTT broker.',
    behaviours: { mqttReaches: false },
  },
];

/**
 * The behaviours behind a fault's name; '' is a healthy device, and `refuse-<code>` works for any code.
 * Throws RangeError for an unknown name.
 */
export function behavioursOf(fault: string): Partial<Behaviours> {
  if (fault === '') return {};
  const known = FAULTS.find(({ name }) => name === fault);
  if (known) return known.behaviours;
  const refusal = /^refuse-(\d{3})$/.exec(fault);
  if (refusal) return { refusesWith: Number(refusal[1]) };
  throw new RangeError(`No fault is called "${fault}"; known are ${FAULTS.map(({ name }) => name).join(', ')}`);
}
