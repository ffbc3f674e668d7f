import { lookup } from 'node:dns/promises';

/** An unknown name takes the system up to 10 s, in which it cannot be stopped. */
const AGAIN_AFTER_MS = 3000;

/**
 * Where a host of a name is, as far as that is known by now: what is known already is looked at meanwhile, and nothing
 * waits for a name.
 */
export class NamedHost {
  private known: readonly string[] = [];
  private isAsking = false;
  private askedAt = -Infinity;

  constructor(
    readonly hostname: string,
    private readonly resolve: (name: string) => Promise<string> = addressOf,
  ) {}

  /** `http://` and each address that it had when it was asked for last; asks again in the background. */
  get urls(): readonly string[] {
    const isDue = performance.now() - this.askedAt >= AGAIN_AFTER_MS;
    if (isDue && !this.isAsking) void this.ask();
    return this.known;
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    const names = [this.hostname, `${this.hostname}.local`];
    const found = await Promise.all(names.map((name) => this.resolve(name).catch(() => undefined)));
    this.known = [...new Set(found.flatMap((address) => (address === undefined ? [] : [`http://${address}`])))];
    this.askedAt = performance.now();
    this.isAsking = false;
  }
}

async function addressOf(name: string): Promise<string> {
  return (await lookup(name, { family: 4 })).address;
}
