import type { LifeOptions } from '../device/options';
import type { HomeNetwork, VirtualRadio } from '../device/radio';
import type { Timings } from '../device/timings';
import type { DiyBehaviours } from './behaviours';
import type { DiyVersion } from './versions';

/** Where the device speaks mDNS: 224.0.0.251 and 5353 on a real one. Always on the interface of its own address. */
export interface MdnsPlace {
  readonly group?: string;
  readonly port?: number;
}

export interface VirtualDiyOptions extends LifeOptions {
  /** Where its access point's web server listens: 10.10.7.1 and 80 on a real one. Port 0 takes any. */
  apAddress: string;
  apPort: number;
  deviceid?: string;
  /** The factory key; made from the device id if left out. */
  apikey?: string;
  model?: string;
  /** Its stock firmware. Default 3.7.6. */
  version?: DiyVersion;
  /** `type` of its announcement. Default `diy_plug`; in eWeLink mode always `plug`. */
  type?: string;
  /** The port of its HTTP API. Default 8081; 0 takes any, and its announcement says which. */
  lanPort?: number;
  /** Default: as a real one; false: none at all. */
  mdns?: MdnsPlace | false;
  /**
   * How it is found when it is switched on: with its button held (`access-point`), set up earlier for DIY mode or in the
   * eWeLink app, or with its jumper set. Default: the jumper where its version knows one, else its access point.
   */
  startsIn?: 'access-point' | 'diy' | 'ewelink' | 'jumper';
  /** The Wi-Fi that it was set up with earlier; left out, it is let in anywhere. */
  network?: HomeNetwork;
  /** It was unlocked earlier. */
  otaUnlock?: boolean;
  /**
   * The DNS server that its router gives it, `address` or `address:port`. Left out, it has no DNS: it never asks the one
   * of this machine.
   */
  dns?: string;
  /** The port of the vendor's service. Default 80. */
  vendorPort?: number;
  /** A name from DIY_FAULTS; '' is a healthy device. */
  fault?: string;
  /** Single behaviours; they win over the fault. */
  behaviours?: Partial<DiyBehaviours>;
  /** Divides the device's own pauses. Default 1. */
  speed?: number;
  /** Single times in ms, taken as they are. */
  timings?: Partial<Timings>;
  /** The address that it dials from. */
  localAddress?: string;
  /** Brings its networks up and down; by default they are all there, on loopback. */
  radio?: Partial<VirtualRadio>;
}
