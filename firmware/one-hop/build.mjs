/**
 * Builds the relocator: the sources beside this file -> lib/image/one-hop/relocator.ts.
 *
 *     apt-get install gcc-xtensa-lx106 binutils-xtensa-lx106
 *     node firmware/one-hop/build.mjs           builds and writes
 *     node firmware/one-hop/build.mjs --check   builds and compares: exit code 0 equal, 1 different, 2 cannot tell
 *
 * The same compiler makes the same bytes anywhere; which one it was stands in what it wrote.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';

const sources = dirname(fileURLToPath(import.meta.url));
const target = join(dirname(dirname(sources)), 'lib', 'image', 'one-hop', 'relocator.ts');

const FLAGS = [
  ...['-std=c11', '-ffreestanding', '-Os', '-Wall', '-Wextra', '-Werror'],
  // The boot ROM is too far away for a plain call.
  '-mlongcalls',
  // Loops that fill and copy stay loops: there is no library to call.
  '-fno-tree-loop-distribute-patterns',
  ...['-ffunction-sections', '-fdata-sections', '-mno-serialize-volatile'],
  ...['-nostdlib', '-nostartfiles', '-Wl,--gc-sections', '-Wl,--fatal-warnings'],
];

const isCheck = process.argv.includes('--check');
const compiler = compilerName();
if (compiler === undefined) {
  console.error('There is no xtensa-lx106-elf-gcc here (Debian: gcc-xtensa-lx106, binutils-xtensa-lx106).');
  process.exit(isCheck ? 2 : 1);
}
const built = await asModule(compile());
if (!isCheck) {
  writeFileSync(target, built);
  process.exit(0);
}
const committed = readFileSync(target, 'utf8');
if (committed === built) {
  console.log(`relocator.ts is what ${compiler} makes of its sources.`);
} else if (!committed.includes(`'${compiler}'`)) {
  console.log(`relocator.ts was made by another compiler than this one, ${compiler}: they cannot be compared.`);
  process.exitCode = 2;
} else {
  console.error('relocator.ts is not what its sources make: run node firmware/one-hop/build.mjs');
  process.exitCode = 1;
}

/** Compiler and binutils, as both decide on the bytes; undefined where they are not installed. */
function compilerName() {
  try {
    const gcc = tool('gcc', ['-dumpfullversion']).trim();
    const ld = /\d+\.\d+\S*$/m.exec(tool('ld', ['--version']).split('\n')[0])?.[0];
    return `gcc ${gcc}, binutils ${ld}`;
  } catch {
    return undefined;
  }
}

/** @returns {{ entry: number, descriptor: number, segments: { address: number, data: Buffer }[] }} */
function compile() {
  const folder = mkdtempSync(join(tmpdir(), 'one-hop-'));
  try {
    const elf = join(folder, 'one-hop.elf');
    const files = readdirSync(sources).filter((name) => /\.[cS]$/.test(name));
    tool('gcc', [...FLAGS, '-T', 'one-hop.ld', '-o', elf, ...files.sort(), '-lgcc']);
    const symbols = addresses(tool('nm', [elf]));
    const segments = ['.text', '.data'].map((section) => {
      const file = join(folder, section);
      tool('objcopy', ['-O', 'binary', `--only-section=${section}`, elf, file]);
      return { address: addressOf(elf, section), data: readFileSync(file) };
    });
    return { entry: symbols.get('start'), descriptor: symbols.get('descriptor'), segments };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function addresses(list) {
  return new Map(list.split('\n').map((line) => [line.split(' ').at(-1), Number.parseInt(line, 16)]));
}

function addressOf(elf, section) {
  const headers = tool('objdump', ['-h', '-j', section, elf]);
  return Number.parseInt(new RegExp(`\\${section} +[0-9a-f]{8} +([0-9a-f]{8})`).exec(headers)[1], 16);
}

function tool(name, args) {
  return execFileSync(`xtensa-lx106-elf-${name}`, args, { cwd: sources, encoding: 'utf8' });
}

async function asModule({ entry, descriptor, segments }) {
  const { format, resolveConfig } = await import('prettier');
  const build = crc32(Buffer.concat(segments.map(({ data }) => data)));
  const text = `/**
 * The relocator, built from firmware/one-hop by build.mjs there. Written by that script, not by hand.
 */
export const RELOCATOR = {
  /** The toolchain that makes exactly these bytes. */
  compiler: '${compiler}',
  /** CRC-32 over the segments: which build this is. */
  build: ${hex(build)},
  entry: ${hex(entry)},
  /** Where it looks for the descriptor of the image that it came in. */
  descriptorAddress: ${hex(descriptor)},
  /** RAM segments, their data in base64. */
  segments: [
${segments.map(({ address, data }) => `{ address: ${hex(address)}, data: [${lines(data)}].join('') },`).join('\n')}
  ],
} as const;
`;
  return format(text, { ...(await resolveConfig(target)), filepath: target });
}

function lines(data) {
  return data
    .toString('base64')
    .match(/.{1,108}/g)
    .map((line) => `'${line}'`)
    .join(', ');
}

function hex(value) {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
