import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { type Air } from './air';

export interface DeviceEvent {
  event: string;
  at: number;
  [fact: string]: unknown;
}

type Radio = 'itead-ap' | 'home' | 'finalstage' | 'tasmota' | 'off';

const RADIO = 'wlan0';
const PLACES = {
  'itead-ap': ['itead', '10.10.7.1/24'],
  home: ['home', '192.168.77.20/24'],
  finalstage: ['finalstage', '192.168.4.1/24'],
  tasmota: ['tasmota', '192.168.4.1/24'],
} as const;

/** Where a device runs: in a namespace, or on this machine's loopback, where networks are not separate. */
export type Surroundings = Pick<Air, 'addRadio' | 'inside' | 'join' | 'leave'>;

export const LOOPBACK: Surroundings = {
  addRadio: () => undefined,
  inside: (_place, program, ...args) => [program, args],
  join: () => undefined,
  leave: () => undefined,
};

/**
 * A stock Sonoff as a process in its surroundings. Emits `event` with each DeviceEvent and moves its radio when it asks.
 */
export class DeviceProcess extends EventEmitter {
  readonly events: DeviceEvent[] = [];
  /** The exit code, 0 only for a device that holds its final image. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams;
  #joined = false;

  constructor(
    readonly air: Surroundings,
    life: { mac?: string; [fact: string]: unknown },
    program = 'stock-sonoff.js',
  ) {
    super();
    air.addRadio('sonoff', RADIO, life.mac);
    const file = path.join(__dirname, program);
    this.#child = spawn(...air.inside('sonoff', process.execPath, file, JSON.stringify(life)));
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#line(line));
    createInterface({ input: this.#child.stderr }).on('line', (text) =>
      this.#note({ event: 'stderr', at: Date.now(), text }),
    );
    this.ended = new Promise((resolve) => this.#child.once('close', (code) => resolve(code)));
  }

  /** The first event of this name, past or to come; rejects when the device ends without one, or with the signal. */
  async saw(event: string, signal: AbortSignal): Promise<DeviceEvent> {
    const ended = this.ended.then((code) => Promise.reject(new Error(`the device ended with ${code} before ${event}`)));
    ended.catch(() => undefined);
    while (this.last(event) === undefined) await Promise.race([once(this, 'event', { signal }), ended]);
    return this.all(event)[0]!;
  }

  all(event: string): DeviceEvent[] {
    return this.events.filter((entry) => entry.event === event);
  }

  last(event: string): DeviceEvent | undefined {
    return this.all(event).at(-1);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #line(line: string): void {
    const entry = JSON.parse(line) as DeviceEvent;
    this.#note(entry);
    if (entry.event === 'network') this.#move(entry['want'] as Radio);
  }

  #note(entry: DeviceEvent): void {
    this.events.push(entry);
    this.emit('event', entry);
  }

  #move(want: Radio): void {
    if (this.#joined) this.air.leave('sonoff', RADIO);
    this.#joined = want !== 'off';
    if (want !== 'off') this.air.join('sonoff', RADIO, PLACES[want][0], PLACES[want][1]);
    this.#child.stdin.write('ok\n');
  }
}
