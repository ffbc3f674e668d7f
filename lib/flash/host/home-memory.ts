import { mkdirSync, readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { HomeAddress } from '../../net/home-address';
import { writeAtomically } from '../firmware/store/atomic-file';

const FILE = 'home-address.json';

const known = new Map<string, HomeAddress>();

/**
 * This machine's address on the home network, one for all hosts: remembered in `folder`, so that a restart in a
 * device's access point does not lose it.
 *
 * @param folder undefined = remembered for as long as the process lives
 */
export function homeAddressIn(folder: string | undefined): HomeAddress {
  const key = folder ?? '';
  const address = known.get(key) ?? recall(folder);
  known.set(key, address);
  return address;
}

function recall(folder: string | undefined): HomeAddress {
  if (folder === undefined) return new HomeAddress();
  const remembered = read(join(folder, FILE));
  const home = new HomeAddress(remembered === undefined ? {} : { remembered });
  home.on('changed', (address) => void write(folder, address));
  return home;
}

function read(path: string): string | undefined {
  try {
    const { address } = JSON.parse(readFileSync(path, 'utf8')) as { address?: unknown };
    return typeof address === 'string' && isIPv4(address) ? address : undefined;
  } catch {
    return undefined;
  }
}

/** What cannot be written is found again, only not in a device's access point. */
async function write(folder: string, address: string): Promise<void> {
  try {
    mkdirSync(folder, { recursive: true });
    await writeAtomically(folder, FILE, `${JSON.stringify({ address })}\n`);
  } catch {
    // Nobody is to be stopped by it.
  }
}
