/**
 * The one error class of this project and the one table of its codes.
 *
 * A code is a contract: flows switch on it, so codes are added but never renamed. Each has one sentence of what
 * happened and one of what to do; `{name}` in a sentence is filled from the error's values.
 */

import { fill, quoted, type Wording, type WordingValue } from './wordings/wording';

/**
 * The remedy's kind: another try, a person who corrects something first (the chosen images, the flow, this
 * machine's set-up, a rival), or nothing, because this device cannot be flashed this way.
 */
export type Outlook = 'retry' | 'person' | 'never';

export interface Explanation {
  readonly what: string;
  readonly remedy: string;
  /** Where another try would change nothing. */
  readonly outlook?: Exclude<Outlook, 'retry'>;
}

const EXPLANATIONS = {
  // Provisioning
  'ap-unreachable': {
    what: 'No Sonoff answered at {url} within {seconds} s.',
    remedy:
      'Hold the button for 7 seconds until the LED blinks fast without a pause. Newer firmware needs a second hold. Join the Wi-Fi ITEAD-… (password 12345678) and start again within 3 minutes.',
  },
  'ap-silent': {
    what: 'This machine is in the network of the access point, but nothing answers at {url}.',
    remedy:
      'Disconnect other networks and any VPN; if it stays so, the access point has closed after its 3 minutes: hold the button again.',
  },
  'ap-stranger': {
    what: 'This machine is not in the Wi-Fi of the Sonoff: something else answers at {url} ({reason}).',
    remedy:
      'Hold the button for 7 seconds until the LED blinks fast. Join the Wi-Fi ITEAD-… of the device (password 12345678); until then a router or a portal of another network answers at this address.',
  },
  'ap-refused': {
    what: 'The device at {url} did not accept the set-up: {reason}.',
    remedy:
      'Power-cycle the device (plug or breaker, not the button). Bring it into its access point again and start over.',
  },
  'diy-mode-missing': {
    what: 'The device {deviceid} has firmware 3.x and shows no page of a DIY mode at {url}.',
    remedy:
      'If its model has DIY mode, delete the device in the eWeLink app and start again. The emulated cloud cannot flash firmware 3.x (msg.force tries it all the same), so otherwise it takes a serial adapter, with the device disconnected from mains.',
    outlook: 'person',
  },
  'wifi-credentials-missing': {
    what: 'The {what} of the home Wi-Fi is missing.',
    remedy: 'Enter it in the host node, or send it as msg.ssid and msg.password.',
    outlook: 'person',
  },
  'wifi-credentials-unusable': {
    what: 'The device cannot use this {what}: {reason}.',
    remedy:
      'Use a Wi-Fi with a name of 1 to 31 bytes and a password of at most 63 bytes. Neither may have a space at its ends. A guest network will do.',
    outlook: 'person',
  },

  // This machine
  'host-missing': {
    what: 'This node has no Sonoff host.',
    remedy: 'Open the node, choose or add a host, and deploy.',
    outlook: 'person',
  },
  'variable-unset': {
    what: 'The environment variable {variable} is not set; {name} needs it.',
    remedy:
      'Set it where Node-RED is started, and deploy. The environment of the flow, group or subflow will do, too; or enter the value itself.',
    outlook: 'person',
  },
  'value-invalid': {
    what: 'The value of {name} cannot be used: {reason}.',
    remedy: 'Correct it in the node or in the message, and start again.',
    outlook: 'person',
  },
  'reference-ambiguous': {
    what: 'Several {what} nodes are called "{name}": {ids}.',
    remedy: 'Rename all but one of them, or give the id of the one that is meant.',
    outlook: 'person',
  },
  'url-invalid': {
    what: 'The address {url} in this node is not an http:// address.',
    remedy: 'Leave the field empty for the address that every device has, or correct it.',
    outlook: 'person',
  },
  'port-in-use': {
    what: 'Port {port} on {bind} cannot be opened: {reason}.',
    remedy: 'Stop the program that holds the port, or choose another port in the host node.',
    outlook: 'person',
  },
  'port-of-other-host': {
    what: 'Port {port} on {bind} is held by another host of this Node-RED, {host}, which the tab {tab} uses.',
    remedy:
      'Choose that host in the nodes here; or give both hosts the same ports and the same address to listen on, or entirely different ports.',
    outlook: 'person',
  },
  'address-invalid': {
    what: 'The address that devices must dial is not usable: {reason}.',
    remedy: "Enter this machine's IPv4 address on the home network in the host node.",
    outlook: 'person',
  },
  'tls-refused': {
    what: 'The TLS handshake with {peer} failed on our side: {reason}.',
    remedy:
      'Run Node-RED on an official Node.js build; a hardened OpenSSL refuses the TLS 1.1 that these devices speak.',
    outlook: 'person',
  },
  'self-unreachable': {
    what: 'This machine cannot reach itself at {where}: {reason}.',
    remedy:
      'A device would fail likewise: let the port in through the firewall, publish it where Node-RED runs in a container, or correct the address or "Listen on" in the host node.',
  },
  'network-overlap': {
    what: 'The network {network} of this machine ({name}) holds the addresses of {other} too.',
    remedy:
      'Disconnect that network while this machine is in the Wi-Fi of the device. Or give it another range in the router.',
  },
  'plain-port-off': {
    what: 'The plain port is switched off.',
    remedy:
      'Leave the field empty, unless you know your devices: old firmware without TLS dials 8081 and nothing else.',
    outlook: 'person',
  },
  'clock-wrong': {
    what: 'The clock of this machine says {date}.',
    remedy: 'Set it, for example from a time server: downloads over https and the times in every report depend on it.',
  },

  // Joining Wi-Fi networks
  'wifi-unavailable': {
    what: 'This machine cannot join Wi-Fi networks automatically: {reason}.',
    remedy: 'Put that right. Or choose "by hand" in the host node and join the networks yourself.',
    outlook: 'person',
  },
  'wifi-not-permitted': {
    what: 'Node-RED may not change the Wi-Fi {name} of this machine: {reason}.',
    remedy: 'Allow it with the polkit rule in docs/raspberry-pi.md. Or choose "by hand" in the host node.',
    outlook: 'person',
  },
  'wifi-uplink': {
    what: 'The Wi-Fi interface {name} is not touched: {reason}.',
    remedy:
      'Connect this machine by cable, or give it a second Wi-Fi interface; or allow {name} by its name in the host node, if it may lose its network for minutes.',
    outlook: 'person',
  },
  'wifi-interface-missing': {
    what: 'This machine has no Wi-Fi interface {name}, or it is no longer present.',
    remedy: 'Plug it in, or choose another interface in the host node.',
    outlook: 'person',
  },
  'wifi-interface-unusable': {
    what: 'The Wi-Fi interface {name} cannot be used: {reason}.',
    remedy: 'Switch the Wi-Fi of this machine on. Let NetworkManager manage this interface.',
    outlook: 'person',
  },
  'wifi-not-found': {
    what: 'The Wi-Fi {ssid} is not in reach of {name}.',
    remedy: 'Bring the device nearer, and look whether it still shows its network.',
  },
  'wifi-password-wrong': {
    what: 'The Wi-Fi {ssid} did not take the password.',
    remedy: 'Check the password; if it is right, the signal is too weak: bring the device nearer.',
  },
  'wifi-no-address': {
    what: 'The Wi-Fi {ssid} was joined, but gave {name} no address.',
    remedy: 'Power-cycle the device (plug or breaker, not the button). Or set a fixed address.',
  },
  'wifi-address-invalid': {
    what: 'The address {address} must include the prefix length, e.g. 192.168.4.2/24.',
    remedy: 'Correct it, or leave it empty for an address that the network gives.',
    outlook: 'person',
  },
  'wifi-network-missing': {
    what: 'The name of the Wi-Fi to join is missing.',
    remedy: 'Enter its name in the node, or send it as msg.ssid.',
    outlook: 'person',
  },
  'wifi-action-unknown': {
    what: 'Unknown Wi-Fi action: {action}.',
    remedy: 'Choose an action in the node, or set msg.action to scan, join or leave.',
    outlook: 'person',
  },
  'wifi-address-needed': {
    what: 'To join the Wi-Fi {ssid}, an address of your own is needed.',
    remedy: 'Set msg.address, such as 192.168.4.2/24. An address from its router would change the way to the internet.',
    outlook: 'person',
  },
  'wifi-lost': {
    what: 'The Wi-Fi {ssid} was lost: {reason}.',
    remedy:
      'Leave the device powered, and bring it nearer; if its network does not come back, power-cycle it (plug or breaker, not the button).',
  },
  'wifi-timeout': {
    what: '{what} timed out after {seconds} s.',
    remedy: 'Try again; if it stays so, restart the network service of this machine.',
  },
  'wifi-join-failed': {
    what: 'The Wi-Fi {ssid} could not be joined with {name}: {reason}.',
    remedy: 'Bring the device nearer and start again.',
  },
  'wifi-failed': {
    what: 'The Wi-Fi {name} could not be controlled: {reason}.',
    remedy: 'Look at the log of the network service; restart it if need be.',
  },
  'wifi-service-away': {
    what: 'The network service of this machine does not answer: {reason}.',
    remedy: 'Start NetworkManager, or choose "by hand" in the host node. A container needs the D-Bus system bus.',
  },
  'wifi-supervisor-failed': {
    what: 'The Home Assistant Supervisor could not do it with {name}: {reason}.',
    remedy: 'Bring the device nearer and start again; the log of the Supervisor tells more.',
  },
  'wifi-supervisor-timeout': {
    what: 'The Home Assistant Supervisor did not answer within {seconds} s.',
    remedy: 'Start again; if it stays so, restart the Supervisor.',
  },
  'wifi-stayed-long': {
    what: 'The Wi-Fi {ssid} was left after {seconds} s, so that others can have the radio.',
    remedy: 'Leave it with the action "leave" when the work is done. Or give it more time in the node.',
  },
  'wifi-not-restored': {
    what: 'The network that {name} was in before did not come back in time.',
    remedy: 'Look at the Wi-Fi of this machine; nothing of ours keeps it from connecting.',
  },
  'wifi-busy': {
    what: 'The Wi-Fi {name} is in use for {what}.',
    remedy: 'Wait until that is done.',
  },

  // The device at our cloud
  'nothing-arrived': {
    what: 'No device dialled this machine ({address}, ports {ports}) within {seconds} s.',
    remedy:
      '{doubts}Check the Wi-Fi password. The Wi-Fi must be 2.4 GHz, without client isolation. Let these ports in through the firewall. Then power-cycle the device (plug or breaker, not the button).',
  },
  'address-changed': {
    what: 'The device was told to dial {told}, but this machine is at {own} now.',
    remedy:
      'Bring this machine back into its home network. Where it has another address there now, enter a fixed one in the host, hold the button of the device until its Wi-Fi ITEAD-… is there, and start at provisioning.',
  },
  'connection-empty': {
    what: 'Something at {peer} connects to this machine and says nothing.',
    remedy:
      'Look which device has that address: if it is the Sonoff, power-cycle it (plug or breaker, not the button) and look for a firewall or proxy in between; if not, the Sonoff has not connected yet, so check its Wi-Fi settings.',
  },
  'session-unregistered': {
    what: 'The device at {peer} opened its session {count} times and left without registering.',
    remedy:
      'Look for a proxy or firewall that cuts WebSockets, and for weak Wi-Fi. Then power-cycle the device (plug or breaker, not the button). If that does not help, its firmware expects another cloud than this one: report model and version, with the evidence.',
  },
  'certificate-rejected': {
    what: 'The device at {peer} broke off the TLS handshake after it had seen our certificate.',
    remedy:
      'Its firmware checks certificates (1.6 and newer) and cannot be flashed this way: use DIY mode or a serial adapter.',
    outlook: 'never',
  },
  'device-contested': {
    what: 'Two peers state the id {deviceid}, each with another key: {peer} and {other}.',
    remedy:
      'Hold the button of the device until its Wi-Fi ITEAD-… is there. Start the flow at provisioning: what the device states there settles which of the two it is. Until then neither is upgraded.',
    outlook: 'person',
  },
  'device-key-differs': {
    what: '{peer} states the id {deviceid}, but not the key of that device.',
    remedy:
      'Look what has that address; provision the device once more, or, if it is the Sonoff all the same, tick "Try anyway" in the node.',
  },
  'device-timeout': {
    what: 'The device {deviceid} was not ready within {seconds} s.',
    remedy:
      'Power-cycle the device (plug or breaker, not the button); it connects again automatically within a minute.',
  },
  'job-expired': {
    what: 'The device was not heard of for 24 hours before its upgrade.',
    remedy: 'Start the flash again when the device is back.',
  },
  'device-unknown': {
    what: 'It is not clear which device is meant: {reason}.',
    remedy: 'Set msg.deviceid to one of the devices that are there: {known}.',
  },
  'device-not-ready': {
    what: 'No device is ready: none has connected to this machine.',
    remedy: 'Wire this node behind the node provision or cloud emulator, and start there. Or wait for the device.',
  },
  'device-busy': {
    what: 'The device {deviceid} is already further on: its stage {stage} is running.',
    remedy: 'Wait for it to end, or cancel it with msg.cancel at its node.',
  },
  'device-not-supported': {
    what: 'The device {deviceid} ({model}, firmware {romVersion}) cannot be flashed this way: {reason}.',
    remedy: 'Use DIY mode where the device has it, or a serial adapter.',
    outlook: 'never',
  },
  'device-rebooted': {
    what: 'The device {deviceid} broke off the upgrade {times} times and dialled again.',
    remedy:
      'Check its power supply and its Wi-Fi signal. Power-cycle it (plug or breaker, not the button) and start again.',
  },
  'device-silent': {
    what: 'The device {deviceid} gave no verdict on the upgrade within {seconds} s.',
    remedy:
      'Power-cycle it (plug or breaker, not the button); if the Wi-Fi FinalStage appears then, start the flow at FinalStage, else start the upgrade again.',
  },
  'message-malformed': {
    what: 'The device at {peer} sent something that is not its protocol: {reason}.',
    remedy:
      'Power-cycle the device (plug or breaker, not the button); if it sends it again, report the message, since no known firmware does.',
  },

  // Firmware
  'firmware-missing': {
    what: 'The firmware has no {what}.',
    remedy:
      'Name its file or address in the firmware node. The FinalStage pair is image_user1-0x01000.bin (sha256 64b374598d11f91a453adc6d95ebcbcced347fbc9abad9b62ad5b710a965a309) and image_user2-0x81000.bin (sha256 fec3fc4f70cf1a95cdc28811f57e53612908c62c8963e1b78a66d3edb19addda) from the folder static of github.com/mirko/SonOTA; the final image is a Tasmota, ESPHome or other build for 1 MB of flash.',
    outlook: 'person',
  },
  'image-unreadable': {
    what: 'The {what} image could not be read from {source}: {reason}.',
    remedy: 'Check the path or the address, and that Node-RED may read it.',
  },
  'image-invalid': {
    what: 'The {what} image cannot be used: {reason}.',
    remedy: "Check that it is the right file. Or download it again and compare its digest with the publisher's.",
  },
  'image-truncated': {
    what: 'The {what} image is cut off: {reason}.',
    remedy: "Download it again and compare its size and its digest with the publisher's.",
  },
  'image-web-page': {
    what: 'The {what} image is a web page (HTML or XML) saved under the name of an image.',
    remedy: 'Download the file itself; the address led to a page about it, a login or an error.',
  },
  'image-stock-firmware': {
    what: "The {what} image is the maker's own firmware: {reason}.",
    remedy: 'Keep it as a backup. Choose the FinalStage pair or a new firmware for this place.',
  },
  'image-wrong-slot': {
    what: 'The image given as {what} is linked for {actual}.',
    remedy: 'Swap the files: user1 is the file for 0x01000, user2 the one for 0x81000.',
  },
  'image-wrong-place': {
    what: 'The image given as {what} is linked for {place} in flash, where no slot begins.',
    remedy: "Use a build for Espressif's own boot loader; this one is for another, such as rBoot.",
  },
  'image-too-large': {
    what: 'The {what} image has {size} bytes; at most {limit} fit.',
    remedy: 'Use a smaller build, such as tasmota-lite.',
  },
  'image-wrong-flash-mode': {
    what: 'The {what} image is built for flash mode {mode}; every Sonoff boots only DOUT for certain.',
    remedy: 'Use a build with flash mode DOUT.',
  },
  'image-wrong-flash-size': {
    what: 'The header of the {what} image says {actual} of flash; a Sonoff has 1 MB.',
    remedy: 'Use a build for 1 MB of flash.',
  },
  'image-minimal': {
    what: 'The {what} image is a minimal build, which cannot store its settings.',
    remedy: 'Use a full or lite build.',
  },
  'image-compressed': {
    what: 'The {what} image is compressed ({how}).',
    remedy: 'Use the .bin, not the .bin.gz.',
  },
  'image-wrong-chip': {
    what: 'The {what} image is for another chip: {reason}.',
    remedy: 'Use a build for ESP8266 or ESP8285.',
  },
  'image-changed': {
    what: 'The {what} image changed since it was examined.',
    remedy: 'Open the firmware node, so that the new file is examined. Deploy if it is the one you want.',
  },
  'digest-unconfirmed': {
    what: 'No digest is known for the {what} image.',
    remedy: "Compare the digest {digest} with the publisher's and confirm it in the firmware node.",
    outlook: 'person',
  },
  'digest-mismatch': {
    what: 'The {what} image from {source} has the digest {actual} instead of {expected}.',
    remedy:
      'Do not use that file: fetch it again over another connection; if it stays so, the publisher has replaced it, and another image must be chosen.',
    outlook: 'person',
  },
  'intermediate-unknown': {
    what: 'The firmware names the intermediate "{intermediate}", which is not known here.',
    remedy: 'Use finalstage or one-hop, or leave it out for FinalStage.',
    outlook: 'person',
  },
  'road-unknown': {
    what: 'Unknown flash target {road}.',
    remedy: 'Set msg.target to one of {known}.',
    outlook: 'person',
  },
  'fetch-failed': {
    what: 'The {what} image could not be fetched from {source}: {reason}.',
    remedy: 'Check the address and the connection, or download the file and name its path.',
  },
  'fetch-redirected': {
    what: 'The {what} image could not be fetched from {source}: it redirects more than {times} times.',
    remedy: 'Open the address in a browser, and give the address at which the file itself is.',
  },
  'fetch-stalled': {
    what: 'The {what} image did not come from {source} in time: {received} bytes came, and no more.',
    remedy: 'Try again later, or download the file and name its path.',
  },
  'store-full': {
    what: 'There is no room left in {folder} for the {what} image.',
    remedy: 'Make room on that disk, or remove images from the store in the firmware node.',
    outlook: 'person',
  },
  'store-failed': {
    what: 'The firmware store in {folder} cannot be used: {reason}.',
    remedy: "Let Node-RED read and write that folder, or name the image's own path.",
    outlook: 'person',
  },
  'rehearsal-only': {
    what: 'This firmware is made for rehearsals and would ruin the real device at {peer}.',
    remedy: 'Choose a real final image and the FinalStage pair in the firmware node.',
    outlook: 'person',
  },

  // The device's verdict on the upgrade
  'download-failed': {
    what: 'The device {deviceid} reported 404: its download of the image failed.',
    remedy: 'Check the Wi-Fi signal and that nothing on the way filters HTTP. Then start again.',
  },
  'download-blocked': {
    what: 'The device {deviceid} has the upgrade command, but never asked for its image.',
    remedy:
      'Let the port of the images ({ports}) through the firewall. Check that the address {address} is right, and start again.',
  },
  'download-restarts': {
    what: 'The device {deviceid} began its download {times} times from the first byte.',
    remedy:
      'Bring it nearer to the access point, and remove any proxy in between. Power-cycle it (plug or breaker, not the button) and start again.',
  },
  'upgrade-malformed': {
    what: 'The upgrade command is not usable for the device {deviceid}: {reason}.',
    remedy: 'Report this with the model and firmware version: {model}, {romVersion}.',
    outlook: 'person',
  },
  'model-refused': {
    what: 'The device {deviceid} reported {error}: the upgrade names another model than its own ({model}).',
    remedy: 'Power-cycle the device (plug or breaker, not the button) and start again. It then states its model again.',
    outlook: 'never',
  },
  'digest-refused': {
    what: 'The device {deviceid} reported 409: what it wrote does not have the announced digest.',
    remedy: 'Start again; if it happens twice, the flash of the device is worn or the network changes the file.',
  },
  'version-refused': {
    what: 'The device {deviceid} reported 410: the offered version ({version}) is older than its own.',
    remedy: 'Report this with the model and firmware version: {model}, {romVersion}.',
    outlook: 'person',
  },

  // DIY mode
  'diy-unreachable': {
    what: 'No Sonoff in DIY mode answered at {url} within {seconds} s: {reason}.',
    remedy:
      'Check that it is in this network; its LED then blinks twice at a time. Power-cycle it (plug or breaker, not the button): it answers one program at a time, and a request that hangs blocks it.',
  },
  'diy-stranger': {
    what: 'What answers at {url} is not a Sonoff in DIY mode: {reason}.',
    remedy:
      'Correct the address. A Sonoff with firmware 3.0 answers there without DIY mode: update it in the eWeLink app first.',
  },
  'diy-encrypted': {
    what: "The device {deviceid} is in eWeLink mode and obeys only its owner's key.",
    remedy:
      'Bring it into DIY mode: hold its button for 5 s, then for 5 s again, join its Wi-Fi ITEAD-… (password 12345678) and enter your Wi-Fi at http://10.10.7.1.',
    outlook: 'person',
  },
  'diy-other-device': {
    what: 'The device at {url} is not the device {deviceid}.',
    remedy: 'Correct the address or the id: the id of a device is in the name of its Wi-Fi, ITEAD-… .',
    outlook: 'person',
  },
  'diy-id-needed': {
    what: 'The device at {url} answers only to its own id, which is not known.',
    remedy:
      'Set msg.deviceid to its id: it is in the name of its Wi-Fi, ITEAD-…, and in what it announces as eWeLink_… .',
    outlook: 'person',
  },
  'diy-not-found': {
    what: 'No Sonoff in DIY mode was found within {seconds} s.',
    remedy:
      'Look at its LED: in DIY mode it blinks twice at a time. Check that this machine is in the same network without client isolation, or enter the address of the device (your router shows it) in the node.',
  },
  'diy-download-broken': {
    what: 'The device {deviceid} stopped its download at byte {sent} of {size}.',
    remedy:
      'Leave it connected to power: its stock firmware is still whole. Bring it nearer to the access point and start the flash again.',
  },
  'diy-verdict-missing': {
    what: 'The device {deviceid} has the whole image, but neither reported nor left stock firmware.',
    remedy:
      'Leave it powered for a few minutes. Look for the access point of the new firmware. If the LED still blinks twice at a time, start the flash again.',
  },
  'diy-refused': {
    what: 'The device {deviceid} refused the command {command} with error {error}.',
    remedy:
      'Disconnect it from power for a moment and start again; if the error comes back, report it with the firmware version.',
  },
  'diy-locked': {
    what: 'The device {deviceid} is still locked and takes no new firmware (error 403).',
    remedy:
      'Let the device reach the internet: the maker\'s service unlocks it. Or choose "also by this machine" in diy flash. Then start again.',
  },
  'diy-unlock-refused': {
    what: "The maker's service refused to unlock the device {deviceid} (error 500).",
    remedy:
      'Pair the device in the eWeLink app once and delete it there. Bring it into DIY mode again and start again. Or choose "also by this machine" in diy flash.',
    outlook: 'person',
  },
  'diy-unlock-offline': {
    what: "The device {deviceid} did not reach the maker's service that unlocks it (503).",
    remedy:
      'Let the device reach the internet (apid.coolkit.cn, port 80). Or choose "also by this machine" in diy flash. Then start again.',
  },
  'diy-unlock-silent': {
    what: 'The device {deviceid} did not answer the unlock within {seconds} s and is still locked.',
    remedy:
      'Let the device reach the internet (apid.coolkit.cn, port 80). Power-cycle it (plug or breaker, not the button) and start again. Or choose "also by this machine" in diy flash.',
  },
  'diy-unlock-port': {
    what: 'Port {port} on {bind}, at which this machine unlocks devices, cannot be opened: {reason}.',
    remedy:
      'Stop the program that holds it, or let Node-RED open ports below 1024 (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE); then start again.',
    outlook: 'person',
  },
  'diy-unlock-not-asked': {
    what: 'The device {deviceid} did not come to this machine to be unlocked.',
    remedy:
      'Have the router answer {address} for the name apid.coolkit.cn. Or make this machine the DNS server of the device. Let port 80 through the firewall, and start again.',
    outlook: 'person',
  },
  'diy-unlock-not-taken': {
    what: 'The device {deviceid} asked this machine to unlock it, but took neither answer.',
    remedy:
      "Let the device reach the maker's service (apid.coolkit.cn, port 80). Start again, and please report its firmware version with the evidence.",
    outlook: 'person',
  },
  'diy-download-timeout': {
    what: 'The device {deviceid} did not get the start of the image in time (error 408).',
    remedy: 'Check the Wi-Fi signal at the device. Let the port of the images through the firewall, and start again.',
  },
  'diy-image-refused': {
    what: 'The device {deviceid} refused the image as too large (error 413).',
    remedy: 'Use a smaller build, such as tasmota-lite.',
    outlook: 'person',
  },
  'diy-download-impossible': {
    what: 'The device {deviceid} could not download the image (error 424).',
    remedy:
      'Let the port of the images through the firewall. Check that the address of the host is in the network of the device, and start again.',
  },
  'diy-digest-differs': {
    what: 'What the device {deviceid} wrote does not have the announced digest (error {error}).',
    remedy:
      'Leave it connected to power: it may not start again. Start the flash once more, which overwrites what it wrote.',
  },
  'diy-message-refused': {
    what: 'The device {deviceid} reported 406: it does not take the message about its new firmware.',
    remedy: 'Report this with the firmware version of the device.',
    outlook: 'person',
  },
  'diy-device-fault': {
    what: 'The device {deviceid} reported {error}: something failed in the device itself.',
    remedy: 'Leave it connected to power and start the flash again.',
  },

  // FinalStage
  'finalstage-timeout': {
    what: 'FinalStage did not show itself within {seconds} s.',
    remedy:
      'Join the open Wi-Fi FinalStage; this machine must get 192.168.4.2. If it is not there, power-cycle the device (plug or breaker, not the button), then start the flow at FinalStage.',
  },
  'finalstage-blocked': {
    what: 'This machine is in the FinalStage network, but FinalStage could not reach port {port}.',
    remedy:
      'Let port {port} through the firewall (on Windows: make the network "private"), power-cycle the device (plug or breaker, not the button) and start the flow at FinalStage.',
  },
  'finalstage-wrong-address': {
    what: 'FinalStage dials 192.168.4.2 only, but this machine has {actual} there.',
    remedy:
      'Set 192.168.4.2 as a static address, or keep other clients away. Power-cycle the device (plug or breaker, not the button) and be the first to join.',
  },
  'finalstage-stolen': {
    what: 'Another client took 192.168.4.2, all that FinalStage dials; this machine has {actual}.',
    remedy:
      'Keep phones and other computers away from the Wi-Fi FinalStage. Power-cycle the device (plug or breaker, not the button) and be the first to join.',
  },
  'finalstage-stranger': {
    what: 'Another client ({peer}) in the Wi-Fi FinalStage acts as the device; it was refused.',
    remedy:
      'Keep phones and other computers away from the Wi-Fi FinalStage; if the device does not come, power-cycle it (plug or breaker, not the button) and join it first.',
  },
  'finalstage-foreign': {
    what: 'The Wi-Fi FinalStage in reach belongs to another device ({bssid}) and is left alone.',
    remedy: 'Power on the device {deviceid}, and let the other one be flashed in its own turn.',
  },
  'finalstage-left-early': {
    what: 'FinalStage went away before it had the whole final image.',
    remedy:
      'Join the Wi-Fi FinalStage again and keep this machine in it. Either this machine left it, or the device lost power: if it is not there, power-cycle the device (plug or breaker, not the button) and start the flow at FinalStage.',
  },
  'finalstage-half-erased': {
    what: 'FinalStage connects but asks for nothing: it broke off once after the erase.',
    remedy: 'Do not wait for it: this state can only be mended with a serial adapter.',
    outlook: 'never',
  },
  'user2-stalled': {
    what: 'The transfer of user2 to FinalStage broke off after {sent} of {size} bytes.',
    remedy:
      'Power-cycle the device (plug or breaker, not the button). Join the Wi-Fi FinalStage when it is back: what the device runs from is still whole.',
  },
  'finalstage-stalled': {
    what: 'The transfer of the final image broke off after {sent} of {size} bytes.',
    remedy:
      'Leave the device powered and stay in its network: it may ask again; if the Wi-Fi FinalStage is gone for good, only a serial adapter helps.',
  },
  'finalstage-interrupted': {
    what: 'Node-RED ended while it sent the final image; how much arrived is not known.',
    remedy:
      'Look for the access point of the new firmware first. If the Wi-Fi FinalStage is there instead, join it and start the flow at FinalStage; if it asks for nothing within a minute, power-cycle the device once (plug or breaker, not the button).',
    outlook: 'person',
  },
  'finalstage-unconfirmed': {
    what: 'FinalStage acknowledged the whole final image, but did not close the connection.',
    remedy:
      'Most likely the new firmware is installed: look for its access point. If the Wi-Fi FinalStage comes back instead, join it and start the flow at FinalStage.',
    outlook: 'person',
  },

  // The new firmware
  'back-to-stock': {
    what: 'The device {deviceid} took the image but runs its stock firmware again.',
    remedy:
      'Start the flow again: nothing is lost. If it comes back a second time, its flash may not take the new firmware: leave it as it is or use a serial adapter. Do not choose FinalStage then, which overwrites the stock firmware without that check.',
  },
  'one-hop-silent': {
    what: 'After one hop the device {deviceid} shows neither its stock firmware nor the new one at {url}.',
    remedy:
      'Disconnect it from power for 10 s, then start the flow at the new firmware. It continues where it was, or waits because its flash does not take the new firmware. Look for its access point with a phone and for its address in your router too. If it stays dark, only a serial adapter helps.',
  },
  'diy-silent': {
    what: 'The device {deviceid} has its image, but no new firmware answers at {url} after {seconds} s.',
    remedy:
      'Look for its access point with a phone (Tasmota: tasmota-…) and for its address in your router. If its LED blinks slowly and neither is there, send msg.rescue = true to new firmware, which counts the fast power-cycle of Tasmota with you. If the LED stays dark, only a serial adapter helps, with the device disconnected from mains.',
  },
  'new-firmware-silent': {
    what: 'The new firmware did not show itself within {seconds} s at {url}: {reason}.',
    remedy:
      'Look for its access point with a phone (Tasmota: tasmota-…) and for its address in your router; if neither is there, disconnect the device from power once, wait two minutes and start the flow at the new firmware; if it stays dark, only a serial adapter helps.',
  },

  // Setting up the Tasmota that was installed
  'tasmota-unreachable': {
    what: 'No Tasmota answered at {url} within {seconds} s.',
    remedy:
      'Join its Wi-Fi tasmota-… or sonoff-… with this machine; if it is at home already, give its address in the node.',
  },
  'tasmota-other-firmware': {
    what: 'What answers at {url} is {firmware}, not Tasmota.',
    remedy: 'Set it up on its own page, or correct the address in the node.',
    outlook: 'person',
  },
  'tasmota-password-wrong': {
    what: 'The Tasmota at {url} asks for a web password and does not take the one of this node.',
    remedy: 'Enter its web password in the node.',
    outlook: 'person',
  },
  'tasmota-setting-unusable': {
    what: 'Tasmota cannot store this {what}: {reason}.',
    remedy: 'Choose another one, or enter it on the page of the device.',
    outlook: 'person',
  },
  'tasmota-refused': {
    what: 'The Tasmota at {url} (version {version}) did not keep what it was given: {reason}.',
    remedy: 'Leave that field of the node empty and set it on the page of the device.',
    outlook: 'person',
  },
  'tasmota-wifi-failed': {
    what: 'The Tasmota did not get into the home Wi-Fi and has opened its own, {ssid}, again.',
    remedy: 'Check the name and the password in the host node, and that the Wi-Fi is 2.4 GHz; then start again.',
  },
  'tasmota-lost': {
    what: 'The Tasmota {hostname} ({mac}) took its settings, but was not found at home at {where} within {seconds} s.',
    remedy:
      'Rejoin the home network if this machine left it; else look for the device in the router and give its address in the node.',
  },
  'tasmota-mqtt-failed': {
    what: 'The Tasmota at {url} is at home, but has not connected to the MQTT broker {broker}.',
    remedy:
      'Check its user and password, and that it can reach the broker under that name. It keeps trying automatically.',
  },
  'template-unknown': {
    what: 'Which module of Tasmota a device of the model {model} is, is not known: {reason}.',
    remedy: 'Choose the module on the page of the device, or name it in the node.',
    outlook: 'person',
  },

  // Home Assistant
  'not-armed': {
    what: 'Flashing the device {deviceid} from Home Assistant is not allowed yet.',
    remedy: 'Turn on its switch "Allow flashing" there. Install the update within an hour, as soon as it is offered.',
    outlook: 'person',
  },

  'topic-shared': {
    what: 'Another Node-RED at this broker (instance {instance}) uses the topic {topic}, too.',
    remedy:
      'Give one of the two another "Own topic" in its home assistant node. The mqtt nodes and the broker configuration around it need it, too.',
    outlook: 'person',
  },
  'cancel-nothing': {
    what: 'There is nothing to cancel: no flash is waiting or running.',
    remedy: 'If a device still looks busy, wait until its state is shown again.',
    outlook: 'person',
  },
  'portal-unreachable': {
    what: 'No page of ESPHome that takes a Wi-Fi answered at {url} within {seconds} s.',
    remedy:
      'Join the Wi-Fi of the device with this machine and try again. Or join it with a phone and enter your Wi-Fi there.',
  },
  'cancel-too-late': {
    what: 'FinalStage is writing the device {deviceid}: stopping now would leave it without firmware.',
    remedy: 'Leave it powered, and stay in its network until the flash has ended.',
    outlook: 'person',
  },

  // Everything else
  cancelled: { what: 'The flash was cancelled.', remedy: 'Start it again to continue.', outlook: 'person' },
  'turn-timeout': {
    what: 'The device {deviceid} has waited {minutes} minutes for the device {holder} to get through FinalStage.',
    remedy: 'Look after {holder}, or end it with msg.cancel at its node; then start this one again.',
  },
  'queue-not-wired': {
    what: 'The queue cannot start a flash: its output {output} is not wired.',
    remedy: 'Wire output 1 to the first node of the flow, and output 2 to finalstage watch.',
    outlook: 'person',
  },
  'output-not-wired': {
    what: 'The device {deviceid} is ready, but no node takes it from here.',
    remedy: 'Wire output {output} of this node to the next one, deploy, and start again.',
    outlook: 'person',
  },
  'queue-lost': {
    what: 'No node of the flow has taken the message of this device for {minutes} minutes.',
    remedy: 'Look where it goes behind the queue and between the nodes; then let the queue try it again.',
    outlook: 'person',
  },
  'not-possible': {
    what: 'This is not possible now: {reason}.',
    remedy: 'Look at the tab Sonoff in the sidebar, and choose from what it offers.',
    outlook: 'person',
  },
  unexplained: { what: 'Something unexpected happened: {reason}.', remedy: 'Report this with the log.' },
} as const satisfies Record<string, Explanation>;

export type ErrorCode = keyof typeof EXPLANATIONS;

/** Every code there is, in the table's order. */
export const ERROR_CODES = Object.keys(EXPLANATIONS) as ErrorCode[];

/** Fills the sentences of a code; words of ours come from a closed set. */
export interface ErrorValues {
  readonly [name: string]: WordingValue;
  readonly reason?: Wording;
  readonly what?: Wording;
}

/** An outcome that the user reads: `code` for flows to switch on, `message` of two sentences for people. */
export class FlashError extends Error {
  override readonly name = 'FlashError';

  /**
   * @param values fills the `{name}`s of the code's sentences; must never hold a secret
   */
  constructor(
    readonly code: ErrorCode,
    readonly values: ErrorValues = {},
    options?: { cause?: unknown },
  ) {
    super(explain(code, values), options);
  }

  /** Node-RED shows this to people, so without the name of the class. */
  override toString(): string {
    return this.message;
  }
}

/** A code's two sentences with their `{name}`s unfilled, for tables of all codes. */
export function explanationOf(code: ErrorCode): Explanation {
  return EXPLANATIONS[code];
}

/** The two sentences of a code: what happened, and what to do. */
export function explain(code: ErrorCode, values: ErrorValues = {}): string {
  const { what, remedy } = sentencesOf(code, values);
  return `${what} ${remedy}`;
}

/** The same, one apart from the other. */
export function sentencesOf(code: ErrorCode, values: ErrorValues = {}): { what: string; remedy: string } {
  const { what, remedy } = EXPLANATIONS[code];
  return { what: fill(what, values), remedy: fill(remedy, values) };
}

/** The two sentences of a code as a value that fills a progress text. */
export interface Explained {
  readonly error: ErrorCode;
  readonly text: string;
  readonly values: ErrorValues;
}

/** An error, or a verdict that something is wrong, as what fills a progress text. */
export function explained({ code, values }: { readonly code: ErrorCode; readonly values: ErrorValues }): Explained {
  return { error: code, text: explain(code, values), values };
}

/** Any thrown thing as a FlashError; one that is none already becomes `unexplained`. */
export function asFlashError(thrown: unknown): FlashError {
  if (thrown instanceof FlashError) return thrown;
  const reason = quoted(thrown instanceof Error ? thrown.message : String(thrown));
  return new FlashError('unexplained', { reason }, { cause: thrown });
}
