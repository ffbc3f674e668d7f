import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

/** The resources that a process has used since `begin`. Times in ms. */
export interface Usage {
  readonly userMs: number;
  readonly systemMs: number;
  /** How much later than asked for a timer came: the 99.9th percentile and the worst. */
  readonly loopP999: number;
  readonly loopWorst: number;
}

/** A timer of this interval is looked at; what it is late counts. */
const EVERY_MS = 2;

/** Measures the process that it is in. */
export class Probe {
  private loop: IntervalHistogram | undefined;
  private cpu = process.cpuUsage();

  begin(): void {
    this.loop = monitorEventLoopDelay({ resolution: EVERY_MS });
    this.loop.enable();
    this.cpu = process.cpuUsage();
  }

  end(): Usage {
    const { user, system } = process.cpuUsage(this.cpu);
    this.loop?.disable();
    const late = (ns: number): number => Math.max(0, ns / 1e6 - EVERY_MS);
    return {
      userMs: user / 1000,
      systemMs: system / 1000,
      loopP999: late(this.loop?.percentile(99.9) ?? 0),
      loopWorst: late(this.loop?.max ?? 0),
    };
  }
}

/** Bytes of JavaScript objects that are still referred to. */
export async function livingBytes(): Promise<number> {
  const collect = globalThis.gc;
  if (!collect) throw new Error('this needs node --expose-gc');
  let least = Infinity;
  for (let round = 0; round < 4; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}
