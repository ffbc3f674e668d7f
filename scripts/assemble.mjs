/**
 * Puts beside each compiled node what Node-RED looks for there: `<type>.html` (the editor's script and the form),
 * `locales/` and `icons/`. Node-RED takes icons from the folder `icons` beside the .js file that registers the node.
 * A plugin's page has the editor's script and, instead of a form, its style.
 */
import { copyFile, cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

import { withRows } from './form-rows.mjs';
import { linkedHelp } from './help-links.mjs';
import { pageAddress } from './project-address.mjs';

const PLUGINS = join('nodes', 'plugins');

/**
 * @param {string} root the package's folder
 * @param {string} dist what is compiled already, the editor's scripts in its folder `.editor`
 * @returns {Promise<string[]>} what is missing, one sentence each; empty when all is well
 */
export async function assemble(root, dist) {
  const faults = [];
  const compiled = join(dist, '.editor');
  const shared = await sharedScript(join(compiled, 'nodes', 'shared'));
  for (const type of await foldersIn(join(root, 'nodes'))) {
    const from = join(root, 'nodes', type);
    const to = join(dist, 'nodes', type);
    const script = await editorScript(join(compiled, 'nodes'), type);
    const form = await readIfThere(join(from, `${type}.form.html`));
    if (script === undefined || form === undefined) {
      faults.push(`nodes/${type} has no ${script === undefined ? `${type}.editor.ts` : `${type}.form.html`}`);
      continue;
    }
    await mkdir(to, { recursive: true });
    await writeFile(join(to, `${type}.html`), page(type, shared, script, withRows(form, type)));
    if (existsSync(join(from, 'locales'))) await cp(join(from, 'locales'), join(to, 'locales'), { recursive: true });
    const icon = /icon: '([\w-]+\.svg)'/.exec(script)?.[1];
    if (icon !== undefined && !existsSync(join(root, 'icons', icon))) faults.push(`icons/${icon} is missing`);
    else if (icon !== undefined) {
      await mkdir(join(to, 'icons'), { recursive: true });
      await copyFile(join(root, 'icons', icon), join(to, 'icons', icon));
    }
  }
  for (const name of await foldersIn(join(root, PLUGINS))) {
    const script = await editorScript(join(compiled, PLUGINS), name);
    if (script === undefined) faults.push(`${PLUGINS}/${name} has no ${name}.editor.ts`);
    else await assemblePlugin(join(root, PLUGINS, name), join(dist, PLUGINS, name), `${strip(shared)}\n${script}`);
  }
  await addSharedTexts(root, dist);
  await linkHelps(dist);
  await rm(compiled, { recursive: true, force: true });
  return faults;
}

async function assemblePlugin(from, to, script) {
  const name = basename(from);
  const sheets = (await readdir(from)).filter((file) => file.endsWith('.css')).sort();
  const style = (await Promise.all(sheets.map((file) => readFile(join(from, file), 'utf8')))).join('\n');
  await writeFile(
    join(to, `${name}.html`),
    `<style>\n${style.trim()}\n</style>\n\n<script type="text/javascript">\n(function () {\n${script.trim()}\n})();\n</script>\n`,
  );
  await cp(join(from, 'locales'), join(to, 'locales'), { recursive: true });
}

/**
 * What lib/ says stands in tables there; here it becomes the English catalogue that all nodes share. Other languages
 * stand in nodes/shared/locales.
 */
async function addSharedTexts(root, dist) {
  const { forNodeRed, sharedTexts } = createRequire(import.meta.url)(join(dist, 'nodes/shared/texts.js'));
  const translated = join(root, 'nodes', 'shared', 'locales');
  const languages = [['en-US', sharedTexts()]];
  for (const file of await readdir(translated)) {
    const texts = JSON.parse(await readFile(join(translated, file), 'utf8'));
    languages.push([basename(file, '.json'), forNodeRed(texts)]);
  }
  for (const [language, texts] of languages) {
    const path = join(dist, 'nodes/sonota-host/locales', language, 'sonota-host.json');
    const catalogue = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...catalogue, ...texts }, null, 2));
  }
}

async function linkHelps(dist) {
  const { ERROR_CODES: codes } = createRequire(import.meta.url)(join(dist, 'lib/errors.js'));
  for (const path of await readdir(join(dist, 'nodes'), { recursive: true })) {
    const [, type, language] = /([\w-]+)[\\/]locales[\\/]([\w-]+)[\\/][\w-]+\.html$/.exec(path) ?? [];
    if (type === undefined) continue;
    const file = join(dist, 'nodes', path);
    await writeFile(file, linkedHelp(await readFile(file, 'utf8'), { type, language, codes }));
  }
}

/** What all nodes' editor scripts may use: also where the docs explain the codes. */
async function sharedScript(folder) {
  const address = `const SONOTA_CODES_PAGE = ${JSON.stringify(pageAddress('docs/codes.md'))};`;
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.editor.js')).sort();
  return [address, ...(await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).map(strip)].join(
    '\n',
  );
}

/** A node's own script stands last: it names what its other parts declare. */
async function editorScript(compiled, type) {
  const main = await readIfThere(join(compiled, type, `${type}.editor.js`));
  if (main === undefined) return undefined;
  const names = (await readdir(join(compiled, type))).filter((name) => name !== `${type}.editor.js`).sort();
  const parts = await Promise.all(names.map((name) => readFile(join(compiled, type, name), 'utf8')));
  return [...parts.map(strip), strip(main)].join('\n');
}

/** The node types are the folders under nodes/, save what they share and the plugins, which have folders of their own. */
async function foldersIn(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !['shared', 'plugins'].includes(entry.name))
    .map((entry) => entry.name);
}

/**
 * One page a node, unminified: the palette's validator reads its definitions from here. The function around the
 * script keeps the shared checks out of the editor's global names.
 */
function page(type, shared, script, form) {
  return `<script type="text/javascript">
(function () {
${`${strip(shared)}\n${strip(script)}`.trim()}
})();
</script>

<script type="text/html" data-template-name="${type}">
<div class="sonota-form">
${form.trim()}
</div>
</script>
`;
}

/** A compiled script without the compiler's own first line, which stands inside a function here. */
function strip(script) {
  return script.replace(/^"use strict";\s*/, '');
}

async function readIfThere(path) {
  return existsSync(path) ? await readFile(path, 'utf8') : undefined;
}
