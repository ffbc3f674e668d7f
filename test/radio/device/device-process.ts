import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from '../air/program';
import type { Life } from './device';

export interface DeviceEvent {
  event: 'log' | 'state' | 'flashed' | 'page' | 'ended' | 'broken' | 'stderr';
  fact: unknown;
  at: number;
}

/** The namespaces that hold two radios for a device. */
export const PLACES = {
  sonoff: { ap: 'wlan2', station: 'wlan3' },
  other: { ap: 'wlan4', station: 'wlan5' },
} as const;

/** A virtual Sonoff in a process and a namespace of its own. Emits `event` with each DeviceEvent. */
export class DeviceProcess extends EventEmitter<{ event: [DeviceEvent] }> {
  readonly events: DeviceEvent[] = [];
  readonly ended: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(
    readonly place: keyof typeof PLACES,
    life: Omit<Life, 'radios'>,
  ) {
    super();
    this.setMaxListeners(0);
    const whole: Life = { radios: PLACES[place], ...life };
    const program = [process.execPath, join(__dirname, 'device.js'), JSON.stringify(whole)];
    this.#child = spawn('ip', ['netns', 'exec', place, ...program]);
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#note(JSON.parse(line) as DeviceEvent));
    createInterface({ input: this.#child.stderr }).on('line', (fact) =>
      this.#note({ event: 'stderr', fact, at: Date.now() }),
    );
    this.ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
    void this.ended.then(() => this.#note({ event: 'ended', fact: undefined, at: Date.now() }));
  }

  /** Waits until it is in this state, has been or will be. @throws Error with its story when it ends before, or in time */
  async reaches(state: string, limitMs: number): Promise<void> {
    await this.meets(`state ${state}`, ({ event, fact }) => event === 'state' && fact === state, limitMs);
  }

  async meets(what: string, fits: (event: DeviceEvent) => boolean, limitMs: number): Promise<DeviceEvent> {
    const past = this.events.find(fits);
    if (past) return past;
    return await new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.off('event', onEvent);
        act();
      };
      const fail = (why: string): void => settle(() => reject(new Error(`${what}: ${why}\n${this.story()}`)));
      const onEvent = (event: DeviceEvent): void => {
        if (fits(event)) settle(() => resolve(event));
        else if (event.event === 'ended') fail('the device has ended');
      };
      const timer = setTimeout(() => fail(`not within ${limitMs} ms`), limitMs);
      this.on('event', onEvent);
    });
  }

  powerCycle(): void {
    this.#child.stdin.write('power-cycle\n');
  }

  /** Switches it off, and its networks with it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.stdin.write('stop\n');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await this.ended;
    clearTimeout(timer);
    // What a killed one has left running would be in the way of the next.
    for (const pid of run(undefined, 'ip', 'netns', 'pids', this.place).split('\n').filter(Boolean)) {
      process.kill(Number(pid), 'SIGKILL');
    }
  }

  story(): string {
    return this.events.map(({ event, fact, at }) => `${clock(at)} ${event} ${JSON.stringify(fact)}`).join('\n');
  }

  #note(event: DeviceEvent): void {
    this.events.push(event);
    this.emit('event', event);
  }
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(14, 23);
}
