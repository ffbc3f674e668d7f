import { readdir, readFile, readlink } from 'node:fs/promises';

/** A process that listens on a port. */
export interface PortHolder {
  readonly pid: number;
  /** The program's short name, such as `nginx`. */
  readonly program: string;
}

/** The states LISTEN of TCP and CLOSE, which a bound UDP socket has, in the kernel's tables (proc(5), include/net/tcp_states.h). */
const LISTENING = { tcp: '0A', udp: '07' } as const;

type Protocol = keyof typeof LISTENING;

/**
 * The process that listens on a port, whatever the address. Undefined where that is unknown: on other systems than
 * Linux, and for a process of another user, whose files only an administrator may look at.
 */
export async function portHolder(port: number, protocol: Protocol = 'tcp'): Promise<PortHolder | undefined> {
  const tables = await Promise.all(['', '6'].map((version) => readOr(`/proc/net/${protocol}${version}`, '')));
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port, LISTENING[protocol])));
  if (inodes.size === 0) return undefined;
  for (const pid of await processes()) {
    if (await holdsOneOf(pid, inodes)) return { pid, program: (await readOr(`/proc/${pid}/comm`, '?')).trim() };
  }
  return undefined;
}

/** Lines as `0: 0100007F:1F90 00000000:0000 0A … 1000 0 12345 …`: ends, state, and in the tenth column the inode. */
function listeningInodes(table: string, port: number, listening: string): string[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const [, local, , state] = columns;
    const inode = columns[9];
    return state === listening && local?.endsWith(ending) && inode !== undefined ? [inode] : [];
  });
}

async function processes(): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => []);
  return entries.filter((name) => /^\d+$/.test(name)).map(Number);
}

async function holdsOneOf(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  // A process may end, or close a file, while it is looked at.
  const files = await readdir(folder).catch(() => []);
  const targets = await Promise.all(files.map((file) => readlink(`${folder}/${file}`).catch(() => '')));
  return targets.some((target) => inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? ''));
}

function readOr(path: string, otherwise: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => otherwise);
}
