import { type Air, type Ssid } from './air';
import { type DeviceEvent, type DeviceProcess } from './device-process';
import { type Records } from './records';

/**
 * `two`: Ethernet stays at home, the Wi-Fi roams. `one`: the only interface roams and loses its home address each time.
 * `itself`: as `two`, but it is not moved by a person.
 */
export type Layout = 'one' | 'two' | 'itself';

/** The person who joins the networks on the host. */
export interface Hand {
  /** Starts to act on what the device does. */
  watch(device: DeviceProcess): void;
  /** Resolves when every move so far is done. */
  settled(): Promise<void>;
}

/** How long a person, or an operating system, takes to notice a network that came or went. */
const NOTICE_MS = 700;
const HOME = '192.168.77.10/24';
const PLACES = { itead: '10.10.7.2/24', finalstage: '192.168.4.2/24', tasmota: '192.168.4.2/24', home: HOME } as const;
/** What the text or the details of the flow's progress must name before the person leaves home for that network. */
const CALLS = { itead: /ITEAD/i, finalstage: /FinalStage/i, tasmota: /tasmota-/ } as const;

/** Joins the networks on the host, as the person at the computer does. */
export class Person implements Hand {
  readonly moves: { to: Ssid | 'none'; at: number }[] = [];
  readonly #radio = 'wlan0';
  #place: Ssid | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(
    readonly air: Air,
    readonly layout: Layout,
    readonly records: Records,
    readonly signal: AbortSignal,
  ) {
    air.addRadio('host', this.#radio);
    if (layout === 'two') {
      air.addRadio('host', 'eth0');
      air.join('host', 'eth0', 'home', HOME);
    } else this.#move('home');
  }

  /** Starts to act on what the device does. */
  watch(device: DeviceProcess): void {
    device.on('event', ({ event, want }: DeviceEvent) => {
      if (event === 'ap-up') this.#go('itead');
      else if (event === 'finalstage-up') this.#go('finalstage');
      else if (event === 'new-firmware-up') this.#go('tasmota');
      else if (event === 'network' && want === 'off') this.#go(this.layout === 'one' ? 'home' : undefined);
    });
  }

  /** Resolves when every move so far is done; rejects when the flow never called for one. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  #go(to: Ssid | undefined): void {
    this.#queue = this.#queue.then(async () => {
      if (to === this.#place) return;
      await new Promise((resolve) => setTimeout(resolve, NOTICE_MS));
      if (to !== undefined && to !== 'home') await this.#called(CALLS[to]);
      this.#move(to);
    });
    this.#queue.catch(() => undefined);
  }

  async #called(by: RegExp): Promise<void> {
    await this.records.find(
      ({ kind, msg }) => kind === 'progress' && by.test(`${msg.text} ${msg.details}`),
      this.signal,
    );
  }

  #move(to: Ssid | undefined): void {
    if (this.#place !== undefined) this.air.leave('host', this.#radio);
    if (to !== undefined) this.air.join('host', this.#radio, to, PLACES[to]);
    this.#place = to;
    this.moves.push({ to: to ?? 'none', at: Date.now() });
  }
}
