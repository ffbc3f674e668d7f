import { otherSlot, type Slot } from '../device/boot';
import { type DeviceContext, Restart } from '../device/context';
import type { ServerAddress } from './dispatch-client';
import { SessionWriter } from './session-writer';
import { HeartbeatTimer } from './heartbeat';
import { type Heartbeat, readMessage, type ServerMessage } from './server-message';
import { runUpgrade } from './upgrade';
import { checkUpgrade, type Upgrade } from './upgrade-command';
import { takeFrame } from '../wire/websocket-frames';
import { pause } from '../device/timers';
import type { Wire } from '../wire/wire';

const RECEIVE_BUFFER_BYTES = 2048;

export type SessionEnd =
  /** The connection is gone; dispatch again. */
  | { type: 'closed' }
  /** Sent to another server. */
  | { type: 'redirected'; to: ServerAddress }
  /** An upgrade was written and acknowledged: reboot into the other slot. */
  | { type: 'upgraded'; image: Upgrade };

/** One WebSocket session of the stock firmware (docs/dev/stock-firmware.md#3), from the open connection to its end. */
export class CloudSession {
  private readonly voice: SessionWriter;
  private readonly heartbeat: HeartbeatTimer;
  private dated = false;
  private updated = false;
  private upgrading: Promise<void> | undefined;
  private settle!: (end: SessionEnd | Error) => void;
  private readonly outcome: Promise<SessionEnd>;
  /** Ends what the session has started besides reading: repeated questions. */
  private readonly over = new AbortController();

  constructor(
    private readonly device: DeviceContext,
    private readonly wire: Wire,
    private readonly running: Slot,
    private readonly signal: AbortSignal,
  ) {
    this.voice = new SessionWriter(device, wire);
    this.outcome = new Promise((resolve, reject) => {
      this.settle = (end) => (end instanceof Error ? reject(end) : resolve(end));
    });
    this.heartbeat = new HeartbeatTimer(
      device.timings.heartbeatUnit,
      () => this.voice.ping(),
      () => {
        device.log('two pings without a pong: disconnecting');
        wire.close();
      },
    );
  }

  /** Registers and obeys until the session ends. Rejects with a Restart, or the signal's reason. */
  async run(): Promise<SessionEnd> {
    this.device.enter('registering');
    this.heartbeat.start();
    void this.read().then(
      () => this.closed(),
      () => this.closed(),
    );
    this.voice.register();
    try {
      return await this.outcome;
    } finally {
      this.over.abort();
      this.heartbeat.stop();
      this.wire.close();
    }
  }

  private closed(): void {
    if (this.signal.aborted) return this.settle(this.signal.reason as Error);
    // A download does not need the session; its end decides.
    void (this.upgrading ?? Promise.resolve()).finally(() => this.settle({ type: 'closed' }));
  }

  private async read(): Promise<void> {
    let buffer: Buffer = Buffer.alloc(0);
    for (;;) {
      const segment = await this.wire.next();
      if (!segment) return;
      buffer = Buffer.concat([buffer, segment.bytes]);
      for (;;) {
        const taken = takeFrame(buffer);
        if (!taken) break;
        buffer = taken.rest;
        if (taken.frame.type === 'text') this.handle(taken.frame.text);
        else if (taken.frame.type === 'pong') this.heartbeat.answered();
        else
          this.device.log(
            `websocket: ${taken.frame.reason}, ${taken.frame.type === 'flush' ? 'buffer flushed' : 'ignored'}`,
          );
      }
      if (buffer.length > RECEIVE_BUFFER_BYTES) {
        this.device.log(`websocket: over ${RECEIVE_BUFFER_BYTES} bytes, buffer flushed`);
        buffer = Buffer.alloc(0);
      }
    }
  }

  private handle(text: string): void {
    const { deviceid } = this.device.identity;
    const message = readMessage(text, { deviceid, apikey: this.voice.ownKey, sessionKey: this.voice.sessionKey });
    switch (message.type) {
      case 'registered':
        this.voice.sessionKey = message.sessionKey;
        if (this.device.behaviours.keepsSessionKey) this.device.kept.sessionKey = message.sessionKey;
        this.configure(message.config);
        this.device.log('registered');
        if (this.device.behaviours.sendsGarbage) this.voice.garbage();
        return this.askForDate();
      case 'date':
        if (this.dated) return;
        this.dated = true;
        return this.voice.update();
      case 'accepted':
        return this.accepted();
      case 'answered':
        return this.configure(message.config);
      case 'action':
        return this.obey(message);
      case 'error':
        return this.refused(message.code);
      case 'ignored':
        return this.device.log(`message ignored: ${message.reason}`);
    }
  }

  /** The reply to an `update`: the device is ready, and most firmware asks for its timers now. */
  private accepted(): void {
    if (!this.dated || this.updated) return;
    this.updated = true;
    if (this.device.behaviours.sendsQuery) this.voice.query();
    this.device.enter('ready');
  }

  private refused(code: number): void {
    this.device.log(`server error ${code}`);
    if (code !== 404 || this.voice.sessionKey !== undefined) return;
    this.device.kept.sessionKey = undefined;
    this.later(() => this.voice.register());
  }

  private obey(message: ServerMessage & { type: 'action' }): void {
    this.device.log(`told to ${message.action}`);
    switch (message.action) {
      case 'upgrade':
        return this.startUpgrade(message);
      case 'restart':
        this.voice.acknowledge(0, message.sequence);
        return this.settle(new Restart('told to restart'));
      case 'redirect': {
        const { IP, port } = message.json;
        if (typeof IP === 'string' && typeof port === 'number')
          this.settle({ type: 'redirected', to: { host: IP, port } });
        return;
      }
      case 'notify': {
        const { hb, hbInterval } = message.json;
        this.configure({
          on: typeof hb === 'number' ? hb !== 0 : undefined,
          seconds: typeof hbInterval === 'number' ? hbInterval : undefined,
        });
        return this.voice.acknowledge(0, message.sequence);
      }
      default:
        return this.voice.acknowledge(0, message.sequence);
    }
  }

  private startUpgrade(message: ServerMessage & { type: 'action' }): void {
    const { device } = this;
    if (this.upgrading) return device.log('already upgrading: ignored');
    const target = otherSlot(this.running);
    const { refusesWith, comparesVersion } = device.behaviours;
    const upgrade = refusesWith ?? checkUpgrade(message.json, device.identity, target, comparesVersion);
    if (typeof upgrade === 'number') return this.reportFailure(upgrade, message.sequence);
    device.enter('upgrading');
    this.heartbeat.hold();
    this.upgrading = runUpgrade(device, upgrade, target, this.signal)
      .then(async (code) => {
        if (!device.behaviours.acknowledges) return device.failed('silent-after-upgrade');
        this.heartbeat.release();
        if (code !== 0) {
          this.upgrading = undefined;
          return this.reportFailure(code, message.sequence);
        }
        if (this.wire.closed) device.log('the acknowledgement has nowhere to go');
        this.voice.acknowledge(0, message.sequence);
        device.enter('rebooting');
        await pause(device.timings.rebootAfter, this.signal);
        this.settle({ type: 'upgraded', image: upgrade });
      })
      .catch((error: Error) => this.settle(error));
  }

  private reportFailure(code: number, sequence: string): void {
    this.voice.acknowledge(code, sequence);
    this.device.enter('refused');
    this.device.failed(`refused-${code}`);
  }

  /** Without a date that it can read, the device asks again and again. */
  private askForDate(): void {
    if (this.dated) return;
    this.voice.date();
    this.later(() => this.askForDate());
  }

  private configure({ on, seconds }: Heartbeat): void {
    if (on && seconds !== undefined) this.heartbeat.every(seconds);
  }

  private later(action: () => void): void {
    pause(this.device.timings.askAgain, AbortSignal.any([this.signal, this.over.signal])).then(action, () => undefined);
  }
}
