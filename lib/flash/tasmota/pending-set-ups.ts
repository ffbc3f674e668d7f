import { join } from 'node:path';
import type { Message } from '../job/pending-message';
import { FollowingFile } from '../../storage/following-file';
import { storedMessage, revivedMessage } from '../stored/stored-message';
import { jsonObject, object, salvagedList, text } from '../../storage/schema';
import type { StoredFormat } from '../../storage/stored-file';

const FOLDER = 'set-ups';
/** What Node-RED makes ids of. */
const SAFE_ID = /^[\w.-]{1,100}$/;

export interface PendingSetUp {
  readonly id: string;
  readonly message: Message;
  /** The Wi-Fi's, taken out of the message; a secret that ends with the process. */
  readonly password?: string | undefined;
}

interface StoredSetUps {
  readonly setUps: readonly Pick<PendingSetUp, 'id' | 'message'>[];
}

const FORMAT: StoredFormat<StoredSetUps> = {
  format: 'sonota-set-ups/1',
  schema: object<StoredSetUps>({ setUps: salvagedList(object({ id: text(200), message: jsonObject })) }),
  unmarked: (setUps) => ({ setUps }),
};

/**
 * The messages whose set-up has not ended, a file for each node that took them: neither a deploy nor the end of the
 * process loses one. As with a flash, no secret is kept.
 */
export class PendingSetUps {
  private static readonly known = new Map<string, PendingSetUps>();
  private readonly nodes = new Map<string, { file: FollowingFile<StoredSetUps>; kept: readonly PendingSetUp[] }>();
  private readonly passwords = new Map<string, string | undefined>();

  /**
   * @param folder undefined = for this process only
   * @param onTrouble told of a file that cannot be used or written
   */
  constructor(
    private readonly folder: string | undefined,
    private readonly onTrouble: (text: string) => void = () => undefined,
  ) {}

  /** One for all hosts: a node may be given another one. */
  static at(folder: string | undefined, onTrouble: (text: string) => void): PendingSetUps {
    const key = folder ?? '';
    const known = this.known.get(key) ?? new PendingSetUps(folder, onTrouble);
    this.known.set(key, known);
    return known;
  }

  began(nodeId: string, { id, message, password }: PendingSetUp): void {
    this.passwords.set(id, password);
    this.put(nodeId, [
      ...this.of(nodeId).kept.filter((one) => one.id !== id),
      { id, message: storedMessage(message).message },
    ]);
  }

  ended(nodeId: string, id: string): void {
    this.passwords.delete(id);
    this.put(
      nodeId,
      this.of(nodeId).kept.filter((one) => one.id !== id),
    );
  }

  /** What the node that has this id now is to begin again. */
  left(nodeId: string): PendingSetUp[] {
    return this.of(nodeId).kept.map(({ id, message }) => {
      return { id, message: revivedMessage(message), password: this.passwords.get(id) };
    });
  }

  /** The node is no more. */
  forget(nodeId: string): void {
    for (const { id } of this.of(nodeId).kept) this.ended(nodeId, id);
  }

  /** Resolves when what there is now is on disk, as far as it can be. */
  async settled(): Promise<void> {
    await Promise.all([...this.nodes.values()].map(({ file }) => file.settled()));
  }

  private of(nodeId: string): { file: FollowingFile<StoredSetUps>; kept: readonly PendingSetUp[] } {
    const known = this.nodes.get(nodeId);
    if (known) return known;
    const file = new FollowingFile(this.placeOf(nodeId), FORMAT, this.onTrouble);
    const read = { file, kept: file.read()?.setUps ?? [] };
    this.nodes.set(nodeId, read);
    return read;
  }

  private put(nodeId: string, kept: readonly PendingSetUp[]): void {
    const { file } = this.of(nodeId);
    this.nodes.set(nodeId, { file, kept });
    file.follow(() => (kept.length === 0 ? undefined : { setUps: kept }));
  }

  private placeOf(nodeId: string): { folder: string; name: string } | undefined {
    if (this.folder === undefined || !SAFE_ID.test(nodeId)) return undefined;
    return { folder: join(this.folder, FOLDER), name: `${nodeId}.json` };
  }
}
