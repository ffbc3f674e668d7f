import { readFileSync } from 'node:fs';

const EVERY_MS = 100;

/** Looks at this machine's default routes ten times a second, and keeps each that it has not seen before. */
export class RouteWatch {
  readonly seen = new Set<string>();
  samples = 0;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), EVERY_MS);
  }

  forget(): void {
    this.seen.clear();
    this.#sample();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    this.samples++;
    this.seen.add(defaultRoutes());
  }
}

/** `interface gateway metric` of each, in the kernel's own words. */
function defaultRoutes(): string {
  const rows = readFileSync('/proc/net/route', 'utf8').trim().split('\n').slice(1);
  return rows
    .map((row) => row.split(/\s+/))
    .filter(([, destination]) => destination === '00000000')
    .map(([name, , gateway, , , , metric]) => `${name} ${gateway} ${metric}`)
    .sort()
    .join('; ');
}
