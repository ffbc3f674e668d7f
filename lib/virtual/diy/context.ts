import type { DeviceContext } from '../device/context';
import type { HomeNetwork } from '../device/radio';
import type { DiyBehaviours } from './behaviours';
import type { MdnsPlace } from './options';
import type { PlugState } from './plug-state';
import type { DiyProfile } from './versions';

/** Shared by all parts of one DIY device. */
export interface DiyContext extends DeviceContext {
  readonly behaviours: DiyBehaviours;
  readonly profile: DiyProfile;
  readonly type: string;
  readonly mdns: Required<MdnsPlace> | undefined;
  readonly dns: string | undefined;
  readonly vendorPort: number;
  readonly settings: DiySettings;
  /** This boot's state of the relay, and its sequence number. */
  readonly plug: PlugState;
}

/** Its settings, which it keeps without power. */
export interface DiySettings {
  mode: 'none' | 'diy' | 'ewelink';
  network: HomeNetwork;
  /** Given in its access point by the cloud's method: the server that it dials in eWeLink mode. */
  cloud: { serverName: string; port: number } | undefined;
  otaUnlock: boolean;
}
