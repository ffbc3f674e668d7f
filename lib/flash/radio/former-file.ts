import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FormerMemory, FormerNetwork } from '../../net/wifi/former';
import { writeAtomically } from '../firmware/store/atomic-file';

const FILE = 'wifi.json';

type Kept = Record<string, FormerNetwork>;

/** Keeps in `folder` what the Wi-Fi interfaces were in before: for a process that ends while it has joined a network. */
export function formerIn(folder: string | undefined): FormerMemory | undefined {
  if (folder === undefined) return undefined;
  return {
    read: async (interfaceName) => (await read(folder))[interfaceName],
    write: async (interfaceName, former) => {
      const { [interfaceName]: before, ...others } = await read(folder);
      if (before === undefined && former === undefined) return;
      const kept: Kept = former === undefined ? others : { ...others, [interfaceName]: former };
      // What cannot be kept comes back by itself in most cases; nobody is to be stopped by it.
      await mkdir(folder, { recursive: true })
        .then(() => writeAtomically(folder, FILE, `${JSON.stringify(kept)}\n`))
        .catch(() => undefined);
    },
  };
}

async function read(folder: string): Promise<Kept> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => '{}');
  try {
    const kept: unknown = JSON.parse(text);
    return typeof kept === 'object' && kept !== null ? (kept as Kept) : {};
  } catch {
    return {};
  }
}
