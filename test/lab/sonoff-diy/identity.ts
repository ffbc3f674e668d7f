import { NewlibRand } from '../sonoff/newlib-rand';

/** One device in DIY mode, as its factory and its firmware made it. */
export interface DiyIdentity {
  deviceid: string;
  /** Never leaves the device but in the digest that signs a request. */
  apikey: string;
  fwVersion: string;
  /** Of its station. */
  mac: string;
  /** The Wi-Fi that it is in. */
  ssid: string;
  rand: NewlibRand;
}

type Given = Pick<DiyIdentity, 'deviceid' | 'apikey' | 'ssid' | 'mac'>;

export function makeDiyIdentity({ deviceid, apikey, ssid, mac }: Given): DiyIdentity {
  return { deviceid, apikey, ssid, mac, fwVersion: '3.7.6', rand: new NewlibRand() };
}
