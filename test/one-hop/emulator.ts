/**
 * Boots a Sonoff's flash in an emulator of its processor: a stand-in for the boot ROM and for Espressif's boot loader
 * (stand-in/, built here), and the relocator of a one-hop image in one of the slots, as the bytes that a device would get.
 *
 * It needs qemu-system-xtensa (Debian: qemu-system-misc) and gcc-xtensa-lx106 with binutils-xtensa-lx106.
 */

import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../shared/package-root';

/** A power cut at one of the relocator's erases and writes, counted from 1. */
export interface PowerCut {
  readonly operation: number;
  readonly moment: (typeof MOMENTS)[number];
}

/** Bytes of the flash that are not as given: each is `(byte & and) ^ xor`. */
export interface Change {
  readonly address: number;
  readonly length: number;
  readonly and?: number;
  readonly xor?: number;
}

/** A part of the flash that is faulty. */
export interface Fault {
  readonly address: number;
  /** Bytes. Default one sector. */
  readonly length?: number;
  /**
   * - `erase`, `write`: it changes nothing
   * - `stuck-bit`: an erase leaves a bit as 0, another one each time
   * - `reported`: whatever else happens, the ROM reports a failure
   * - `forgets`: what was written is gone at the next start
   */
  readonly kinds: readonly (typeof FAULTS)[number][];
  /** So many erases or writes there still go well. Default 0. */
  readonly after?: number;
  /** And then so many do not. Default: without end. */
  readonly count?: number;
}

export interface Case {
  readonly fault?: Fault;
  /** How often the power of a device that waits for that is cut. Default 0. */
  readonly powerCycles?: number;
  readonly cut?: PowerCut;
  /** Counted on from the first. */
  readonly secondCut?: PowerCut;
  readonly change?: Change;
  /** Of what is left where power fails in the middle of an operation. */
  readonly seed?: number;
}

/**
 * How a boot ended:
 * - `new-firmware`: sector 0 is no boot loader of Espressif any more, but one that the ROM starts
 * - `other-firmware`: the loader has started what is in `slot`, and it is no one-hop image: stock firmware
 * - `dead`: the ROM finds nothing in sector 0 that it could start
 * - `loader-hangs`, `crashed`, `restarts`, `hangs`: nothing runs, or nothing comes to an end
 * - `stopped`: the relocator waits for a power cycle
 * - `misuse`: it did what it must not; what, stands on stderr
 */
export type Ending = (typeof ENDINGS)[number];

export interface Boot {
  readonly ending: Ending;
  /** With `other-firmware`. */
  readonly slot?: 1 | 2;
  /** What the flash holds now. */
  readonly flash: Buffer;
  /** Erases and writes of the relocator. */
  readonly operations: number;
  readonly restarts: number;
  /** Where in the flash the operation was that was cut off last. */
  readonly cutAddress?: number;
  /** That the relocator took; 0 unless counted. */
  readonly instructions: number;
  /** Bytes of the ROM's stack that were used at the most. */
  readonly stackBytes: number;
  /** The sector that was erased most. */
  readonly mostErased: { readonly sector: number; readonly times: number };
  /** How long the relocator has paused between its tries, in ms. */
  readonly pausedMs: number;
  /** One whose erase or write was cut off, and that was not erased since: it may read right, and not for long. */
  readonly weakSector?: number;
}

export interface EmulatorOptions {
  /** Of Espressif's boot loader: 2 for boot_v1.2, and so on to 7. Default 6. */
  readonly loader?: number;
  /** Counts instructions, which makes it slower. */
  readonly count?: boolean;
}

const MOMENTS = ['before', 'middle', 'after'] as const;
/** By their bits in stand-in.h. */
const FAULTS = ['erase', 'write', 'stuck-bit', 'reported', 'forgets'] as const;
const FOR_EVER = 0xffffffff;
const NONE = 0xffffffff;
/** In the order of stand-in.h. */
const ENDINGS = [
  'new-firmware',
  'other-firmware',
  'dead',
  'loader-hangs',
  'crashed',
  'stopped',
  'restarts',
  'hangs',
  'misuse',
] as const;

const COMPILER = 'xtensa-lx106-elf-gcc';
const MACHINE = 'qemu-system-xtensa';
/** Where the stand-in looks for them (stand-in.h). */
const ORIGINAL_ADDRESS = 0x51800000;
const SETTINGS_ADDRESS = 0x52000000;
const CASE_WORDS = 15;
/** With -icount the clock of 40 MHz advances by one every 25 instructions. */
const INSTRUCTIONS_A_CYCLE = 25;
/** Without a sign of life for so long, the emulator itself hangs. */
const SILENCE_MS = 120_000;

/** What is missing here, as a reason to skip; undefined where it can run. */
export function emulatorMissing(): string | undefined {
  for (const [tool, name] of [
    [COMPILER, 'gcc-xtensa-lx106 and binutils-xtensa-lx106'],
    [MACHINE, 'qemu-system-misc'],
  ] as const) {
    try {
      execFileSync(tool, ['--version'], { stdio: 'ignore' });
    } catch {
      return `there is no ${tool} (Debian: ${name})`;
    }
  }
  return undefined;
}

/** One boot, from power-on to the first firmware that is not the relocator. The flash is given back changed, as a copy. */
export async function bootInEmulator(flash: Uint8Array, one: Case = {}, options: EmulatorOptions = {}): Promise<Boot> {
  const boots: Boot[] = [];
  await bootEach(flash, [one], (boot) => boots.push(boot), options);
  const [boot] = boots;
  if (!boot) throw new Error('the emulator gave no result');
  return boot;
}

/**
 * Plays cases, each from the same flash, in one run of the emulator.
 *
 * @param each is called with the end of each case, in order
 */
export async function bootEach(
  flash: Uint8Array,
  cases: readonly Case[],
  each: (boot: Boot, one: Case, index: number) => void,
  { loader = 6, count = false }: EmulatorOptions = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'one-hop-boot-'));
  try {
    const [original, settings] = [join(folder, 'flash'), join(folder, 'settings')];
    await writeFile(original, flash);
    await writeFile(settings, settingsOf(flash.length, loader, cases));
    const args = [
      ...['-M', 'sim', '-cpu', 'lx106', '-display', 'none', '-monitor', 'none', '-serial', 'none', '-semihosting'],
      ...(count ? ['-icount', 'shift=0,sleep=off'] : []),
      ...['-kernel', await standIn()],
      ...['-device', `loader,file=${original},addr=${ORIGINAL_ADDRESS},force-raw=on`],
      ...['-device', `loader,file=${settings},addr=${SETTINGS_ADDRESS},force-raw=on`],
    ];
    await run(args, flash.length, (boot, index) => each(boot, cases[index] ?? {}, index), cases.length);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The same for many, shared among as many emulators as there are processors. The order of the results is any. */
export async function bootAll(
  flash: Uint8Array,
  cases: readonly Case[],
  each: (boot: Boot, one: Case) => void,
  options: EmulatorOptions = {},
): Promise<void> {
  const share = Math.ceil(cases.length / availableParallelism());
  const runs: Promise<void>[] = [];
  for (let from = 0; from < cases.length; from += share) {
    runs.push(bootEach(flash, cases.slice(from, from + share), each, options));
  }
  const ends = await Promise.allSettled(runs);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function settingsOf(flashBytes: number, loader: number, cases: readonly Case[]): Buffer {
  const words = [flashBytes, loader, cases.length, ...cases.flatMap(caseWords)];
  const bytes = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => bytes.writeUInt32LE(word, 4 * index));
  return bytes;
}

function caseWords({ cut, secondCut, change, fault, powerCycles = 0, seed = 1 }: Case): number[] {
  const cutWords = [cut, secondCut].flatMap((one) => (one ? [one.operation, MOMENTS.indexOf(one.moment)] : [0, 0]));
  const { address = 0, length = 0, and = 0xff, xor = 0 } = change ?? {};
  const words = [...cutWords, seed, address, length, and, xor, ...faultWords(fault), powerCycles];
  if (words.length !== CASE_WORDS) throw new Error('a case of another layout than stand-in.h');
  return words;
}

function faultWords(fault: Fault | undefined): number[] {
  if (!fault) return [0, 0, 0, 0, 0];
  const { address, length = 0x1000, kinds, after = 0, count = FOR_EVER } = fault;
  return [address, length, kinds.reduce((bits, kind) => bits | (1 << FAULTS.indexOf(kind)), 0), after, count];
}

let built: Promise<string> | undefined;

/** The stand-in as a program for the emulator, built once a process. */
function standIn(): Promise<string> {
  built ??= buildStandIn();
  return built;
}

async function buildStandIn(): Promise<string> {
  const sources = join(packageRoot(), 'test', 'one-hop', 'stand-in');
  const folder = mkdtempSync(join(tmpdir(), 'one-hop-stand-in-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'stand-in.elf');
  const flags = ['-std=c11', '-ffreestanding', '-O2', '-mlongcalls', '-Wall', '-Wextra', '-Werror'];
  const layout = ['-nostdlib', '-nostartfiles', '-fno-tree-loop-distribute-patterns', '-T', 'stand-in.ld'];
  const files = readdirSync(sources).filter((name) => /\.[cS]$/.test(name));
  await promisify(execFile)(COMPILER, [...flags, ...layout, '-o', program, ...files, '-lgcc'], { cwd: sources });
  return program;
}

function run(
  args: string[],
  flashBytes: number,
  each: (boot: Boot, index: number) => void,
  count: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(MACHINE, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const results = new Results(flashBytes, each);
    let diagnosis = '';
    let fault: Error | undefined;
    const give = (error: unknown): void => {
      fault ??= error instanceof Error ? error : new Error(String(error));
      child.kill('SIGKILL');
    };
    let timer = setTimeout(() => undefined, 0);
    const silent = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => give(new Error(`the emulator hangs at case ${results.count}`)), SILENCE_MS);
    };
    silent();
    child.stdout.on('data', (chunk: Buffer) => {
      silent();
      try {
        results.take(chunk);
      } catch (error) {
        give(error);
      }
    });
    child.stderr.on('data', (chunk: Buffer) => (diagnosis += chunk.toString()));
    child.once('error', give);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (diagnosis) process.stderr.write(`one-hop emulator: ${diagnosis}`);
      if (fault) reject(fault);
      else if (results.count === count) resolve();
      else reject(new Error(`the emulator ended with ${code} after ${results.count} of ${count} cases: ${diagnosis}`));
    });
  });
}

/** Cuts the emulator's output into results: a line of hexadecimal numbers, then the whole flash. */
class Results {
  count = 0;
  private line = '';
  private flash: Buffer | undefined;
  private filled = 0;

  constructor(
    private readonly flashBytes: number,
    private readonly each: (boot: Boot, index: number) => void,
  ) {}

  take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.flash ? this.takeFlash(this.flash, rest) : this.takeLine(rest);
  }

  private takeLine(chunk: Buffer): Buffer {
    const end = chunk.indexOf('\n');
    this.line += chunk.toString('latin1', 0, end < 0 ? chunk.length : end);
    if (end < 0) return chunk.subarray(chunk.length);
    this.flash = Buffer.allocUnsafe(this.flashBytes);
    this.filled = 0;
    return chunk.subarray(end + 1);
  }

  private takeFlash(flash: Buffer, chunk: Buffer): Buffer {
    const taken = chunk.copy(flash, this.filled);
    this.filled += taken;
    if (this.filled === this.flashBytes) {
      const index = this.count++;
      const line = this.line;
      this.flash = undefined;
      this.line = '';
      this.each(bootOf(line, flash, index), index);
    }
    return chunk.subarray(taken);
  }
}

function bootOf(line: string, flash: Buffer, index: number): Boot {
  const numbers = line
    .trim()
    .split(' ')
    .map((digits) => Number.parseInt(digits, 16));
  const [number, end = -1, slot, operations = 0, restarts = 0, cutAddress = 0, cycles = 0, ...rest] = numbers;
  const [stackBytes = 0, sector = 0, times = 0, pausedMs = 0, weakSector = NONE] = rest;
  const ending = ENDINGS[end];
  if (number !== index || ending === undefined) throw new Error(`the emulator said: ${line}`);
  return {
    ending,
    ...((slot === 1 || slot === 2) && { slot }),
    flash,
    operations,
    restarts,
    ...(cutAddress !== NONE && { cutAddress }),
    instructions: cycles * INSTRUCTIONS_A_CYCLE,
    stackBytes,
    mostErased: { sector, times },
    pausedMs,
    ...(weakSector !== NONE && { weakSector }),
  };
}
