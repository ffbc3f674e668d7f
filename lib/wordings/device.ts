/** Which device is meant, and what became of it. */
export const DEVICE_WORDINGS = {
  'several-access-points': '{count} devices show their access point',
  'several-in-diy-mode': 'several devices are in DIY mode',
  'several-ready': 'several devices are ready',
  'nothing-to-do': 'nothing to do',
  'takes-only': 'this node takes only {only}, not {meant}',
  'access-point-of-another': 'the access point belongs to {owner}, not to {meant}, and is left alone',
  'several-channels': 'it has several channels, as only devices with another chip do',
  'other-chip': 'firmware {romVersion} with DIY mode runs on another chip than the ESP8266',
  'time-over-unseen': 'the time was over, though nothing was wrong as far as can be seen',
  'time-over': 'the time was over, and nothing that was seen tells why',
  'upgrade-answered': 'the device {deviceid} answered the upgrade with {error}',
  reported: 'it reported {error}',
  'finalstage-stays': 'FinalStage has the whole final image, but does not go away',
  'finalstage-unseen':
    'the final image is out, but this machine never left the FinalStage network, so its end could not be seen',
  'another-device-there': 'what answers there is another device',
  'no-page-there': 'something is there, but it serves no web page, as FinalStage would',
  'never-in-its-network': 'this machine never was in the network of its access point',
  'not-at-home': 'nothing answers at home, and this machine never was in the network of its access point',
  'nothing-there': 'nothing answers there',
  'no-id-tried': 'no id was tried',
  'unjudged-evidence': 'the evidence could not be judged: {message}',
  'doubt-empty-password': 'The Wi-Fi password is empty: the device can only join an open Wi-Fi with it.',
  'doubt-short-password': 'The Wi-Fi password is shorter than the 8 characters that WPA asks for.',
  'doubt-name-characters':
    'The Wi-Fi name has a character (", \\, a control character or one outside ASCII) that the device may misread.',
  'doubt-password-characters':
    'The Wi-Fi password has a character (", \\, a control character or one outside ASCII) that the device may misread.',
  'one-and-another': '{first} {second}',
  'before-the-rest': '{text} ',
} as const;
