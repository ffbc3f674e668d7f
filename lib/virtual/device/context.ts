import type { Behaviours } from './behaviours';
import type { FlashMemory } from './flash-memory';
import type { Identity } from './models';
import type { Transport } from './options';
import type { VirtualRadio } from './radio';
import type { NewlibRand } from './rand';
import type { Timings } from './timings';

/** Shared by all parts of one device. */
export interface DeviceContext {
  readonly identity: Identity;
  readonly transport: Transport;
  /** How it downloads an upgrade: by ranges, or the whole file in one reply. */
  readonly download: 'range' | 'no-range';
  readonly legacyPort: number;
  readonly localAddress: string | undefined;
  readonly timings: Timings;
  readonly flash: FlashMemory;
  readonly radio: VirtualRadio;
  /** The behaviours of now: a test may change one while the device runs. */
  readonly behaviours: Behaviours;
  /** This boot's random sequence. */
  readonly rand: NewlibRand;
  /** Its last session, where a behaviour stores it. */
  readonly kept: { sessionKey?: string | undefined };
  /** A line for people. Never a password, a key, or text that the other side sent. */
  readonly log: (line: string) => void;
  enter(state: VirtualState): void;
  /** Something went wrong for good, unless the other side does something about it. */
  failed(reason: string): void;
  /** true the first time it is asked for `name`: what a behaviour does only once in a device's life. */
  once(name: string): boolean;
}

export const VIRTUAL_STATES = [
  'off',
  'access-point',
  'joining',
  'not-joined',
  'diy-mode',
  'ewelink-mode',
  'dispatching',
  'certificate-refused',
  'registering',
  'ready',
  'upgrading',
  'refused',
  'rebooting',
  'blinking',
  'finalstage',
  'fetching',
  'erased',
  'hanging',
  'half-erased',
  'relocating',
  'new-firmware',
  'new-access-point',
  'new-joining',
  'new-not-joined',
  'new-at-home',
  'new-silent',
  'ended',
] as const;

export type VirtualState = (typeof VIRTUAL_STATES)[number];

/** The device restarts: it crashed, lost power, or was told to. */
export class Restart extends Error {
  constructor(readonly why: string) {
    super(why);
  }
}
