import type { Explained } from './errors';
import { fill, type WordingValue } from './wordings/wording';

/**
 * The progress texts of all stages. `label` is shown under the node (with the percent it must stay under 20
 * characters). `text` is one sentence of at most 80 characters, where Node-RED's debug sidebar cuts: where a person is
 * needed, an instruction. `details` holds what does not fit.
 */

export interface ProgressText {
  /** `waiting` for something outside (a person, a device), or `working`. */
  readonly state: 'waiting' | 'working';
  /** It asks a person for something: the flash does not continue without that. */
  readonly isHandNeeded?: true;
  readonly label: string;
  readonly text: string;
  readonly details?: string;
}

/** In English; the build puts them into the catalogue of `sonota-host`, from which other languages take over. */
export const PROGRESS_TEXTS = {
  // provision; newer firmware wants its button held twice (docs/dev/stock-firmware.md#1.2)
  'wait-for-ap': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'join ITEAD-…',
    text: 'Hold the button for 7 s until the LED blinks fast, then join the Wi-Fi ITEAD-…',
    details:
      'The LED must blink without a pause; newer firmware needs a second hold of 7 s. Join with this machine; the password is 12345678. The network closes after 3 minutes.',
  },
  'look-for-ap': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'hold the button',
    text: 'Hold the button for 7 s until the LED blinks fast without a pause.',
    details:
      'Newer firmware needs a second hold of 7 s. This machine then finds the Wi-Fi ITEAD-… of the device and joins it automatically.',
  },
  'look-for-new-firmware': {
    state: 'waiting',
    label: 'look for its Wi-Fi',
    text: 'Do not press the button: this machine looks for the new Wi-Fi of the device.',
    details:
      'The device restarts with its new firmware and opens a Wi-Fi of its own, which this machine joins automatically.',
  },
  'ap-trouble': { isHandNeeded: true, state: 'waiting', label: 'join ITEAD-…', text: '{message}' },
  'send-wifi': { state: 'working', label: 'set-up', text: 'Sending the home Wi-Fi to the device {deviceid}.' },
  'wifi-joining': { state: 'working', label: 'joining Wi-Fi', text: 'Joining the Wi-Fi {ssid}.' },
  'wifi-joined': {
    state: 'waiting',
    label: 'wait for answer',
    text: 'Joined the Wi-Fi {ssid}; waiting for the device to answer.',
    details: 'This machine has the address {actual} there.',
  },
  'wifi-trouble': { isHandNeeded: true, state: 'waiting', label: 'join its Wi-Fi', text: '{message}' },
  'wifi-sent-by-itself': {
    state: 'working',
    label: 'set-up sent',
    text: 'The device {deviceid} has the home Wi-Fi; this machine leaves its network.',
  },
  'wifi-sent': {
    state: 'working',
    label: 'set-up sent',
    text: 'Rejoin the home network if this machine left it.',
    details: 'The device {deviceid} has the home Wi-Fi.',
  },
  'wifi-probably-sent': {
    state: 'working',
    label: 'set-up sent',
    text: 'Rejoin the home network if this machine left it.',
    details:
      'The connection to the device {deviceid} was lost after the set-up was sent; the device has probably accepted it.',
  },
  'wifi-doubtful': {
    state: 'waiting',
    label: 'check the Wi-Fi',
    text: 'Check the Wi-Fi settings: the device {deviceid} may not be able to join.',
    details: '{doubts}',
  },
  'already-set-up': {
    state: 'working',
    label: 'set up',
    text: 'The device {deviceid} was set up before and connects to this machine.',
  },
  'diy-at-home': {
    state: 'working',
    label: 'in DIY mode',
    text: 'The device {deviceid} is in DIY mode on the home network ({address}).',
    details: 'It needs no set-up, and its button is not needed.',
  },

  'output-leads-nowhere': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'wire output {output}',
    text: 'Wire output {output} of the node: the device is ready, but nothing takes it on.',
    details: 'Then deploy, and start again.',
  },

  // cloud
  'wait-for-device': {
    state: 'waiting',
    label: 'wait for device',
    text: 'Waiting for the device {deviceid} to connect to this machine.',
    details:
      'It connects to {address} over the home Wi-Fi within a minute. If nothing happens, power-cycle it (at the plug or breaker, not with the button).',
  },
  'wait-for-any-device': {
    state: 'waiting',
    label: 'wait for device',
    text: 'Waiting for a device to connect to {address} over the home Wi-Fi.',
  },
  'device-dispatched': {
    state: 'working',
    label: 'identified',
    text: 'The device {deviceid} ({model}, firmware {romVersion}) asked where to connect.',
  },
  'device-ready': { state: 'working', label: 'ready', text: 'The device {deviceid} is ready for the upgrade.' },
  'cloud-trouble': { isHandNeeded: true, state: 'waiting', label: 'wait for device', text: '{message}' },

  // upgrade
  'load-firmware': { state: 'working', label: 'check images', text: 'Reading and examining the images.' },
  'fetch-firmware': {
    state: 'working',
    label: 'downloading',
    text: 'Downloading the {image} image: {received} of {size} bytes.',
    details: 'Source: {source}',
  },
  'wait-for-turn': {
    state: 'waiting',
    label: 'wait its turn',
    text: 'The device {deviceid} waits until {holder} is through FinalStage.',
    details: 'Two devices in FinalStage cannot be told apart, so one is served at a time.',
  },
  'wait-for-session': {
    state: 'waiting',
    label: 'wait for device',
    text: 'Waiting for the device {deviceid} to connect.',
    details: 'If nothing happens, power-cycle it (at the plug or breaker, not with the button).',
  },
  'upgrade-sent': {
    state: 'working',
    label: 'upgrade sent',
    text: 'The device {deviceid} has the upgrade command (version {version}).',
  },
  'upgrade-trouble': { isHandNeeded: true, state: 'waiting', label: 'wait for upgrade', text: '{message}' },
  'image-flows': {
    state: 'working',
    label: 'upgrade',
    text: 'The device {deviceid} downloads {image}: {sent} of {size} bytes.',
  },
  'image-written': {
    state: 'working',
    label: 'written',
    text: 'The device {deviceid} has written and verified {image} and restarts.',
  },
  'device-restarted': {
    state: 'waiting',
    label: 'wait for device',
    text: 'Waiting for the device {deviceid}, which broke off and restarted.',
    details: 'The upgrade is sent again when it is back (session {session} of {sessions}).',
  },

  // DIY mode
  'diy-look': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'start DIY mode',
    text: 'Bring the device into DIY mode; its LED then blinks twice at a time.',
    details:
      'It is looked for in the home network. Newer firmware: hold the button for 5 s, and again for 5 s, join its Wi-Fi ITEAD-… (password 12345678) and enter the home Wi-Fi at http://10.10.7.1.',
  },
  'diy-found': {
    state: 'working',
    label: 'found',
    text: 'Found the device {deviceid} at {address} (firmware {romVersion}).',
  },
  'diy-version-unknown': {
    state: 'working',
    label: 'found',
    text: 'No flash of firmware {romVersion} has been reported yet; it is tried.',
    details: 'The newest firmware that is known to take one is 3.7.6. Please report how this one ends.',
  },
  'diy-weak-signal': {
    state: 'working',
    label: 'weak signal',
    text: 'Bring the device {deviceid} nearer: its signal is only {rssi} dBm.',
    details: 'Below -70 dBm downloads often break off. The flash continues.',
  },
  'diy-click': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'cancel or wait',
    text: 'Cancel now if the relay that clicks is not the one to flash.',
    details:
      'The relay of the device {deviceid} clicks twice and is left as it was. The flash continues after {seconds} s.',
  },
  'diy-unlock': {
    state: 'working',
    label: 'unlocking',
    text: "The device {deviceid} asks the maker's service to be unlocked.",
    details: 'It needs the internet for that, once.',
  },
  'diy-unlock-local': {
    state: 'working',
    label: 'unlocking here',
    text: 'The device {deviceid} asks this machine to be unlocked.',
    details:
      "The maker's service has not unlocked it. Its name, apid.coolkit.cn, must lead here in the device's network.",
  },
  'diy-flash-sent': {
    state: 'working',
    label: 'flash sent',
    text: 'The device {deviceid} was told to fetch its new firmware.',
  },
  'diy-again': {
    state: 'working',
    label: 'once more',
    text: 'Leave the device {deviceid} powered: its download broke off and is retried.',
    details: 'Attempt {attempt} of {attempts}.',
  },
  'diy-written': {
    state: 'working',
    label: 'written',
    text: 'Leave the device powered: it restarts into its new firmware.',
    details: 'The device {deviceid} has the whole image. Its new firmware shows itself within a minute.',
  },
  'diy-trouble': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'start DIY mode',
    text: '{message}',
  },

  // finalstage
  'wait-for-finalstage': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'join FinalStage',
    text: 'Join the open Wi-Fi FinalStage with this machine, and keep phones out.',
    details: 'This machine must get the address 192.168.4.2. The device needs up to a minute to show its network.',
  },
  'look-for-finalstage': {
    state: 'waiting',
    label: 'look for FinalStage',
    text: 'Keep phones out of the Wi-Fi FinalStage, which this machine joins.',
    details:
      'The device restarts and shows the open Wi-Fi FinalStage within a minute. This machine finds and joins it automatically.',
  },
  'finalstage-wrong-address': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'set 192.168.4.2',
    text: 'Set the fixed address 192.168.4.2 for the Wi-Fi FinalStage.',
    details: 'This machine has {actual} there, but FinalStage connects only to 192.168.4.2.',
  },
  'finalstage-trouble': { isHandNeeded: true, state: 'waiting', label: 'join FinalStage', text: '{message}' },
  'finalstage-joined': {
    state: 'waiting',
    label: 'wait for FinalStage',
    text: 'Waiting for FinalStage to connect to port {port} of this machine.',
    details: 'This machine is in the Wi-Fi FinalStage. If nothing happens within a minute, check the firewall.',
  },
  'finalstage-dials': {
    state: 'working',
    label: 'FinalStage',
    text: 'Stay in the Wi-Fi FinalStage, and leave the device powered.',
    details: 'FinalStage has connected.',
  },
  'user2-flows': {
    state: 'working',
    label: 'user2',
    text: 'Leave the device powered. FinalStage downloads user2: {sent} of {size} bytes.',
  },
  'finalstage-again': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'rejoin FinalStage',
    text: 'Join the Wi-Fi FinalStage again.',
    details: 'FinalStage has user2 and restarts. That it appears a second time is normal for this device.',
  },
  'final-flows': {
    state: 'working',
    label: 'final image',
    text: 'Leave the device powered. Final image: {sent} of {size} bytes.',
    details: 'Stay in the Wi-Fi FinalStage.',
  },
  'user2-stalled': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'user2 stalled',
    text: 'Power-cycle the device if FinalStage stays silent for a minute.',
    details:
      'The transfer of user2 broke off after {sent} of {size} bytes. Nothing is lost: after the power-cycle (plug or breaker, not the button) FinalStage is back.',
  },
  'final-stalled': {
    state: 'waiting',
    label: 'stalled',
    text: 'Leave the device powered, and stay in the Wi-Fi FinalStage.',
    details: 'The transfer of the final image broke off after {sent} of {size} bytes. FinalStage may ask for it again.',
  },
  'final-interrupted': {
    state: 'waiting',
    label: 'look for firmware',
    text: 'Leave the device powered: its new firmware is being looked for.',
    details: 'Node-RED ended during the transfer of the final image. If the Wi-Fi FinalStage appears instead, join it.',
  },
  'final-sent': {
    state: 'working',
    label: 'last sector',
    text: 'Leave the device powered until FinalStage has gone.',
    details: 'The whole final image was sent.',
  },
  'final-unconfirmed': {
    state: 'waiting',
    label: 'look for firmware',
    text: 'Leave the device powered: the new firmware is probably installed.',
    details:
      'FinalStage acknowledged the whole final image and vanished without closing the connection. If the Wi-Fi FinalStage comes back, join it again.',
  },
  installed: {
    state: 'working',
    label: 'installed',
    text: 'The final image is installed. Rejoin the home network.',
    details: 'FinalStage has gone. The new firmware may open an access point of its own.',
  },
  'finalstage-away': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'rejoin FinalStage',
    text: 'Leave the device powered, and join the Wi-Fi FinalStage if it appears.',
    details: 'The transfer of the final image broke off, and FinalStage is not there.',
  },
  'leave-finalstage': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'leave FinalStage',
    text: 'Rejoin the home network once the Wi-Fi FinalStage has gone.',
    details: 'The whole final image was sent; this machine still has the address {actual}.',
  },
  'finalstage-passed-by': {
    state: 'working',
    label: 'not needed',
    text: 'FinalStage is not needed: the device installs its new firmware itself.',
  },
  'several-wait': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'power one at a time',
    text: 'Power on one device at a time: {count} devices wait for FinalStage.',
    details: 'FinalStage does not state which device it is; the one that has waited longest, {deviceid}, is served.',
  },

  // the new firmware
  'one-hop-written': {
    state: 'working',
    label: 'written',
    text: 'Leave the device powered: it restarts to install its new firmware.',
    details:
      'The device {deviceid} has written and verified the image. It is dark (LED off, no Wi-Fi) usually for 20 and at most for 100 seconds, which is normal.',
  },
  'one-hop-unconfirmed': {
    state: 'working',
    label: 'unconfirmed',
    text: 'Leave the device powered: its new firmware is looked for next.',
    details:
      'The device {deviceid} has fetched its whole image, but did not acknowledge it. It has not connected again either, so it most likely runs its new firmware.',
  },
  'one-hop-dark': {
    state: 'working',
    label: 'dark, {seconds} s',
    text: 'Leave the device powered: it is dark for usually {seconds} s more.',
    details: 'The device installs its new firmware. LED off and no Wi-Fi are normal, for at most 100 s in all.',
  },
  'rescue-off': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'power off',
    text: 'Disconnect the device from power: {seconds} s to go.',
    details:
      'At the plug or breaker, not with its button. Then six short turns are counted: 2 s with power, 2 s without. Only for Tasmota whose LED blinks slowly and that opens no Wi-Fi.',
  },
  'rescue-on': { isHandNeeded: true, state: 'waiting', label: 'power on', text: 'Power on: {cycle} of {cycles}.' },
  'rescue-cut': { isHandNeeded: true, state: 'waiting', label: 'power off', text: 'Power off: {cycle} of {cycles}.' },
  'rescue-stay-on': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'leave power on',
    text: 'Power on, and leave it on: the Wi-Fi tasmota-… appears within a minute.',
    details:
      'If it does not, the same can be tried once more; if the LED stays dark, stop: only a serial adapter helps, with the device disconnected from mains.',
  },
  'wait-for-new-firmware': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'join its Wi-Fi',
    text: 'Join the Wi-Fi of the new firmware if it opens one.',
    details:
      'The new firmware is being looked for. Tasmota opens tasmota-…; firmware that knows your Wi-Fi is found automatically.',
  },
  'wait-for-new-firmware-here': {
    state: 'waiting',
    label: 'wait for its page',
    text: 'Waiting for the page of the new firmware at {url}.',
    details: 'This machine is in the network of an access point.',
  },
  'new-firmware-stranger': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'leave this Wi-Fi',
    text: 'Leave this Wi-Fi, and join that of the device that was flashed.',
    details: 'Another device answers at {url}.',
  },
  'new-firmware-here': {
    state: 'working',
    label: 'new firmware',
    text: '{firmware} answers at {url}: the device has its new firmware.',
  },

  // setting up Tasmota
  'wait-for-tasmota': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'join tasmota-…',
    text: 'Join the open Wi-Fi tasmota-… (older: sonoff-…) with this machine.',
    details: 'It accepts only one client at a time.',
  },
  'look-for-tasmota': {
    state: 'waiting',
    label: 'look for tasmota-…',
    text: 'Looking for the Wi-Fi tasmota-… of the device.',
    details: 'It appears within a minute.',
  },
  'look-for-tasmota-at': { state: 'waiting', label: 'look for Tasmota', text: 'Looking for the Tasmota at {where}.' },
  'tasmota-stranger': {
    state: 'waiting',
    label: 'another device',
    text: 'The Tasmota at {url} is another device; it stays unchanged.',
    details: 'Its MAC address is {mac}.',
  },
  'tasmota-wifi-sent': {
    state: 'waiting',
    label: 'wait for it at home',
    text: 'Rejoin the home network if this machine left it.',
    details: 'The Tasmota {hostname} has the home Wi-Fi and restarts. It is looked for at {where}.',
  },
  'tasmota-settings-sent': {
    state: 'waiting',
    label: 'wait for restart',
    text: 'The Tasmota {hostname} restarts with its new settings.',
    details: 'It is looked for at {where}.',
  },
  'tasmota-at-home': { state: 'working', label: 'at home', text: 'The Tasmota {hostname} is at {url}.' },
  'tasmota-mqtt': {
    state: 'waiting',
    label: 'wait for MQTT',
    text: 'Waiting for the Tasmota to connect to the broker {broker}.',
    details: 'The Tasmota {hostname} has the settings of this MQTT broker.',
  },
  // giving ESPHome the home Wi-Fi
  'wait-for-portal': {
    isHandNeeded: true,
    state: 'waiting',
    label: 'join its Wi-Fi',
    text: 'Join the Wi-Fi that the new ESPHome opens with this machine.',
    details:
      'Its name and password are those of its configuration. An open one is joined automatically where possible.',
  },
  'tasmota-done': { state: 'working', label: 'set up', text: 'The Tasmota {hostname} is set up at {url}.' },
} as const satisfies Record<string, ProgressText>;

export type ProgressTextName = keyof typeof PROGRESS_TEXTS;

export type ProgressValues = Readonly<Record<string, WordingValue | Explained>>;

/** Whether a person is asked for something there. */
export function needsPerson(name: ProgressTextName): boolean {
  const { isHandNeeded }: ProgressText = PROGRESS_TEXTS[name];
  return isHandNeeded === true;
}

/** Whether its label names one of its values; most do not. */
export function isLabelFilled(name: ProgressTextName): boolean {
  return PROGRESS_TEXTS[name].label.includes('{');
}

/** Whether something outside is waited for there. */
export function isWait(name: ProgressTextName): boolean {
  return PROGRESS_TEXTS[name].state === 'waiting';
}

/** An announcement with its `{name}`s filled. */
export function progressText(name: ProgressTextName, values: ProgressValues = {}): ProgressText {
  const { state, label, text, details }: ProgressText = PROGRESS_TEXTS[name];
  const filled = { state, label: fill(label, values), text: fill(text, values) };
  return details === undefined ? filled : { ...filled, details: fill(details, values) };
}
