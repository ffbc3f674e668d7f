import type { QueueEntry } from '../job/queue-entry';

const LOOK_MS = 5000;
/** A message that no node has held for so long is not on its way any more: it was lost behind a switch, say. */
const LOST_AFTER_MINUTES = 15;

/** Looks, while entries are in work, whether a node still has the message of each. */
export class LostWatch {
  private readonly unheldSince = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly running: () => QueueEntry[],
    private readonly isHeld: (entry: QueueEntry) => boolean,
    private readonly giveUp: (entry: QueueEntry, afterMinutes: number) => void,
  ) {}

  look(now = Date.now()): void {
    const running = this.running();
    for (const entry of running) {
      if (this.isHeld(entry)) this.unheldSince.delete(entry.id);
      else if (!this.unheldSince.has(entry.id)) this.unheldSince.set(entry.id, now);
    }
    for (const id of this.unheldSince.keys())
      if (!running.some((entry) => entry.id === id)) this.unheldSince.delete(id);
    if (running.length === 0) return this.stop();
    this.timer ??= setInterval(() => this.look(), LOOK_MS).unref();
    for (const entry of running) {
      const since = this.unheldSince.get(entry.id) ?? now;
      if (now - since < LOST_AFTER_MINUTES * 60_000) continue;
      this.unheldSince.delete(entry.id);
      this.giveUp(entry, LOST_AFTER_MINUTES);
    }
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
