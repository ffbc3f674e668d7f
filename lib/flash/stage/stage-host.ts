import type { OpenPorts } from '../../server/device-servers';
import type { DeviceConnection } from '../../server/device-connection';
import type { ImageLibrary } from '../../firmware/library/image-library';
import type { DeviceDirectory } from '../devices/device-directory';
import type { Devices } from '../devices/devices';
import type { FinalStageLock } from '../job/finalstage-lock';
import type { Job } from '../job/job';
import type { JobRegistry } from '../job/job-registry';
import type { Radio } from '../radio/radio';
import type { RouteEnvironment, UnlockPorts } from '../routes/route-environment';
import type { OwnAddress } from '../observation';
import type { Waits } from './waits';

/** Where devices find the host. */
export interface HostAddress {
  /** The IPv4 that devices dial, where it is known. */
  readonly address: string | undefined;
  /** Whether a person has set it. */
  readonly isAddressSet: boolean;
  /** Whether it is one that this machine had, if not now, when it was last on its home network. */
  readonly isAddressRemembered: boolean;
  /** @throws FlashError `address-invalid` where there is none that a device could dial */
  addressToDial(): string;
  readonly ports: OpenPorts;
  /** The address that it listens on, in IPv4. */
  readonly bind: string;
  /** Where it stands in for the maker's service that unlocks devices, while it does. */
  readonly unlockPorts: UnlockPorts;
  readonly finalStagePort: number;
}

/** The networks that this machine is in, and those that it can join. */
export interface HostNetworks {
  /** This machine's addresses, as far as they matter for a device at `url`. */
  ownAddresses(url: string): OwnAddress[];
  /** Whether the networks of a device at `url` are joined by Wi-Fi. */
  hasWifi(url: string): boolean;
  /** The MAC address under which this machine's link reaches an address, where that is known. */
  linkMacOf(address: string): Promise<string | undefined>;
  readonly radio: Radio;
  /** Where it receives announcements; undefined: on every interface. */
  readonly discovery: RouteEnvironment['discovery'];
  /** An address of this machine came or went. */
  on(event: 'addresses', listener: () => void): unknown;
  off(event: 'addresses', listener: () => void): unknown;
}

/** Its ports. */
export interface HostListening {
  /** @throws FlashError why it cannot listen; the next call tries again */
  open(): Promise<void>;
  /** Listens also where FinalStage dials. @throws FlashError why it cannot */
  openFinalStagePort(): Promise<void>;
}

/** The devices that it knows. */
export interface HostDevices {
  readonly devices: Devices;
  /** Each device with its facts and place, whichever way it was seen. */
  readonly directory: DeviceDirectory;
  /** Makes a connected device the job's, with the facts that it stated. */
  adoptDevice(job: Job, connection: DeviceConnection): void;
}

/** Its jobs, what they wait for and what is stored of them. */
export interface HostJobs {
  readonly jobs: JobRegistry;
  /** Shared with all hosts that serve FinalStage at the same port. */
  readonly finalStageLock: FinalStageLock;
  /** Resolves when the jobs as they are now would outlive the process: for what must not be done to a device twice. */
  whenStored(): Promise<void>;
  readonly waits: Waits;
}

/** The part of its host that a stage may use; nothing of the host's own life. */
export interface StageHost extends HostAddress, HostNetworks, HostListening, HostDevices, HostJobs {
  readonly library: ImageLibrary;
}
