/** Set-ups as versions before 0.2 stored them: a file for each node, beside those of the hosts. */

import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonObject, object, salvagedList, text } from '../../storage/schema';
import { readStored, type StoredFormat } from '../../storage/stored-file';
import type { Message } from '../job/pending-message';
import { revivedMessage } from '../stored/stored-message';
import type { FlashHost } from './host';

/** What the names of those files were made of. */
const SAFE_ID = /^[\w.-]{1,100}$/;

interface FormerSetUps {
  readonly setUps: readonly { readonly id: string; readonly message: Message }[];
}

const FORMAT: StoredFormat<FormerSetUps> = {
  format: 'sonota-set-ups/1',
  schema: object<FormerSetUps>({ setUps: salvagedList(object({ id: text(200), message: jsonObject })) }),
  unmarked: (setUps) => ({ setUps }),
};

/**
 * Gives a node what was stored for it, among the pending messages of its host; then the file is put away, for a return
 * to an older version. A file that comes twice gives the same messages once.
 *
 * @param folder in which `set-ups/` lies
 * @returns when the file is away
 */
export async function adoptFormerSetUps(
  host: Pick<FlashHost, 'runs' | 'whenStored' | 'writeLine'>,
  folder: string,
  nodeId: string,
): Promise<void> {
  if (!SAFE_ID.test(nodeId)) return;
  const path = join(folder, 'set-ups', `${nodeId}.json`);
  const stored = readStored(path, FORMAT, (problem) => host.writeLine('warn', problem));
  if (!stored) return;
  for (const { id, message } of stored.setUps) {
    host.runs.pending.began({ id, nodeId, stage: 'tasmota', message: revivedMessage(message) }, {});
    host.runs.pending.release(id);
  }
  await host.whenStored();
  await rename(path, `${path}.old`).catch((error: Error) => host.writeLine('warn', error.message));
}
