import type { Behaviours } from './behaviours';
import type { Slot } from './boot';
import type { NewFirmwareServer } from '../new-firmware/new-firmware';
import type { Relocator } from './one-hop-model';
import type { HomeNetwork, VirtualRadio } from './radio';
import type { Timings } from './timings';

/** Which class of stock firmware the device is (docs/dev/stock-firmware.md#2.3, #4.2). */
export type Transport = 'range' | 'no-range' | 'plain' | 'verifying';

/** Options of every virtual device, whichever stock firmware it has. */
export interface LifeOptions {
  /** The home network that exists. Given, other credentials never join; otherwise all do. */
  homeNetwork?: HomeNetwork;
  /** Its new firmware keeps running and is found there. Left out, the device ends as the new firmware boots. */
  newFirmware?: NewFirmwareServer;
  /** How long after a failure that nothing has cured the device ends automatically, in ms. Default: never. */
  lingerMs?: number;
}

export interface VirtualSonoffOptions extends LifeOptions {
  /** Where its access point's web server listens: 10.10.7.1 and 80 on a real one. Port 0 takes any. */
  apAddress: string;
  apPort: number;
  deviceid?: string;
  /** The factory key; made from the device id if left out. */
  apikey?: string;
  model?: string;
  romVersion?: string;
  /** The class of its firmware. Default `range`. */
  transport?: Transport;
  /** How it downloads; by default what its class does (`plain` firmware: no-range). */
  download?: 'range' | 'no-range';
  /** The slot that the stock firmware runs from. The intermediate firmware goes into the other one. Default 1. */
  slot?: Slot;
  /** A name from FAULTS; '' is a healthy device. */
  fault?: string;
  /** Single behaviours; they win over the fault. */
  behaviours?: Partial<Behaviours>;
  /** Divides the device's own pauses. Default 1. */
  speed?: number;
  /** Single times in ms, taken as they are. */
  timings?: Partial<Timings>;
  /** The port that `plain` firmware dials. Default 8081. */
  legacyPort?: number;
  /** The address that it dials from. */
  localAddress?: string;
  /** It was provisioned earlier: it starts by dialling this server. */
  provisioned?: { serverName: string; port: number };
  /** It starts in the intermediate firmware, which an earlier upgrade has put into the other slot. */
  startAt?: 'stock' | 'finalstage';
  /** Where a TCP connect finds FinalStage; by default where its access point was. */
  finalStageAddress?: string;
  finalStagePort?: number;
  /** The address that FinalStage dials: 192.168.4.2:8080; with a loopback AP, the host of the upgrade's download. */
  finalStageHost?: { address: string; port: number };
  /** Runs a one-hop image; by default a model of its relocator. An emulator of the chip can take its place. */
  relocator?: Relocator;
  /** Brings its networks up and down; by default they are all there, on loopback. */
  radio?: Partial<VirtualRadio>;
}

export interface VirtualResult {
  /** `flashed`, `stopped`, or why it ended. */
  result: string;
  /** sha256, in hex, of as many bytes at 0x0 as the final image has; of the whole flash where it was not flashed. */
  flashSha256: string;
  log: string[];
}
