import { EventEmitter } from 'node:events';
import { FlashError } from '../../errors';
import type { AccessPoint, JoinedNetwork, WifiNetwork } from '../../net/wifi/wifi';
import { limited } from '../../net/wifi/within';
import type { Radio, WifiLease } from './radio';
import { wording, type Wording } from '../../wordings/wording';

export interface SessionOptions {
  readonly signal: AbortSignal;
  /** For the scan or the joining, the wait for its turn included. */
  readonly seconds: number;
}

/**
 * A network that a user's flow joins and leaves. There is one at a time; it ends automatically after the time that
 * it may stay, so that no flash waits for it without end.
 *
 * Events: `ended` with a FlashError where it was lost or its time was over.
 */
export class WifiSession extends EventEmitter<{ ended: [error: FlashError] }> {
  private lease: WifiLease | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly radio: Radio) {
    super();
    this.setMaxListeners(0);
  }

  get joined(): JoinedNetwork | undefined {
    return this.lease?.driver.joined;
  }

  /** @throws FlashError `wifi-*`, `cancelled` */
  async scan({ signal, seconds }: SessionOptions): Promise<readonly AccessPoint[]> {
    const { lease } = this;
    return this.inTime({ signal, seconds }, wording('task-scan'), (both) =>
      lease ? lease.scan(both) : this.radio.scan('flow', both),
    );
  }

  /**
   * Joins, and stays for `stay` seconds at most. Leaves what it had joined before.
   * @throws FlashError `wifi-*`, `cancelled`
   */
  async join(network: WifiNetwork, { stay, ...options }: SessionOptions & { stay: number }): Promise<JoinedNetwork> {
    await this.leave();
    return this.inTime(options, wording('task-join', { ssid: network.ssid }), async (signal) => {
      const lease = await this.radio.acquire('flow', signal);
      try {
        const joined = await lease.join(network, signal);
        this.begin(lease, stay);
        return joined;
      } catch (error) {
        await lease.release();
        throw error;
      }
    });
  }

  /** Resolves with what was left, once the former network is back. */
  async leave(): Promise<JoinedNetwork | undefined> {
    const { lease, joined } = this;
    clearTimeout(this.timer);
    this.lease = undefined;
    lease?.driver.off('lost', this.lost);
    await lease?.release();
    return joined;
  }

  private begin(lease: WifiLease, stay: number): void {
    this.lease = lease;
    lease.driver.on('lost', this.lost);
    const over = new FlashError('wifi-stayed-long', { ssid: lease.driver.joined?.ssid ?? '?', seconds: stay });
    this.timer = setTimeout(() => this.end(over), stay * 1000);
  }

  private readonly lost = (error: FlashError): void => this.end(error);

  private end(error: FlashError): void {
    void this.leave().then(() => this.emit('ended', error));
  }

  private inTime<T>(
    { signal, seconds }: SessionOptions,
    what: Wording,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const late = (): FlashError => {
      const { holder, interfaceName } = this.radio;
      // The holder of the radio is not interrupted.
      if (!this.lease && holder !== undefined && holder !== 'flow') {
        return new FlashError('wifi-busy', { name: interfaceName, what: wording(`purpose-${holder}`) });
      }
      return new FlashError('wifi-timeout', { what, seconds });
    };
    return limited({ signal, limitMs: seconds * 1000 }, late, work);
  }
}
