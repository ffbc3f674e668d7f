import type { ErrorCode, ErrorValues } from '../errors';
import type { ImageRole } from '../image';
import type { NewFirmwareKind } from '../protocol/new-firmware';
import type { OtaClass } from '../protocol/ota-request';
import type { Limit } from '../server/connection-limits';
import type { Via } from '../server/device-connection';
import type { HandshakeFailure } from '../server/tls-failure';
import type { RouteName, StageName } from './stages';
import type { Wording } from '../wordings/wording';

/** One address of this machine. */
export interface OwnAddress {
  readonly name: string;
  readonly address: string;
}

/** The facts of a device, as far as a source states them. */
export interface DeviceFacts {
  readonly model?: string;
  /** Of its stock firmware. */
  readonly romVersion?: string;
  /** On the home network. */
  readonly ip?: string;
  /** Of its station, as it has stated it. */
  readonly mac?: string;
  /** Of its station, as the home network shows it: a repeater's, where one stands between. It rules nothing out. */
  readonly linkMac?: string;
  /** Of its own access point, where this machine has joined it. */
  readonly bssid?: string;
}

/**
 * By what a page is known for the device's, the strongest first:
 * - `mac`: it names the MAC address of the device
 * - `own-network`: it is in the network of an access point that new firmware makes
 * - `place`: it is where the device was looked for, and nothing says that it is another one's
 */
export type PageProof = 'mac' | 'own-network' | 'place';

/** The result of one look for the new firmware at one address. */
export interface NewFirmwareSighting {
  readonly url: string;
  /**
   * - `not-joined`: it is the address of an access point in whose network this machine is not
   * - `refused`: a host is there, but serves no web page
   * - `stranger`: a page, but another device's
   * - `page`: the new firmware's
   */
  readonly result: 'not-joined' | 'silent' | 'refused' | 'stranger' | 'page';
  readonly firmware?: NewFirmwareKind;
  readonly version?: string;
  /** By what a page is known for the device's; absent in what older versions have stored. */
  readonly proof?: PageProof;
}

/**
 * What a peer that is not the device was refused:
 * - `browser`: a request of a page in a browser
 * - `finalstage-dial`, `finalstage-image`: what FinalStage alone does, a bare connection and the request of an image
 * - `other-key`: to state the device's id with another key than its access point did
 * - `second-key`: to state its id with another key than `rival`, where no access point was asked
 * - `unlock`: to be unlocked in the device's place
 * - `wrong-signature`: the upgrade's image, with a signature that is not the device's; refused once a right one was seen
 */
export type StrangerAct =
  'browser' | 'finalstage-dial' | 'finalstage-image' | 'other-key' | 'second-key' | 'unlock' | 'wrong-signature';

/** The facts at a stage's start, as far as a verdict's sentences need them. */
export interface StageBegan {
  readonly kind: 'stage';
  readonly stage: StageName;
  readonly event: 'began';
  /** Its time limit. */
  readonly seconds: number;
  readonly deviceid?: string;
  /** Where the device is looked for: the address of its access point or of FinalStage. */
  readonly url?: string;
  /** The address that devices dial. */
  readonly address?: string;
  readonly ports?: string;
  /** The route of its job, where that is known. */
  readonly intermediate?: RouteName;
  /** It continues what a restart of this program interrupted. */
  readonly isResumed?: true;
  /** A person continues with firmware that is known not to take the upgrade. */
  readonly isForced?: true;
}

type Sighting =
  | StageBegan
  /** `over`: its time limit has come; `ended`: well. */
  | { readonly kind: 'stage'; readonly stage: StageName; readonly event: 'over' | 'ended' }
  | {
      readonly kind: 'stage';
      readonly stage: StageName;
      readonly event: 'failed';
      readonly code: ErrorCode;
      readonly values: ErrorValues;
    }
  /** This machine's addresses at the start of a stage that looks at them, and whenever they have changed. */
  | { readonly kind: 'addresses'; readonly addresses: readonly OwnAddress[] }
  /** A look at the device's access point; `joined`: this machine has an address in its network. */
  | {
      readonly kind: 'ap-looked';
      readonly result: 'silent' | 'strange' | 'answered';
      readonly joined: boolean;
      readonly reason?: Wording;
    }
  /** This machine joins the device's network automatically; `failed` and `lost` with a code. */
  | { readonly kind: 'wifi'; readonly event: 'joining' | 'joined' | 'left'; readonly ssid: string }
  | {
      readonly kind: 'wifi';
      readonly event: 'failed' | 'lost';
      readonly code: ErrorCode;
      readonly values: ErrorValues;
    }
  | {
      readonly kind: 'provisioned';
      readonly answer: 'accepted' | 'probably-accepted';
      /** The address that the device got to dial, if it is this machine's own. */
      readonly told?: string;
      /** Doubts about the Wi-Fi settings, in sentences. */
      readonly doubts?: Wording;
      /** The route that it was set up for, where that is not the emulated cloud. */
      readonly route?: RouteName;
    }
  /** A TCP connection, before anything came on it. */
  | {
      readonly kind: 'dialled';
      readonly peer: string;
      readonly port: 'tls' | 'plain' | 'images';
      /** The peer has been dialling since before the device was set up: it is another one. */
      readonly isOld?: true;
    }
  | {
      readonly kind: 'tls-failed';
      readonly peer: string;
      readonly failure: HandshakeFailure;
      /** Node's error code. */
      readonly code: string;
      readonly reason: Wording;
      readonly helloSeen: boolean;
      /** The peer has been dialling since before the device was set up: it is another one. */
      readonly isOld?: true;
      /** It said hello as browsers and monitors do, and no stock firmware. */
      readonly isModern?: true;
      /** Another device was waited for, too: nothing tells which of them it is. */
      readonly isShared?: true;
    }
  | {
      readonly kind: 'dispatched';
      readonly peer: string;
      readonly via: Via;
      readonly deviceid: string;
      readonly model: string;
      readonly romVersion: string;
      /** With the key that the device's access point stated. */
      readonly isProven?: true;
      /** How often this peer has dispatched in this stage, where that is more than once. */
      readonly count?: number;
    }
  /** A message that is not a device's protocol; the reason quotes nothing of it. */
  | { readonly kind: 'malformed'; readonly peer: string; readonly reason: Wording }
  /** A peer that is not the device did what only the device may do, and was refused. */
  | {
      readonly kind: 'stranger';
      readonly peer: string;
      readonly act: StrangerAct;
      /** For a second key: the peer that stated the first one. */
      readonly rival?: string;
    }
  /** Connections of a peer were refused, because it has too many or makes them too fast. */
  | { readonly kind: 'connection-refused'; readonly peer: string; readonly limit: Limit }
  /** A peer opened a session, and closed it without having stated a device's id. */
  | { readonly kind: 'left-unregistered'; readonly peer: string; readonly via: Via }
  /** New facts of the device itself, from whichever source. */
  | ({ readonly kind: 'device-facts' } & DeviceFacts)
  | { readonly kind: 'registered'; readonly peer: string; readonly via: Via }
  | {
      readonly kind: 'ready';
      readonly peer: string;
      readonly via: Via;
      /** As it was stored before there was `device-facts`. */
      readonly model?: string;
      readonly romVersion?: string;
    }
  /** `session`: ordinal of the session within this stage. */
  | {
      readonly kind: 'upgrade-sent';
      readonly version: string;
      readonly session: number;
      /** Its file unpacks and writes the new firmware itself. */
      readonly isOneHop?: true;
    }
  | {
      readonly kind: 'image-requested';
      readonly role: ImageRole;
      readonly class: OtaClass;
      /** First byte of the range that is asked for. */
      readonly first?: number;
      readonly size: number;
      readonly randPosition?: number;
      /** How many requests it stands for that followed each other without a gap, the row's first one not included. */
      readonly count?: number;
    }
  /** So much of an answer without ranges is out; at its first bytes, and whenever they have doubled. */
  | {
      readonly kind: 'image-sent';
      readonly role: ImageRole;
      readonly class: OtaClass;
      readonly bytes: number;
      /** Since the request. */
      readonly ms: number;
    }
  /** A request without a range has its answer, or what could be sent of it; `ms` from the request on. */
  | {
      readonly kind: 'image-ended';
      readonly role: ImageRole;
      readonly class: OtaClass;
      readonly complete: boolean;
      readonly bytes: number;
      readonly ms: number;
    }
  | { readonly kind: 'acknowledged'; readonly error: number }
  | { readonly kind: 'session-lost' }
  /** A look for FinalStage; only where it saw something new. */
  | { readonly kind: 'finalstage-looked'; readonly ownAddress?: string; readonly answered: boolean }
  /** A bare connection to the port of the images. */
  | { readonly kind: 'finalstage-dialled' }
  | { readonly kind: 'finalstage-requested'; readonly image: 'user2' | 'final'; readonly size: number }
  /** The connection stands, but nothing goes forward. */
  | { readonly kind: 'finalstage-stalled'; readonly image: 'user2' | 'final'; readonly bytes: number }
  /** See the states of `Delivery`. */
  | {
      readonly kind: 'finalstage-ended';
      readonly image: 'user2' | 'final';
      /** `interrupted`: this program ended meanwhile; `bytes` is what was known by then, more may have been sent. */
      readonly how: 'broken' | 'acknowledged' | 'delivered' | 'interrupted';
      readonly bytes: number;
    }
  /** The facts that the device stated over the LAN. */
  | {
      readonly kind: 'device-info';
      readonly peer: string;
      readonly romVersion?: string;
      /** Whether it takes new firmware. */
      readonly isUnlocked?: boolean;
      /** dBm. */
      readonly rssi?: number;
      /** It announces itself on the network, and was found by that. */
      readonly isAnnounced?: true;
    }
  /** A command over the LAN, and what came of it; `lost`: the device may have it. */
  | {
      readonly kind: 'command';
      readonly command: string;
      readonly result: 'done' | 'refused' | 'foreign' | 'lost' | 'unreachable';
      /** The device's own. */
      readonly error?: number;
    }
  /** This machine stands in for the maker's service; `withoutNames`: why it cannot answer for the name of that. */
  | { readonly kind: 'unlock-offered'; readonly address: string; readonly withoutNames?: Wording }
  /**
   * What came of it:
   * - `name`: a client on the local network asked where the maker's service is, and was led here
   * - `other-name`: the device asked for another name, and was refused
   * - `service`: the device asked to be unlocked, and was answered `error`
   * - `other`: it asked for something else, and was refused
   */
  | {
      readonly kind: 'unlock-asked';
      readonly peer: string;
      readonly what: 'name' | 'other-name' | 'service' | 'other';
      readonly name?: string;
      readonly error?: number;
    }
  /** The device's own report of its download; 0 is success. */
  | { readonly kind: 'result-reported'; readonly error: number }
  /** The stock firmware's server does not answer any more; `announcement`: what it announced of itself before, too. */
  | { readonly kind: 'stock-gone'; readonly announcement?: 'gone' | 'there' }
  /** A look for the new firmware, wherever it may be; only where it saw something new. */
  | { readonly kind: 'new-firmware-looked'; readonly looks: readonly NewFirmwareSighting[] }
  /** A message of the session, without keys. */
  | { readonly kind: 'message'; readonly direction: 'in' | 'out'; readonly text: string };

/**
 * One thing that was seen of a job: plain data for JSON, without secrets. `at` in ms since the epoch.
 */
export type Observation = { readonly at: number } & Sighting;

export type ObservationKind = Observation['kind'];

/** The observation of one kind. */
export type Seen<K extends ObservationKind> = Extract<Observation, { kind: K }>;

/** An observation whose time the recorder adds. */
export type NewObservation = Sighting;
