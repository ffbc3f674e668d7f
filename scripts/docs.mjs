/**
 * The blocks of README.md and docs/*.md that are made from the code, so that they cannot go stale:
 * `<!-- example: NAME -->` becomes the example's own words and a drawing of its flow, `<!-- codes -->` the list of all
 * codes. Each block ends with `<!-- /example -->` or `<!-- /codes -->`.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { root } from './prepare.mjs';

const require = createRequire(import.meta.url);
/** What is no step of a flow. */
const ASIDE = ['tab', 'comment', 'debug', 'catch'];

/** A page with its blocks as they should be. */
export async function filled(page) {
  let text = page.replace(/(<!-- codes[^>]*-->)[\s\S]*?(<!-- \/codes -->)/g, (_, begin, end) => {
    return `${begin}\n\n${codes()}\n\n${end}`;
  });
  for (const [block, begin, name] of text.matchAll(/(<!-- example: ([^>]+) -->)[\s\S]*?<!-- \/example -->/g)) {
    text = text.replace(block, () => `${begin}\n\n${'@'}\n\n<!-- /example -->`);
    const flow = JSON.parse(await readFile(join(root, 'examples', `${name}.json`), 'utf8'));
    text = text.replace('\n\n@\n\n', () => `\n\n${example(name, flow)}\n\n`);
  }
  return text;
}

/** One paragraph a code: a table of long sentences would be unreadable in a narrow window. */
function codes() {
  const { ERROR_CODES, explanationOf } = require(join(root, 'dist/lib/errors.js'));
  return ERROR_CODES.map((code) => {
    const { what, remedy } = explanationOf(code);
    return `- **\`${code}\`** ${plain(what)} _${plain(remedy)}_`;
  }).join('\n');
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

/** The steps of a flow and the wires between them. */
function drawing(flow) {
  const steps = flow.filter(({ type, z }) => z !== undefined && !ASIDE.includes(type));
  const number = new Map(steps.map(({ id }, index) => [id, `n${index}`]));
  const boxes = steps.map((node) => `  ${number.get(node.id)}["${labelOf(node)}"]`);
  const wires = steps.flatMap(({ id, wires = [] }) => {
    const reached = new Set(wires.flat().filter((target) => number.has(target)));
    return [...reached].map((target) => `  ${number.get(id)} --> ${number.get(target)}`);
  });
  return ['```mermaid', 'flowchart LR', ...boxes, ...wires, '```'].join('\n');
}

function labelOf({ type, name, label }) {
  return (name || label || paletteLabel(type) || type).replaceAll('"', "'");
}

/** As the palette shows a node of ours. */
function paletteLabel(type) {
  if (!type.startsWith('sonota-')) return undefined;
  return require(join(root, 'nodes', type, 'locales', 'en-US', `${type}.json`))[type].label.palette;
}
