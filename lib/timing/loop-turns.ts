/**
 * Lets works begin one in each turn of the event loop: where hundreds begin at a time, what flows already is answered in
 * between.
 */
export class LoopTurns {
  private isTaken = false;
  private readonly waiting: (() => void)[] = [];

  /** Resolves in this turn for the first that asks in it, else in a turn of its own, in the order of the calls. */
  next(): Promise<void> {
    if (this.isTaken) return new Promise((resolve) => void this.waiting.push(resolve));
    this.isTaken = true;
    setImmediate(this.over);
    return Promise.resolve();
  }

  private readonly over = (): void => {
    const next = this.waiting.shift();
    this.isTaken = next !== undefined;
    if (!next) return;
    setImmediate(this.over);
    next();
  };
}
