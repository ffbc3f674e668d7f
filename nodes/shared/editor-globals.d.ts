/**
 * What the editor page has that its scripts may name. The scripts are plain ones (no import, no export), so the
 * types come in through here; the compiler of the runtime never sees this file.
 */
declare const RED: import('node-red').EditorRED;
/** The page of the docs that explains every code, each at its own anchor; the build writes it here. */
declare const SONOTA_CODES_PAGE: string;
type EditorNodeProperties = import('node-red').EditorNodeProperties;

/** `this` in label(), labelStyle() and the like. */
interface Labelled {
  _(key: string, values?: Record<string, unknown>): string;
  name?: string | undefined;
}
