import type { Command, DiyBehaviours } from './behaviours';

export interface DiyFault {
  readonly name: string;
  /** One sentence for the person who chooses it. */
  readonly about: string;
  readonly behaviours: Partial<DiyBehaviours>;
}

/** Faults by name: what the rehearsal node offers. The byte numbers are small, so that small images meet them too. */
export const DIY_FAULTS: readonly DiyFault[] = [
  {
    name: 'no-access-point',
    about: 'It opens no access point, as reported of a MINI with 3.8.1.',
    behaviours: { accessPoint: 'none' },
  },
  {
    name: 'access-point-refuses',
    about: 'Its access point is there, but refuses connections, as where its old Wi-Fi is out of reach.',
    behaviours: { accessPoint: 'refuses' },
  },
  {
    name: 'no-diy-mode',
    about: 'Its access point has no page: this model has no DIY mode.',
    behaviours: { hasDiyMode: false },
  },
  {
    name: 'wrong-wifi-password',
    about: 'It takes the Wi-Fi settings, but never appears on the home network.',
    behaviours: { joinsHomeNetwork: false },
  },
  {
    name: 'ewelink-mode',
    about: 'It is set up in the eWeLink app and wants encrypted requests.',
    behaviours: { encrypts: true },
  },
  {
    name: 'mdns-silent',
    about: 'It is not found by mDNS, as behind a router without multicast.',
    behaviours: { mdns: 'silent' },
  },
  {
    name: 'weak-signal',
    about: 'Its Wi-Fi signal is too weak for a download.',
    behaviours: { rssi: -79 },
  },
  {
    name: 'unlock-hangs',
    about: 'It answers the unlock command with nothing at all, as without internet.',
    behaviours: { unlock: 'hangs' },
  },
  {
    name: 'unlock-500',
    about: 'The vendor does not know the device.',
    behaviours: { unlock: 500 },
  },
  {
    name: 'unlock-503',
    about: 'It cannot reach the vendor.',
    behaviours: { unlock: 503 },
  },
  {
    name: 'unlock-local',
    about: 'It can be unlocked only by a server on the local network.',
    behaviours: { unlock: 'asks' },
  },
  {
    name: 'unlock-lies',
    about: 'It calls itself unlocked and stays locked.',
    behaviours: { unlock: 'lies' },
  },
  ...[400, 403, 404, 408, 413, 422, 424, 500, 503].map((code) => ({
    name: `flash-${code}`,
    about: `It answers the flash command with error ${code}.`,
    behaviours: { errors: { ota_flash: code } },
  })),
  {
    name: 'flash-471',
    about: 'A bit flips while it writes: after the download it answers 471 and must not be restarted.',
    behaviours: { writeRots: true, flashReply: 'after-last-range' },
  },
  {
    name: 'reply-before-range',
    about: 'It accepts the flash command before it asks for anything.',
    behaviours: { flashReply: 'before-range' },
  },
  {
    name: 'reply-after-last-range',
    about: 'It answers the flash command when the download is over.',
    behaviours: { flashReply: 'after-last-range' },
  },
  {
    name: 'reply-never',
    about: 'It never answers the flash command, and works.',
    behaviours: { flashReply: 'never' },
  },
  {
    name: 'result-never',
    about: 'It reports no result.',
    behaviours: { postsResult: false },
  },
  ...[404, 406, 409, 410].map((code) => ({
    name: `result-${code}`,
    about: `It reports result ${code} and does not restart.`,
    behaviours: { resultCode: code },
  })),
  {
    name: 'request-line-broken',
    about: 'Its download request has no leading slash and no Host.',
    behaviours: { requestLine: 'without-slash' },
  },
  {
    name: 'download-blocked',
    about: 'It cannot reach the port of the images, as with a firewall in between.',
    behaviours: { reachesImages: false },
  },
  {
    name: 'connection-lost',
    about: 'The connection of the download is lost once.',
    behaviours: { losesConnectionAtByte: 8192 },
  },
  {
    name: 'connection-lost-always',
    about: 'The connection of the download is lost again and again, until it gives up.',
    behaviours: { losesConnectionAtByte: 4096, losesConnectionTimes: Infinity },
  },
  {
    name: 'wifi-lost',
    about: 'It loses its Wi-Fi during the download.',
    behaviours: { losesWifiAtByte: 8192 },
  },
  {
    name: 'reboot-mid-way',
    about: 'It reboots during the download and comes back with its stock firmware.',
    behaviours: { crashesAtByte: 8192 },
  },
  {
    name: 'dead-mid-way',
    about: 'It reboots during the download and never starts again.',
    behaviours: { crashesAtByte: 8192, writesLoaderFirst: true },
  },
  {
    name: 'stall-mid-way',
    about: 'It stops asking for the image during the download.',
    behaviours: { holdsAtByte: 8192 },
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

const COMMANDS: Readonly<Record<string, Command>> = {
  info: 'info',
  switch: 'switch',
  signal: 'signal_strength',
  wifi: 'wifi',
  unlock: 'ota_unlock',
  flash: 'ota_flash',
};

/**
 * The behaviours behind a fault's name; '' is a healthy device, and `<info|switch|signal|wifi|unlock|flash>-<code>` works
 * for any code. Throws RangeError for an unknown name.
 */
export function diyBehavioursOf(fault: string): Partial<DiyBehaviours> {
  if (fault === '') return {};
  const known = DIY_FAULTS.find(({ name }) => name === fault);
  if (known) return known.behaviours;
  const [, word = '', code] = /^([a-z]+)-(\d{3})$/.exec(fault) ?? [];
  const command = COMMANDS[word];
  if (command) return { errors: { [command]: Number(code) } };
  throw new RangeError(`No fault is called "${fault}"; known are ${DIY_FAULTS.map(({ name }) => name).join(', ')}`);
}
