/**
 * `node scripts/dead-exports.mjs`: finds what lib/ and nodes/ export and no code of theirs uses, not even the file that
 * declares it. What only tests use reads as if it was live: a fault in it shows nowhere. Part of `npm run lint`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

import { root } from './prepare.mjs';

const SOURCES = ['lib', 'nodes'].map((folder) => join(root, folder) + sep);
/** Node-RED loads it by its file. */
const ENTRY = 'default';
/** What only tests use, with a reason. */
const FOR_TESTS = new Set([
  // Each is the other half of live code, without which that could not be tried.
  'takeApart',
  'randElement',
  'observationsIn',
  'newestVersion',
]);

/** @returns each export that nothing in these files uses, as `{ file, name }` */
export function deadExports(files, options) {
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const sources = program.getSourceFiles().filter(({ fileName }) => files.includes(fileName));
  const used = new Set();
  for (const source of sources) visit(source);
  return sources.flatMap((source) => {
    const module = checker.getSymbolAtLocation(source);
    const own = (module ? checker.getExportsOfModule(module) : []).filter((symbol) => isOf(symbol, source));
    const dead = own.filter((symbol) => symbol.name !== ENTRY && !used.has(symbol));
    return dead.map(({ name }) => ({ file: relative(root, source.fileName).replaceAll(sep, '/'), name }));
  });

  function visit(node) {
    if (ts.isIdentifier(node) && isUse(node)) use(symbolAt(node));
    ts.forEachChild(node, visit);
  }

  function symbolAt(node) {
    // `{ name }` as a value means the variable, not the property.
    const { parent } = node;
    if (ts.isShorthandPropertyAssignment(parent)) return checker.getShorthandAssignmentValueSymbol(parent);
    return checker.getSymbolAtLocation(node);
  }

  function use(symbol) {
    if (!symbol) return;
    used.add(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
    // An export that is used in its own file is another symbol there.
    if (symbol.exportSymbol) used.add(symbol.exportSymbol);
    used.add(checker.getExportSymbolOfSymbol(symbol));
  }
}

/** Whether the name stands for its meaning, and is not merely declared, imported or passed on. */
function isUse(node) {
  const { parent } = node;
  if (ts.isImportSpecifier(parent) || ts.isImportClause(parent) || ts.isExportSpecifier(parent)) return false;
  return (
    !(parent.name === node && ts.isDeclarationStatement(parent)) &&
    !(ts.isVariableDeclaration(parent) && parent.name === node)
  );
}

/** An export that is declared here, and not passed on from another file. */
function isOf({ declarations = [] }, source) {
  return declarations.some(
    (declaration) => declaration.getSourceFile() === source && !ts.isExportSpecifier(declaration),
  );
}

/** The build reads some of the compiled code. */
function textOfScripts() {
  const names = readdirSync(join(root, 'scripts')).filter(
    (name) => name.endsWith('.mjs') && name !== 'dead-exports.mjs',
  );
  return names.map((name) => readFileSync(join(root, 'scripts', name), 'utf8')).join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const scripts = textOfScripts();
  const dead = deadExports(
    fileNames.filter((name) => SOURCES.some((folder) => join(name).startsWith(folder))),
    { ...options, noEmit: true, incremental: false },
  ).filter(({ name }) => !FOR_TESTS.has(name) && !new RegExp(`\\b${name}\\b`).test(scripts));
  for (const { file, name } of dead) console.error(`nothing uses ${name} of ${file}`);
  process.exit(dead.length > 0 ? 1 : 0);
}
