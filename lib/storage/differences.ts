/** Which records have changed since they were looked at the last time. */
export class Differences<T extends { readonly id: string }> {
  private before = new Map<string, T>();

  /**
   * @param now all records there are; what is the same object with the same properties has not changed
   * @returns the changed ones by their ids; undefined for what is gone
   */
  since(now: readonly T[]): Map<string, T | undefined> {
    const changes = new Map<string, T | undefined>();
    const after = new Map<string, T>();
    for (const record of now) {
      const known = this.before.get(record.id);
      const isSame = known !== undefined && haveSameProperties(known, record);
      if (!isSame) changes.set(record.id, record);
      // A copy: the record itself may change.
      after.set(record.id, isSame ? known : { ...record });
    }
    for (const id of this.before.keys()) if (!after.has(id)) changes.set(id, undefined);
    this.before = after;
    return changes;
  }
}

function haveSameProperties<T extends object>(one: T, other: T): boolean {
  const keys = Object.keys(other) as (keyof T)[];
  return Object.keys(one).length === keys.length && keys.every((key) => one[key] === other[key]);
}
