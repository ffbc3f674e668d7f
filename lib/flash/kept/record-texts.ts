/** Records by their ids as JSON, the way they were written last. */
export class RecordTexts {
  private readonly texts = new Map<string, string>();

  has(id: string): boolean {
    return this.texts.has(id);
  }

  ids(): readonly string[] {
    return [...this.texts.keys()];
  }

  all(): readonly string[] {
    return [...this.texts.values()];
  }

  /**
   * Takes in what is new; an undefined record is gone.
   *
   * @returns what has really changed: the new texts, and the ids of what is gone
   */
  update(changes: ReadonlyMap<string, object | undefined>): { put: string[]; gone: string[] } {
    const put: string[] = [];
    const gone: string[] = [];
    for (const [id, record] of changes) {
      if (record === undefined) {
        if (this.texts.delete(id)) gone.push(id);
        continue;
      }
      const text = JSON.stringify(record);
      if (this.texts.get(id) === text) continue;
      this.texts.set(id, text);
      put.push(text);
    }
    return { put, gone };
  }
}
