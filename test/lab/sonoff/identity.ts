import { NewlibRand } from './newlib-rand';
import { type Slot } from './flash';

export type DeviceClass = 'range' | 'no-range' | 'plain';

/** One device, as its factory and its firmware made it. */
export interface Identity {
  deviceid: string;
  apikey: string;
  model: string;
  romVersion: string;
  /** Of its station. */
  mac: string;
  /** Old firmware: no TLS, port 8081. */
  plain: boolean;
  /** Downloads in ranges of 4096 bytes; otherwise the whole file in one answer. */
  ranges: boolean;
  /** The slot that its stock firmware runs from. */
  slot: Slot;
  rand: NewlibRand;
}

// One product of each class, from stock-firmware 2.3 and 4.2.
const PRODUCTS: Record<DeviceClass, { model: string; romVersion: string; plain: boolean; ranges: boolean }> = {
  range: { model: 'ITA-GZ1-GL', romVersion: '1.5.5', plain: false, ranges: true },
  'no-range': { model: 'PSB-B04-GL', romVersion: '1.3.0', plain: false, ranges: false },
  plain: { model: 'PSC-B01-GL', romVersion: '2.0.2', plain: true, ranges: false },
};

export function makeIdentity(kind: DeviceClass, slot: Slot, deviceid: string, apikey: string): Identity {
  return { deviceid, apikey, mac: '5C:CF:7F:12:34:56', ...PRODUCTS[kind], slot, rand: new NewlibRand() };
}

/** What the first `update` after a connection tells (stock-firmware 3.6). */
export function stateOf(device: Identity): object {
  const common = { fwVersion: device.romVersion, rssi: -61, staMac: device.mac };
  if (device.model === 'PSB-B04-GL')
    return { switches: [0, 1, 2, 3].map((outlet) => ({ switch: 'off', outlet })), ...common };
  if (device.model === 'PSC-B01-GL') return { switch: 'off', ...common, startup: 'off', power: '0' };
  return { switch: 'off', ...common, startup: 'off' };
}
