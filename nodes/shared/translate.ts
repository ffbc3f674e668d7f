import type { NodeAPI } from 'node-red';
import type { Report } from '../../lib/flash/run/report';

/** A text of the node's own catalogue, or the English one where the catalogue has none. */
export type Translate = (key: string, english: string, values?: Readonly<Record<string, string | number>>) => string;

/** @param type the node's type, under which its catalogue keeps its texts */
export function translator(RED: NodeAPI, type: string): Translate {
  return (key, english, values) => lookUp(RED, `${type}.${key}`, `${type}.${key}`, values) ?? english;
}

/** Where the build puts the texts that several nodes share. */
const SHARED_CATALOGUE = '@sonota/node-red/sonota-host';

/** A report in the runtime's language. */
export function translateReport(RED: NodeAPI, report: Report): Report {
  const translate = (part: 'label' | 'text'): string => {
    const path = `announcements.${report.name}.${part}`;
    return lookUp(RED, `${SHARED_CATALOGUE}:${path}`, path, report.values) ?? report[part];
  };
  return { ...report, label: translate('label'), text: translate('text') };
}

/** A missing text comes back as its own path, with or without a namespace before it. */
function lookUp(
  RED: NodeAPI,
  key: string,
  path: string,
  values: Readonly<Record<string, string | number>> = {},
): string | undefined {
  const text: unknown = RED._(key, values);
  return typeof text !== 'string' || text === '' || text.endsWith(path) ? undefined : text;
}
