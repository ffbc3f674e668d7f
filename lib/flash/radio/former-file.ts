import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FormerMemory, FormerNetwork } from '../../net/wifi/former';
import { writeAtomically } from '../../storage/atomic-file';
import { jsonObject, object, optional, salvagedRecord, text } from '../../storage/schema';
import { readStored, storedText, type OnUnusable, type StoredFormat } from '../../storage/stored-file';

const FILE = 'wifi.json';

interface StoredInterfaces {
  readonly interfaces: Readonly<Partial<Record<string, FormerNetwork>>>;
}

const name = text(100);
const FORMAT: StoredFormat<StoredInterfaces> = {
  format: 'sonota-wifi/1',
  schema: object<StoredInterfaces>({
    interfaces: salvagedRecord(
      name,
      object<FormerNetwork>({ uuid: optional(name), ssid: optional(name), ipv4: optional(jsonObject) }),
    ),
  }),
  unmarked: (interfaces) => ({ interfaces }),
};

/**
 * Keeps in `folder` what the Wi-Fi interfaces were in before: for a process that ends while it has joined a network.
 * @param onTrouble called for a file that cannot be used or written
 */
export function formerIn(folder: string | undefined, onTrouble: OnUnusable): FormerMemory | undefined {
  if (folder === undefined) return undefined;
  const path = join(folder, FILE);
  const read = (): StoredInterfaces['interfaces'] => readStored(path, FORMAT, onTrouble)?.interfaces ?? {};
  return {
    read: async (interfaceName) => read()[interfaceName],
    write: async (interfaceName, former) => {
      const { [interfaceName]: before, ...others } = read();
      if (before === undefined && former === undefined) return;
      const interfaces = former === undefined ? others : { ...others, [interfaceName]: former };
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeAtomically(folder, FILE, storedText(FORMAT, { interfaces }));
      } catch (error) {
        // In most cases the network comes back automatically.
        onTrouble(`${path} cannot be written: ${(error as Error).message}`);
      }
    },
  };
}
