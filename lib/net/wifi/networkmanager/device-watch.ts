import { EventEmitter } from 'node:events';
import type { Message } from '@jellybrick/dbus-next';
import { asFlashError, FlashError } from '../../../errors';
import { errorOfReason, lossOfReason, NM, NM_DEVICE, NM_PATH, STATE } from './facts';
import type { NmDevice } from './api';
import type { SystemBus } from './system-bus';
import { wording } from '../../../wordings/wording';

/** NMDeviceStateReason: the supplicant, or the access point, broke off. */
const SUPPLICANT_BROKE_OFF = 8;
/** And: another activation takes the place of what was there. */
const NEW_ACTIVATION = 60;

interface StateChange {
  readonly state: number;
  readonly old: number;
  readonly reason: number;
}

/**
 * Follows one device from before a network is joined on it until it is left: the reasons are in its signals alone, and
 * its state is back to "disconnected" when one looks. Emits `state`, and `gone` with what took the device away.
 */
export class DeviceWatch extends EventEmitter<{ state: [change: StateChange]; gone: [error: FlashError] }> {
  private readonly rules: string[];
  private hasBegun = false;

  private constructor(
    private readonly bus: SystemBus,
    private readonly device: NmDevice,
    private readonly ssid: string,
  ) {
    super();
    this.rules = [
      `type='signal',sender='${NM}',path='${device.path}',interface='${NM_DEVICE}',member='StateChanged'`,
      `type='signal',sender='${NM}',path='${NM_PATH}',interface='${NM}',member='DeviceRemoved'`,
      `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${NM}'`,
    ];
  }

  static async begin(bus: SystemBus, device: NmDevice, ssid: string): Promise<DeviceWatch> {
    const watch = new DeviceWatch(bus, device, ssid);
    bus.on('signal', watch.take);
    bus.on('gone', watch.lostBus);
    for (const rule of watch.rules) await bus.match(rule);
    return watch;
  }

  stop(): void {
    this.bus.off('signal', this.take);
    this.bus.off('gone', this.lostBus);
    this.removeAllListeners();
    for (const rule of this.rules) void this.bus.unmatch(rule);
  }

  /**
   * Resolves when the device is up with the activation; rejects with the reason why it is not, or the signal's.
   * @param isOurs whether what is active now is that: the network from before may come up again just then
   */
  activated(isOurs: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.off('state', onState);
        this.off('gone', onGone);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onState = (change: StateChange): void => {
        const failure = this.failureIn(change);
        if (failure) end(() => reject(failure));
        else if (change.state === STATE.activated) isOurs().then((ours) => ours && end(resolve), onGone);
      };
      const onGone = (error: unknown): void => end(() => reject(asFlashError(error)));
      const onAbort = (): void => end(() => reject(signal.reason as Error));
      this.on('state', onState);
      this.on('gone', onGone);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }

  /** Calls back once when the network that is joined now is gone. */
  onLoss(tell: (error: FlashError) => void): void {
    this.on('gone', tell);
    this.on('state', ({ state, reason }) => {
      if (state !== STATE.activated) tell(lossOfReason(reason, this.values));
    });
  }

  private get values(): { ssid: string; name: string } {
    return { ssid: this.ssid, name: this.device.name };
  }

  private failureIn({ state, old, reason }: StateChange): FlashError | undefined {
    // The connection before ours is taken down first.
    if (state >= STATE.prepare && state < STATE.deactivating) this.hasBegun = true;
    // It would ask the person at the screen for a better password, and wait for the answer.
    const isRefused = state === STATE.needAuth && old === STATE.config && reason === SUPPLICANT_BROKE_OFF;
    if (isRefused) return new FlashError('wifi-password-wrong', this.values);
    if (state === STATE.failed) return errorOfReason(reason, this.values);
    const isOver = state <= STATE.disconnected || state === STATE.deactivating;
    return isOver && this.hasBegun && reason !== NEW_ACTIVATION ? errorOfReason(reason, this.values) : undefined;
  }

  private readonly take = (message: Message): void => {
    const { member, path, body } = message;
    if (member === 'StateChanged' && path === this.device.path) {
      const [state, old, reason] = body as [number, number, number];
      this.emit('state', { state, old, reason });
    } else if (member === 'DeviceRemoved' && body[0] === this.device.path) {
      this.emit('gone', new FlashError('wifi-interface-missing', { name: this.device.name }));
    } else if (member === 'NameOwnerChanged' && body[0] === NM) {
      this.emit('gone', new FlashError('wifi-service-away', { reason: wording('networkmanager-ended') }));
    }
  };

  private readonly lostBus = (): void => {
    this.emit('gone', new FlashError('wifi-service-away', { reason: wording('bus-gone') }));
  };
}
