/** A node as its flow holds it. */
export type Definition = Readonly<Record<string, unknown>>;

/** Turns the definition of one version into that of the next. */
export type Migration = (saved: Definition) => Definition;

/**
 * What config nodes have been, by type: the first entry turns version 1 into version 2, and so on. A flow keeps the
 * version it was saved with, so that a property which is renamed later is still understood. The form of a node writes
 * the newest version; until the flow is saved again, each start reads the old one through here.
 *
 * To rename a property: add a step here, raise `version` in the form's defaults, and read the old name in
 * `oneditprepare` too, since the editor runs no code of this file.
 */
export const MIGRATIONS: Readonly<Record<string, readonly Migration[]>> = {
  'sonota-host': [],
  'sonota-firmware': [],
};

/** The version that a form writes now. Flows from before there were versions count as the first. */
export function newestVersion(type: string, migrations = MIGRATIONS): number {
  return (migrations[type]?.length ?? 0) + 1;
}

/** A definition as this release reads it; one of a later release is left as it is. */
export function migrated(saved: Definition, migrations = MIGRATIONS): Definition {
  const { type, version } = saved;
  const steps = typeof type === 'string' ? (migrations[type] ?? []) : [];
  const from = Math.max(1, Number(version) || 1);
  return steps.slice(from - 1).reduce((before, step) => step(before), saved);
}
