/**
 * The blocks of README.md and docs/*.md that are made from the code, so that they cannot go stale:
 * `<!-- example: NAME -->` becomes the example's own words and a drawing of its flow, `<!-- codes -->` the list of all
 * codes, `<!-- outlook -->` a table of what each code asks for, `<!-- compatibility: PART -->` a table of what is known of
 * devices, `<!-- benchmark: PART -->` what was measured. Each block ends with its name behind a slash.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { benchmarks } from './benchmarks.mjs';
import { root } from './prepare.mjs';

const require = createRequire(import.meta.url);
/** What is no step of a flow. */
const ASIDE = ['tab', 'comment', 'debug', 'catch'];

/** A page with its blocks as they should be. */
export async function filled(page) {
  let text = page.replace(/(<!-- codes[^>]*-->)[\s\S]*?(<!-- \/codes -->)/g, (_, begin, end) => {
    return `${begin}\n\n${codes()}\n\n${end}`;
  });
  text = text.replace(/(<!-- outlook[^>]*-->)[\s\S]*?(<!-- \/outlook -->)/g, (_, begin, end) => {
    return `${begin}\n\n${outlook()}\n\n${end}`;
  });
  text = text.replace(/(<!-- compatibility: (\w+) -->)[\s\S]*?(<!-- \/compatibility -->)/g, (_, begin, part, end) => {
    return `${begin}\n\n${COMPATIBILITY[part]()}\n\n${end}`;
  });
  text = text.replace(/(<!-- benchmark: (\w+) -->)[\s\S]*?(<!-- \/benchmark -->)/g, (_, begin, part, end) => {
    const made = benchmarks(table)[part]();
    // A table stands alone, a number in its sentence.
    return made.includes('\n') ? `${begin}\n\n${made}\n\n${end}` : `${begin}${made}${end}`;
  });
  for (const [block, begin, name] of text.matchAll(/(<!-- example: ([^>]+) -->)[\s\S]*?<!-- \/example -->/g)) {
    text = text.replace(block, () => `${begin}\n\n${'@'}\n\n<!-- /example -->`);
    const flow = JSON.parse(await readFile(join(root, 'examples', `${name}.json`), 'utf8'));
    text = text.replace('\n\n@\n\n', () => `\n\n${example(name, flow)}\n\n`);
  }
  return text;
}

/** The tables of what is known of devices, as the code decides by them. */
const COMPATIBILITY = {
  products: () => {
    const { PRODUCT_ROWS } = require(join(root, 'dist/lib/protocol/products.js'));
    const rows = PRODUCT_ROWS.map(({ names, kind, source }) => [
      names.map((name) => `\`${name}\``).join(', '),
      PRODUCTS[kind],
      sourced(source),
    ]);
    return table(['model', 'the way', 'source'], rows);
  },
  firmware: () => {
    const { VERSION_ROWS } = tables();
    const rows = VERSION_ROWS.map(({ models, from, to, method, level, reason, source }) => {
      return [
        models?.join(', ') ?? 'any',
        range(from, to),
        METHODS[method],
        LEVELS[level],
        worded(reason),
        sourced(source),
      ];
    });
    return table(['model string', 'firmware', 'method', 'works', 'why', 'source'], rows);
  },
  announcements: () => {
    const rows = tables().MDNS_ROWS.map(({ types, method, level, reason, source }) => {
      return [
        types.map((type) => `\`${type}\``).join(', '),
        METHODS[method],
        LEVELS[level],
        worded(reason),
        sourced(source),
      ];
    });
    return table(['type', 'method', 'works', 'why', 'source'], rows);
  },
  unknown: () => {
    const rows = tables().UNKNOWN_ROWS.map(({ what, reason, source }) => [what, reason, sourced(source)]);
    return table(['what', 'what is known', 'source'], rows);
  },
};

const PRODUCTS = {
  diy: 'DIY mode',
  'no-diy': 'emulated cloud up to firmware 1.5 and 2.0; newer firmware: a serial adapter',
  'other-chip': 'a serial adapter: of this chip no flash over the air is known',
  'account-only': 'the account of its owner alone, which these nodes do not use',
  locked: 'none: its chip starts nothing but the firmware of the maker',
  zigbee: 'none: it has no firmware for Wi-Fi',
};
const METHODS = {
  cloud: 'emulated cloud',
  'cloud-slow': 'emulated cloud, served slowly',
  'cloud-http': 'emulated cloud, without TLS',
  diy: 'DIY mode',
  'serial-only': 'serial adapter',
  unknown: 'not known',
};
const LEVELS = { supported: 'yes', uncertain: 'perhaps: tried with a warning', unsupported: 'no' };
/** A reason as the nodes give it. */
function worded(reason) {
  return require(join(root, 'dist/lib/wordings/method.js')).METHOD_WORDINGS[reason];
}

/** Beyond every version. */
const LAST_VERSION = '999';

function tables() {
  return require(join(root, 'dist/lib/protocol/compatibility-table.js'));
}

/** A last version without its minor number stands for all of its minor versions. */
function range(from, to) {
  if (from === to) return from;
  return to === LAST_VERSION ? `${from} and newer` : `${from} to ${to.includes('.') ? to : `${to}.x`}`;
}

/** The pages of docs/dev/ are in the repository alone. */
function sourced(source) {
  return source.replaceAll(/docs\/dev\/[\w.-]+\.md#[\d.]+/g, (place) => `\`${place}\``);
}

/** As wide as the formatter makes it. */
function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [names, ...others] = cells.map(line);
  return [names, line(widths.map((width) => '-'.repeat(width))), ...others].join('\n');
}

/** A heading a code, to which its links lead, and its two sentences; a verdict that is no fault has no remedy. */
function codes() {
  const { ERROR_CODES, explanationOf } = require(join(root, 'dist/lib/errors.js'));
  const { ADVICE } = require(join(root, 'dist/lib/image/finding.js'));
  const { NOTE_CODES, noteText } = require(join(root, 'dist/lib/flash/verdict/notes.js'));
  const errors = ERROR_CODES.map((code) => explained(code, explanationOf(code)));
  const findings = Object.entries(ADVICE).map(([code, sentences]) => explained(code, sentences));
  const notes = NOTE_CODES.map((code) => `### ${code}\n\n${plain(noteText(code))}`);
  return [...errors, FINDINGS, ...findings, NOTES, ...notes].join('\n\n');
}

const OUTLOOKS = {
  retry: 'try again: it may pass',
  person: 'a person must put something right first',
  never: 'not this way: another method, or a serial adapter',
};

function outlook() {
  const { ERROR_CODES } = require(join(root, 'dist/lib/errors.js'));
  const { outlookOf } = require(join(root, 'dist/lib/flash/queue/retry.js'));
  const rows = Object.entries(OUTLOOKS).map(([kind, words]) => {
    const codes = ERROR_CODES.filter((code) => outlookOf(code) === kind);
    return `**${words}**\n\n${codes.map((code) => `[\`${code}\`](codes.md#${code})`).join(', ')}`;
  });
  return rows.join('\n\n');
}

const FINDINGS =
  '## Findings on an image\n\nThese stand beside codes from above in `payload.findings` of `image doctor` and in the form of a firmware; ' +
  'none of them stops a flash.';

const NOTES =
  '## Verdicts that are no fault\n\n`msg.sonota.verdict.code` holds one of these while nothing is wrong, and otherwise a code from above.';

function explained(code, { what, remedy }) {
  return `### ${code}\n\n${plain(what)} _${plain(remedy)}_`;
}

/** A placeholder as a reader takes it: what stands there in the real message. */
function plain(sentence) {
  // What stands before the first sentence is a sentence of its own, or nothing.
  return sentence.replace(/^\{doubts\}/, '').replace(/\{(\w+)\}/g, '‹$1›');
}

function example(name, flow) {
  const { info } = flow.find(({ type }) => type === 'comment');
  const words = info.trim().split('\n');
  const quoted = words.map((line) => `> ${line}`.trimEnd()).join('\n');
  return `**Menu > Import > Examples > @sonota/node-red > ${name}**\n\n${quoted}\n\n${drawing(flow)}`;
}

/** The steps of a flow and the wires between them; what ends them all would hide how they follow each other. */
function drawing(flow) {
  const steps = flow.filter((node) => node.z !== undefined && !ASIDE.includes(node.type) && !isCancel(node));
  const number = new Map(steps.map(({ id }, index) => [id, `n${index}`]));
  const boxes = steps.map((node) => `  ${number.get(node.id)}["${labelOf(node)}"]`);
  const wires = steps.flatMap(({ id, wires = [] }) => {
    const reached = new Set(wires.flat().filter((target) => number.has(target)));
    return [...reached].map((target) => `  ${number.get(id)} --> ${number.get(target)}`);
  });
  return ['```mermaid', 'flowchart LR', ...boxes, ...wires, '```'].join('\n');
}

function isCancel({ type, props = [] }) {
  return type === 'inject' && props.some(({ p }) => p === 'cancel');
}

function labelOf({ type, name, label }) {
  return (name || label || paletteLabel(type) || type).replaceAll('"', "'");
}

/** As the palette shows a node of ours. */
function paletteLabel(type) {
  if (!type.startsWith('sonota-')) return undefined;
  return require(join(root, 'nodes', type, 'locales', 'en-US', `${type}.json`))[type].label.palette;
}
