import { explanationOf, type ErrorCode, type ErrorValues } from '../errors';
import { fill, isWording, type WordingValue } from '../wordings/wording';

/**
 * What the checks say beside the sentences of the codes: the one table of it. In English; the build puts it into the
 * catalogue of `sonota-host`, from which other languages take over. `{name}` is filled from the phrase's values.
 */
export const PHRASES = {
  ready: 'Ready: everything that can be checked before a flash is in order.',
  'ready-but': 'Ready, with a warning: {first}',
  'ready-but-many': 'Ready, with {count} warnings; the first: {first}',
  'not-ready': 'Not ready: {first}',
  'not-ready-many': 'Not ready, for {count} reasons; the first: {first}',

  'address-here': 'Devices are told {address}, which this machine has on {name}.',
  'address-found': 'Devices are told {address}, which this machine has on {name}: {why}.',
  'why-wifi-name': 'that has joined the Wi-Fi that devices get',
  'why-default-route': 'that leads to the internet',
  'why-only': 'there is no other home network',
  'why-same-network': 'that is in the network that was home before',
  'address-like-a-tunnel': 'Devices are told {address}, which this machine has on {name}: that looks like a tunnel.',
  'address-like-mobile':
    'Devices are told {address}, which this machine has on {name}: that looks like a modem or a phone.',
  'leave-the-tunnel': 'Leave the field Address empty, or choose an address on the home network.',
  'address-remembered': 'Devices are told {address}, which this machine had when it was last on its home network.',
  'address-leads-here': 'Devices are told {address}, which leads to this machine.',
  'address-loopback': 'Devices are told {address}: only a virtual Sonoff on this machine can dial that.',
  'for-a-rehearsal': 'That is right for a rehearsal; for a real device leave the fields Address and Listen on empty.',
  'address-like-a-container': 'Devices are told {address}, which looks like the inside of a container network.',
  'leave-the-container':
    'Give the container the network of its host, or enter the address of the host and publish the ports.',

  'port-open': 'Port {port} is open for {users}.',
  'port-free': 'Port {port} is free for {users}.',
  'users-tls': 'devices that speak TLS',
  'users-plain': 'old devices without TLS',
  'users-images': 'the images',
  'users-finalstage': 'FinalStage',
  'users-images-finalstage': 'the images and FinalStage',

  'users-unlock': 'unlocking devices',
  'users-unlock-names': 'leading devices here to be unlocked',
  'unlock-names-closed': 'Port {port} on {bind}, where devices would look up this machine, cannot be opened: {reason}.',
  'unlock-by-router': "Have the router answer this machine's address for apid.coolkit.cn, or free the port.",

  tls: 'This Node.js speaks TLS 1.1 with AES128-SHA, as the devices do.',

  'self-reached': 'This machine reaches itself at {where}.',
  'self-fetched': 'This machine fetched an image from itself at {where}. A firewall may keep others out all the same.',
  'self-otherwise': 'This machine reaches itself at {where}, but comes back under another address.',
  'self-not-now': 'While a device is in FinalStage, this machine does not dial itself.',
  'self-away': 'This machine is not at {address} at the moment, so that it cannot dial itself there.',
  'check-again': 'Check again when it is back on the home network.',

  'network-apart': 'No network of this machine overlaps those that the device makes.',

  'wifi-known': 'Name and password of the home Wi-Fi are known.',

  'radio-by-hand': 'A person joins the networks of a device (ITEAD-…, FinalStage).',
  'radio-networkmanager':
    'NetworkManager joins the networks of a device (ITEAD-…, FinalStage) automatically, with {interfaceName}.',
  'radio-supervisor':
    'The Home Assistant Supervisor joins the networks of a device (ITEAD-…, FinalStage) automatically, with {interfaceName}.',
  'radio-no-wifi': 'This machine has no Wi-Fi: it cannot join the network of a device (ITEAD-…, FinalStage).',
  'get-wifi': 'Plug in a USB Wi-Fi adapter, or run Node-RED on a machine with Wi-Fi for the flash.',

  'firmware-pair':
    'The firmware is complete and was examined: user1 with {user1} bytes, user2 with {user2} bytes, final with {final} bytes.',
  'firmware-one-hop':
    'The firmware is complete and was examined: final with {final} bytes, which are {packed} packed for one hop.',
  'firmware-diy': 'The firmware is complete and was examined for DIY mode: final with {final} bytes.',
  'firmware-near-diy-limit':
    "The final image has {size} bytes; ITEAD's own tool takes none over {proven} in DIY mode, though {limit} fit.",
  'firmware-not-for-diy': 'A device in DIY mode would not be given this firmware: {what}',
  'choose-smaller': 'Prefer a smaller build, such as tasmota-lite.',
  'firmware-pair-away': 'A device with firmware 1.x or 2.0 could not be flashed now: {what}',
  'pair-not-for-diy': 'A device in DIY mode does not need this image. For any other, restore the connection first.',
  'firmware-rehearsal': 'This firmware is made for rehearsals; no real device will be given it.',
  'choose-real-firmware': 'Choose a real final image and the FinalStage pair.',
  'firmware-not-chosen': 'No firmware is chosen here: it belongs to the node that flashes.',
  'choose-firmware': 'Choose it there; the button of flash sonoff checks it too.',

  clock: 'The clock of this machine says {date}.',
} as const;

export type PhraseName = keyof typeof PHRASES;

/** Fills a phrase: a phrase may stand within another; several make a text. */
export type PhraseValue = WordingValue | Said;
export type PhraseValues = Readonly<Record<string, PhraseValue>>;
export type Said = Phrase | readonly Phrase[];

/** A sentence, or a part of one, before it is in any language. */
export interface Phrase {
  /** Its place in the catalogue. */
  readonly key: `checks.${PhraseName}` | `errors.${ErrorCode}.${'what' | 'remedy'}`;
  readonly values: PhraseValues;
}

export function phrase(name: PhraseName, values: PhraseValues = {}): Phrase {
  return { key: `checks.${name}`, values };
}

/** One of the two sentences of a code. */
export function sentence(code: ErrorCode, part: 'what' | 'remedy', values: ErrorValues): Phrase {
  return { key: `errors.${code}.${part}`, values };
}

/** A phrase of another language, filled; undefined where that language has none. */
export type Speak = (key: Phrase['key'], values: Readonly<Record<string, WordingValue>>) => string | undefined;

/** A text in the language that `speak` speaks, English where that has no words. */
export function textOf(said: Said, speak: Speak = () => undefined): string {
  if ('key' in said) return textOfOne(said, speak);
  return said.map((one) => textOfOne(one, speak)).join(' ');
}

function textOfOne({ key, values }: Phrase, speak: Speak): string {
  const filled = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, isSaid(value) ? textOf(value, speak) : value]),
  );
  return speak(key, filled) ?? fill(inEnglish(key), filled);
}

function inEnglish(key: Phrase['key']): string {
  const [table, name, part] = key.split('.');
  if (table === 'checks') return PHRASES[name as PhraseName];
  return explanationOf(name as ErrorCode)[part as 'what' | 'remedy'];
}

function isSaid(value: PhraseValue): value is Said {
  return typeof value === 'object' && !isWording(value);
}
