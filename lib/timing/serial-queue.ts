/** Runs steps one after another, in the order in which they were asked for; one that fails keeps none from running. */
export class SerialQueue {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(step: () => Promise<T>): Promise<T> {
    const outcome = this.last.then(step);
    this.last = outcome.catch(() => undefined);
    return outcome;
  }
}
