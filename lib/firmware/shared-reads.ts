/**
 * Reads whose outcome several callers want. A caller that comes while one is under way shares the next one, which starts
 * when that has ended: the running one may have read older content.
 */
export class SharedReads<T> {
  private readonly current = new Map<string, Promise<T>>();
  private readonly next = new Map<string, Promise<T>>();

  /** @throws what the read throws */
  read(key: string, read: () => Promise<T>): Promise<T> {
    const running = this.current.get(key);
    if (!running) return this.begin(key, read);
    const waiting = this.next.get(key);
    if (waiting) return waiting;
    const begin = (): Promise<T> => {
      this.next.delete(key);
      return this.begin(key, read);
    };
    const next = running.then(begin, begin);
    this.next.set(key, next);
    return next;
  }

  private begin(key: string, read: () => Promise<T>): Promise<T> {
    const running = read().finally(() => this.current.delete(key));
    this.current.set(key, running);
    return running;
  }
}
