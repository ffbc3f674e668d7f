import { mkdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../firmware/store/atomic-file';
import type { Message } from '../job/ticket';
import { keptMessage, revivedMessage } from '../kept/kept-message';

const FOLDER = 'set-ups';
/** What Node-RED makes ids of. */
const SAFE_ID = /^[\w.-]{1,100}$/;

export interface KeptSetUp {
  readonly id: string;
  readonly message: Message;
  /** The Wi-Fi's, taken out of the message; a secret that ends with the process. */
  readonly password?: string | undefined;
}

/**
 * The messages whose set-up has not ended, a file for each node that took them: neither a deploy nor the end of the
 * process loses one. As with a flash, no secret is kept.
 */
export class KeptSetUps {
  private static readonly known = new Map<string, KeptSetUps>();
  private readonly nodes = new Map<string, KeptSetUp[]>();
  private readonly passwords = new Map<string, string | undefined>();
  private writing: Promise<unknown> = Promise.resolve();

  /** @param folder undefined = for this process only */
  constructor(private readonly folder: string | undefined) {}

  /** One for all hosts: a node may be given another one. */
  static at(folder: string | undefined): KeptSetUps {
    const key = folder ?? '';
    const known = this.known.get(key) ?? new KeptSetUps(folder);
    this.known.set(key, known);
    return known;
  }

  began(nodeId: string, { id, message, password }: KeptSetUp): void {
    this.passwords.set(id, password);
    this.put(nodeId, [
      ...this.of(nodeId).filter((one) => one.id !== id),
      { id, message: keptMessage(message).message },
    ]);
  }

  ended(nodeId: string, id: string): void {
    this.passwords.delete(id);
    this.put(
      nodeId,
      this.of(nodeId).filter((one) => one.id !== id),
    );
  }

  /** What the node that has this id now is to begin again. */
  left(nodeId: string): KeptSetUp[] {
    return this.of(nodeId).map(({ id, message }) => {
      return { id, message: revivedMessage(message), password: this.passwords.get(id) };
    });
  }

  /** The node is no more. */
  forget(nodeId: string): void {
    for (const { id } of this.of(nodeId)) this.ended(nodeId, id);
  }

  /** Resolves when what there is now is on disk, as far as it can be. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private of(nodeId: string): KeptSetUp[] {
    const known = this.nodes.get(nodeId) ?? this.read(nodeId);
    this.nodes.set(nodeId, known);
    return known;
  }

  private put(nodeId: string, kept: KeptSetUp[]): void {
    this.nodes.set(nodeId, kept);
    const path = this.pathOf(nodeId);
    if (path === undefined) return;
    // What cannot be kept is lost with the process alone; nobody is to be stopped by it.
    this.writing = this.writing.then(() => write(path, this.nodes.get(nodeId) ?? [])).catch(() => undefined);
  }

  private read(nodeId: string): KeptSetUp[] {
    const path = this.pathOf(nodeId);
    if (path === undefined) return [];
    try {
      const kept: unknown = JSON.parse(readFileSync(join(path.folder, path.name), 'utf8'));
      return Array.isArray(kept) ? kept.filter(isKept) : [];
    } catch {
      return [];
    }
  }

  private pathOf(nodeId: string): { folder: string; name: string } | undefined {
    if (this.folder === undefined || !SAFE_ID.test(nodeId)) return undefined;
    return { folder: join(this.folder, FOLDER), name: `${nodeId}.json` };
  }
}

async function write({ folder, name }: { folder: string; name: string }, kept: readonly KeptSetUp[]): Promise<void> {
  if (kept.length === 0) return await rm(join(folder, name), { force: true });
  mkdirSync(folder, { recursive: true });
  await writeAtomically(folder, name, `${JSON.stringify(kept)}\n`);
}

function isKept(value: unknown): value is KeptSetUp {
  const { id, message } = (value ?? {}) as Partial<KeptSetUp>;
  return typeof id === 'string' && typeof message === 'object' && message !== null;
}
