import type { Clock } from '../../lib/home-assistant';

/** A clock that moves only on demand. */
export class FakeClock implements Clock {
  private time = Date.parse('2026-01-02T03:04:05Z');
  private readonly calls = new Set<{ readonly at: number; readonly call: () => void }>();

  now(): number {
    return this.time;
  }

  after(ms: number, call: () => void): () => void {
    const one = { at: this.time + ms, call };
    this.calls.add(one);
    return () => void this.calls.delete(one);
  }

  advance(ms: number): void {
    this.time += ms;
    for (const one of [...this.calls]) {
      if (one.at > this.time || !this.calls.delete(one)) continue;
      one.call();
    }
  }
}
