import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A network namespace by name; undefined is the one that this process is in. */
export type Place = string | undefined;

const START_LIMIT_MS = 30_000;

/** Runs a command to its end. @returns its output @throws Error with what it wrote to stderr */
export function run(place: Place, program: string, ...args: string[]): string {
  const [command, rest] = inside(place, program, args);
  try {
    return execFileSync(command, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${stderr.trim() || (error as Error).message}`, { cause: error });
  }
}

/** A program that runs in the background. Emits `line` with each line that it writes. */
export class Program extends EventEmitter<{ line: [string]; ended: [] }> {
  readonly log: string[] = [];
  readonly ended: Promise<void>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  constructor(
    readonly place: Place,
    readonly name: string,
    ...args: string[]
  ) {
    super();
    this.setMaxListeners(0);
    this.#child = spawn(...inside(place, name, args), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
    void this.ended.then(() => this.emit('ended'));
    this.#child.once('error', (error) => this.#note(error.message));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#note(line));
    }
  }

  /** The first line that matches, past or to come. @throws Error with its log, when it ends or the time is over */
  async says(pattern: RegExp, signal = AbortSignal.timeout(START_LIMIT_MS)): Promise<string> {
    const earlier = this.log.find((line) => pattern.test(line));
    if (earlier !== undefined) return earlier;
    return await new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.off('line', onLine).off('ended', onEnded);
        signal.removeEventListener('abort', onAbort);
        act();
      };
      const story = (what: string): Error => new Error(`${this.name} ${what}:\n${this.log.join('\n')}`);
      const onLine = (line: string): void => void (pattern.test(line) && settle(() => resolve(line)));
      const onEnded = (): void => settle(() => reject(story(`ended before ${String(pattern)}`)));
      const onAbort = (): void => settle(() => reject(story(`never said ${String(pattern)}`)));
      this.on('line', onLine).on('ended', onEnded);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }

  /** Ends it without a farewell. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #note(line: string): void {
    this.log.push(line);
    this.emit('line', line);
  }
}

function inside(place: Place, program: string, args: string[]): [string, string[]] {
  return place === undefined ? [program, args] : ['ip', ['netns', 'exec', place, program, ...args]];
}
