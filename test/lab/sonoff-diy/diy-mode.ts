import { pause } from '../sonoff/reader';
import { report } from '../sonoff/report';
import { type DiyIdentity } from './identity';
import { type LanRequest } from './lan-request';
import { type DiyOffer, readDiyOffer } from './offer';

/** The maker's service answers within a second (diy-mode 1.8). */
const UNLOCK_MS = 300;
const SIGNAL_DBM = -37;

/** Starts a download; `reply` is called once, with the code for the reply to `ota_flash`. */
export type Flasher = (offer: DiyOffer, reply: (code: number) => void) => void;

/** The commands of DIY mode 2.0 (diy-mode 1.6, 1.7), as firmware 3.7.6 answers them. */
export class DiyMode {
  /** Grows with each change of state. */
  seq = 1;
  readonly #device: DiyIdentity;
  readonly #flasher: Flasher;
  #relay: 'on' | 'off' = 'off';
  #isUnlocked = false;

  constructor(device: DiyIdentity, flasher: Flasher) {
    this.#device = device;
    this.#flasher = flasher;
  }

  /** What the TXT record shows in `data1`. */
  get state(): object {
    return { switch: this.#relay, startup: 'off', pulse: 'off', sledOnline: 'on', pulseWidth: 500, rssi: SIGNAL_DBM };
  }

  async answer({ command, body }: LanRequest): Promise<object | 'reset'> {
    const { deviceid, data } = body;
    report('command', { command, deviceid });
    // From 3.7.6 on, an empty id gets no reply; a missing one is fine.
    if (deviceid === '') return 'reset';
    if (deviceid !== undefined && deviceid !== this.#device.deviceid) return this.#reply(404);
    if (typeof data !== 'object' || data === null) return this.#reply(422);
    return await this.#obey(command, { ...data });
  }

  async #obey(command: string, data: Record<string, unknown>): Promise<object> {
    switch (command) {
      case 'info':
        return { ...this.#reply(0), data: this.#info() };
      case 'signal_strength':
        return { ...this.#reply(0), data: { signalStrength: SIGNAL_DBM } };
      case 'switch':
        return this.#switch(data['switch']);
      case 'ota_unlock':
        return await this.#unlock();
      case 'ota_flash':
        return await this.#flash(data);
      default:
        return this.#reply(422);
    }
  }

  #reply(error: number): object {
    return { seq: this.seq, error };
  }

  /** An object, not a string of JSON, since 3.5. */
  #info(): object {
    const { deviceid, fwVersion, ssid } = this.#device;
    const state = { switch: this.#relay, startup: 'off', pulse: 'off', pulseWidth: 500 };
    const network = { ssid, bssid: '0a:1b:2c:3d:4e:5f', signalStrength: SIGNAL_DBM };
    return { ...state, ...network, otaUnlock: this.#isUnlocked, fwVersion, deviceid };
  }

  #switch(wanted: unknown): object {
    if (wanted !== 'on' && wanted !== 'off') return this.#reply(422);
    this.#relay = wanted;
    this.seq++;
    return this.#reply(0);
  }

  async #unlock(): Promise<object> {
    await pause(UNLOCK_MS);
    this.#isUnlocked = true;
    this.seq++;
    return this.#reply(0);
  }

  async #flash(data: Record<string, unknown>): Promise<object> {
    if (!this.#isUnlocked) return this.#reply(403);
    const offer = readDiyOffer(data);
    if (offer === undefined) return this.#reply(422);
    const code = await new Promise<number>((resolve) => this.#flasher(offer, resolve));
    this.seq++;
    return this.#reply(code);
  }
}
