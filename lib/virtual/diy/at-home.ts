import type { HomeNetwork } from '../device/radio';
import { pause } from '../device/timers';
import { answerCommand, type CommandEffects } from './commands';
import type { DiyContext } from './context';
import { FlashRun } from './flash-run';
import type { LanAnswer } from './lan-answer';
import { LanServer } from './lan-server';
import { MdnsResponder } from './mdns-responder';
import { WifiLost } from './wifi-lost';

/** Why it is no longer at this place: flashed, sent to another Wi-Fi, or off its Wi-Fi. */
export type HomeEnd =
  { type: 'flashed'; size: number } | { type: 'moved'; network: HomeNetwork } | { type: 'wifi-lost' };

/** Where it listens, and who is told of the port. */
export interface LanPlace {
  readonly address: string;
  readonly port: number;
  readonly ssid: string;
  onListening(port: number): void;
}

/**
 * The device on its home network, which it has joined: its HTTP API and its announcement, until it is flashed or has to
 * leave. It has left the network when this settles. Rejects with a Restart, or with the signal's reason.
 */
export async function liveAtHome(device: DiyContext, place: LanPlace, outer: AbortSignal): Promise<HomeEnd> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([outer, leaving.signal]);
  const stay = new Stay(device, signal);
  const server = new LanServer(device, async (request, gone) => {
    const effects: CommandEffects = {
      ssid: place.ssid,
      changed: () => mdns?.announce(),
      moveTo: (network) => stay.moveTo(network),
      flash: (order) => stay.flash(new FlashRun(device, order, signal)),
    };
    return await answerCommand(device, request, effects, gone);
  });
  let mdns: MdnsResponder | undefined;
  let hasLeft = false;
  try {
    const port = await server.listen(place.address, place.port);
    mdns = await MdnsResponder.open(device, { address: place.address, port });
    device.enter(device.settings.mode === 'ewelink' || device.behaviours.encrypts ? 'ewelink-mode' : 'diy-mode');
    mdns?.announce();
    place.onListening(port);
    const end = await stay.ended;
    // Off the air first: the other side does not see its connections end.
    hasLeft = end.type === 'wifi-lost';
    if (hasLeft) await device.radio.leaveHome();
    return end;
  } finally {
    leaving.abort(new Error('the device has left'));
    await server.close();
    await mdns?.close();
    await stay.settled();
    if (!hasLeft) await device.radio.leaveHome();
  }
}

/** The work beside the requests, and when it ends the stay. */
class Stay {
  readonly ended: Promise<HomeEnd>;
  private end!: (how: HomeEnd) => void;
  private fail!: (error: unknown) => void;
  private work: Promise<void> | undefined;

  constructor(
    private readonly device: DiyContext,
    private readonly signal: AbortSignal,
  ) {
    this.ended = new Promise((resolve, reject) => {
      this.end = resolve;
      this.fail = reject;
    });
    signal.addEventListener('abort', () => this.fail(signal.reason), { once: true });
    if (signal.aborted) this.fail(signal.reason);
    this.ended.catch(() => undefined);
  }

  /** After the reply, as with the access point. */
  moveTo(network: HomeNetwork): LanAnswer {
    if (this.work) return 'silence';
    this.begin(async () => {
      await pause(this.device.timings.apGoes, this.signal);
      this.end({ type: 'moved', network });
    });
    return { error: 0 };
  }

  /** One download at a time: what comes in meanwhile is not understood. */
  async flash(run: FlashRun): Promise<LanAnswer> {
    if (this.work) return 'silence';
    this.begin(async () => {
      try {
        const size = await run.run();
        if (size !== undefined) this.end({ type: 'flashed', size });
      } catch (error) {
        if (!(error instanceof WifiLost)) throw error;
        this.end({ type: 'wifi-lost' });
      }
    });
    return await run.reply;
  }

  /** Resolves when nothing of it runs any more. */
  async settled(): Promise<void> {
    await this.work;
  }

  private begin(work: () => Promise<void>): void {
    this.work = work().then(
      () => void (this.work = undefined),
      (error: unknown) => this.fail(error),
    );
  }
}
