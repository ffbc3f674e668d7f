import type { NodeAPI } from 'node-red';

/** A text of the node's own catalogue, or the English one where the catalogue has none. */
export type Translate = (key: string, english: string, values?: Readonly<Record<string, string | number>>) => string;

/** @param type the node's type, under which its catalogue keeps its texts */
export function translator(RED: NodeAPI, type: string): Translate {
  return (key, english, values) => {
    const path = `${type}.${key}`;
    const text = RED._(path, values);
    // A missing text comes back as its own path, with or without a namespace before it.
    return typeof text !== 'string' || text === '' || text.endsWith(path) ? english : text;
  };
}
