/** Records by their ids as JSON, the way they were written last: as bytes, which take half the room. */
export class RecordTexts {
  private readonly texts = new Map<string, Buffer>();

  has(id: string): boolean {
    return this.texts.has(id);
  }

  ids(): readonly string[] {
    return [...this.texts.keys()];
  }

  all(): readonly string[] {
    return [...this.texts.values()].map((text) => text.toString());
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
      const bytes = Buffer.from(text);
      if (this.texts.get(id)?.equals(bytes)) continue;
      this.texts.set(id, bytes);
      put.push(text);
    }
    return { put, gone };
  }
}
