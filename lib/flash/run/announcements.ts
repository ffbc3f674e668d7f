/**
 * What stages say while they run: the one table of it. `label` goes under the node (with the percent it must stay
 * under 20 characters), `text` is a sentence for people, in a wait also what the person must do now.
 */

interface Announcement {
  /** `waiting` for something outside (a person, a device), or `working`. */
  readonly state: 'waiting' | 'working';
  readonly label: string;
  readonly text: string;
}

/** In English; the build puts them into the catalogue of `sonota-host`, from which other languages take over. */
export const ANNOUNCEMENTS = {
  // provision
  'wait-for-ap': {
    state: 'waiting',
    label: 'Wi-Fi ITEAD-…',
    text: 'Hold the button of the device for 7 seconds until its LED blinks fast without a pause (newer firmware: a second time), then join its Wi-Fi ITEAD-… with the password 12345678.',
  },
  'look-for-ap': {
    state: 'waiting',
    label: 'Wi-Fi ITEAD-…',
    text: 'Hold the button of the device for 7 seconds until its LED blinks fast without a pause (newer firmware: a second time). This machine looks for its Wi-Fi ITEAD-… and joins it by itself.',
  },
  'look-for-new-firmware': {
    state: 'waiting',
    label: 'new Wi-Fi',
    text: 'The device restarts with its new firmware. This machine looks for the Wi-Fi that it makes, and joins it by itself: leave the button alone.',
  },
  'ap-trouble': { state: 'waiting', label: 'Wi-Fi ITEAD-…', text: '{message}' },
  'send-wifi': { state: 'working', label: 'set-up', text: 'Telling the device {deviceid} about the home Wi-Fi.' },
  'wifi-joining': {
    state: 'working',
    label: 'joining Wi-Fi',
    text: 'Joining the Wi-Fi {ssid}.',
  },
  'wifi-joined': {
    state: 'waiting',
    label: 'Wi-Fi joined',
    text: 'This machine has joined the Wi-Fi {ssid} with the address {actual}, and waits until the device answers.',
  },
  'wifi-trouble': { state: 'waiting', label: 'Wi-Fi', text: '{message}' },
  'wifi-sent-by-itself': {
    state: 'working',
    label: 'set-up sent',
    text: 'The device {deviceid} has the home Wi-Fi. This machine leaves the network of the device by itself.',
  },
  'wifi-sent': {
    state: 'working',
    label: 'set-up sent',
    text: 'The device {deviceid} has the home Wi-Fi. Rejoin the home network now if this machine left it.',
  },
  'wifi-probably-sent': {
    state: 'working',
    label: 'set-up sent',
    text: 'The connection to the device {deviceid} was lost after the set-up was sent; it probably took it. Rejoin the home network now if this machine left it.',
  },
  'wifi-doubtful': {
    state: 'waiting',
    label: 'check the Wi-Fi',
    text: 'The device {deviceid} has the home Wi-Fi, but may not join it: {doubts}',
  },
  'already-set-up': {
    state: 'working',
    label: 'set up already',
    text: 'The device {deviceid} has been set up before: it dials this machine.',
  },

  // cloud
  'wait-for-device': {
    state: 'waiting',
    label: 'device dials in',
    text: 'Waiting until the device {deviceid} dials this machine ({address}) over the home Wi-Fi; this takes up to a minute. If nothing happens, power-cycle it.',
  },
  'wait-for-any-device': {
    state: 'waiting',
    label: 'device dials in',
    text: 'Waiting until a device dials this machine ({address}) over the home Wi-Fi.',
  },
  'device-dispatched': {
    state: 'working',
    label: 'dispatched',
    text: 'The device {deviceid} ({model}, firmware {romVersion}) has asked where to connect.',
  },
  'device-ready': { state: 'working', label: 'ready', text: 'The device {deviceid} is ready for the upgrade.' },
  'cloud-trouble': { state: 'waiting', label: 'device dials in', text: '{message}' },

  // upgrade
  'load-firmware': { state: 'working', label: 'examining images', text: 'Reading and examining the images.' },
  'fetch-firmware': {
    state: 'working',
    label: 'fetching image',
    text: 'Fetching the {image} image from {source}: {received} of {size} bytes.',
  },
  'wait-for-turn': {
    state: 'waiting',
    label: 'its turn',
    text: 'The device {deviceid} waits until the device {holder} is through FinalStage: two devices there cannot be told apart.',
  },
  'wait-for-session': {
    state: 'waiting',
    label: 'device dials in',
    text: 'Waiting until the device {deviceid} is connected and ready. If nothing happens, power-cycle it.',
  },
  'upgrade-sent': {
    state: 'working',
    label: 'upgrade sent',
    text: 'The device {deviceid} has the upgrade command (version {version}).',
  },
  'upgrade-trouble': { state: 'waiting', label: 'upgrade', text: '{message}' },
  'image-flows': {
    state: 'working',
    label: 'upgrade',
    text: 'The device {deviceid} downloads {image}: {sent} of {size} bytes.',
  },
  'image-written': {
    state: 'working',
    label: 'upgrade written',
    text: 'The device {deviceid} has written and verified {image} and restarts into it.',
  },
  'device-restarted': {
    state: 'waiting',
    label: 'device restarted',
    text: 'The device {deviceid} broke off and restarted; the upgrade is sent again when it is back (session {session} of {sessions}).',
  },

  // finalstage
  'wait-for-finalstage': {
    state: 'waiting',
    label: 'Wi-Fi FinalStage',
    text: 'Join the open Wi-Fi FinalStage as the only client; this machine must get the address 192.168.4.2. The device needs up to a minute to show it.',
  },
  'look-for-finalstage': {
    state: 'waiting',
    label: 'Wi-Fi FinalStage',
    text: 'The device restarts and shows the open Wi-Fi FinalStage, for which it needs up to a minute. This machine looks for it and joins it by itself; keep phones away from it.',
  },
  'finalstage-wrong-address': {
    state: 'waiting',
    label: 'wrong address',
    text: 'This machine has the address {actual} in the FinalStage network, but FinalStage dials 192.168.4.2: set that as a static address.',
  },
  'finalstage-trouble': { state: 'waiting', label: 'Wi-Fi FinalStage', text: '{message}' },
  'finalstage-joined': {
    state: 'waiting',
    label: 'FinalStage dials',
    text: 'This machine is in the FinalStage network; waiting until FinalStage dials port {port}. If it does not within a minute, look at the firewall.',
  },
  'finalstage-dials': {
    state: 'working',
    label: 'FinalStage is here',
    text: 'FinalStage has dialled us. Stay in its network and do not power off the device.',
  },
  'user2-flows': {
    state: 'working',
    label: 'user2',
    text: 'FinalStage downloads user2: {sent} of {size} bytes. Do not power off the device.',
  },
  'finalstage-again': {
    state: 'waiting',
    label: 'FinalStage again',
    text: 'FinalStage has user2 and restarts; it appears a second time, which is normal for this device. Join its Wi-Fi again.',
  },
  'final-flows': {
    state: 'working',
    label: 'final image',
    text: 'FinalStage downloads the final image: {sent} of {size} bytes. Do not power off the device, do not leave its network.',
  },
  'user2-stalled': {
    state: 'waiting',
    label: 'user2 stalled',
    text: 'The transfer of user2 broke off after {sent} of {size} bytes. If FinalStage does not ask again within a minute, switch the device off and on: nothing is lost yet, and it shows FinalStage again.',
  },
  'final-stalled': {
    state: 'waiting',
    label: 'stalled',
    text: 'The transfer of the final image broke off after {sent} of {size} bytes. Leave the device powered and stay in the Wi-Fi FinalStage: it may ask again.',
  },
  'final-interrupted': {
    state: 'waiting',
    label: 'looking for it',
    text: 'Leave the device powered: Node-RED ended during the transfer of the final image. The new firmware is looked for; where the Wi-Fi FinalStage shows itself instead, join it.',
  },
  'final-sent': {
    state: 'working',
    label: 'last sector',
    text: 'The final image is out; waiting until FinalStage is gone. Do not power off the device.',
  },
  'final-unconfirmed': {
    state: 'waiting',
    label: 'looking for it',
    text: 'FinalStage has acknowledged the whole final image and vanished without closing the connection. Most likely it is installed. Leave the device powered and stay near: if the Wi-Fi FinalStage comes back, join it again.',
  },
  installed: {
    state: 'working',
    label: 'installed',
    text: 'The final image is installed and FinalStage is gone. Look for the access point of the new firmware, and rejoin the home network.',
  },
  'finalstage-away': {
    state: 'waiting',
    label: 'FinalStage again',
    text: 'The transfer of the final image broke off and FinalStage is not there. Leave the device powered; when the Wi-Fi FinalStage shows itself, join it again.',
  },
  'leave-finalstage': {
    state: 'waiting',
    label: 'leave FinalStage',
    text: 'The final image is out. If the Wi-Fi FinalStage is gone, let this machine rejoin the home network (it still has the address {actual}).',
  },
  'finalstage-passed-by': {
    state: 'working',
    label: 'not needed',
    text: 'This flash goes without FinalStage: the device puts its new firmware in place by itself.',
  },
  'several-wait': {
    state: 'waiting',
    label: 'FinalStage',
    text: '{count} devices wait for FinalStage, which does not say who it is: the one that has waited longest, {deviceid}, is served. Power the others on one after another.',
  },

  // the new firmware
  'one-hop-written': {
    state: 'working',
    label: 'upgrade written',
    text: 'The device {deviceid} has written and verified the image, and restarts to put the new firmware in place automatically. It is dark meanwhile, usually for 20 and at most for 100 seconds, which is normal. Do not disconnect it from power.',
  },
  'one-hop-dark': {
    state: 'working',
    label: 'dark, {seconds} s',
    text: 'The device puts its new firmware in place automatically. It is dark meanwhile, usually for {seconds} s more and at most for 100 s in all, which is normal. Do not disconnect it from power.',
  },
  'wait-for-new-firmware': {
    state: 'waiting',
    label: 'new firmware',
    text: 'Looking for the new firmware. If it makes a Wi-Fi of its own (Tasmota: tasmota-…), join that now; where it knows your Wi-Fi already, it is found by itself.',
  },
  'wait-for-new-firmware-here': {
    state: 'waiting',
    label: 'new firmware',
    text: 'This machine is in the network of an access point; waiting until the page of the new firmware answers at {url}.',
  },
  'new-firmware-stranger': {
    state: 'waiting',
    label: 'another device',
    text: 'What answers at {url} is another device. Leave its Wi-Fi and join that of the device that was flashed.',
  },
  'new-firmware-here': {
    state: 'working',
    label: 'new firmware',
    text: '{firmware} answers at {url}: the device has its new firmware.',
  },

  // setting up Tasmota
  'wait-for-tasmota': {
    state: 'waiting',
    label: 'Wi-Fi tasmota-…',
    text: 'Join the open Wi-Fi tasmota-… (older: sonoff-…) of the device with this machine; only one guest gets in at a time.',
  },
  'look-for-tasmota': {
    state: 'waiting',
    label: 'Wi-Fi tasmota-…',
    text: 'Looking for the Wi-Fi tasmota-… of the device; it needs up to a minute to show it.',
  },
  'look-for-tasmota-at': { state: 'waiting', label: 'Tasmota', text: 'Looking for the Tasmota at {where}.' },
  'tasmota-stranger': {
    state: 'waiting',
    label: 'another device',
    text: 'The Tasmota at {url} is another device ({mac}) and is left alone.',
  },
  'tasmota-wifi-sent': {
    state: 'waiting',
    label: 'joins the Wi-Fi',
    text: 'The Tasmota {hostname} has the home Wi-Fi and restarts. Rejoin the home network now if this machine left it; looking at {where}.',
  },
  'tasmota-settings-sent': {
    state: 'waiting',
    label: 'restarts',
    text: 'The Tasmota {hostname} has its settings and restarts; looking at {where}.',
  },
  'tasmota-at-home': { state: 'working', label: 'at home', text: 'The Tasmota {hostname} is at {url}.' },
  'tasmota-mqtt': {
    state: 'waiting',
    label: 'MQTT',
    text: 'Waiting until the Tasmota {hostname} has connected to the MQTT broker {broker}.',
  },
  'tasmota-done': { state: 'working', label: 'set up', text: 'The Tasmota {hostname} is set up at {url}.' },
} as const satisfies Record<string, Announcement>;

export type AnnouncementName = keyof typeof ANNOUNCEMENTS;

export type AnnouncementValues = Readonly<Record<string, string | number>>;

/** An announcement with its `{name}`s filled. */
export function announce(name: AnnouncementName, values: AnnouncementValues = {}): Announcement {
  const { state, label, text } = ANNOUNCEMENTS[name];
  const fill = (sentence: string): string =>
    sentence.replace(/\{(\w+)\}/g, (_, key: string) => String(values[key] ?? '?'));
  return { state, label: fill(label), text: fill(text) };
}
