import { FlashError, type ErrorCode, type ErrorValues } from '../../errors';
import type { ImageRole } from '../../image';
import type { Job, JobSnapshot } from '../job/job';
import {
  carriedImages,
  storedMessage,
  revivedMessage,
  withImages,
  type CarriedImages,
  type StoredMessage,
} from './stored-message';
import type { PendingMessage, StageOutcome, TaskOutcome } from '../job/pending-message';
import { isLater, isStage, type TaskName } from '../stages';
import { digestOf } from '../../image';

/** How long after a result was put out it may still be lost with the process: its way to the next node is short. */
export const ON_ITS_WAY_MS = 5000;

/** How the stage of a message ended, as JSON carries it. */
export type StoredOutcome =
  | { readonly found: Record<string, unknown>; readonly job: JobSnapshot }
  | { readonly code: ErrorCode; readonly values: ErrorValues };

/** A message that a node took, as it is kept on disk. */
export interface PendingMessageRecord extends StoredMessage {
  /** Digests of the images that the message carried; their bytes are kept apart. */
  readonly images?: Partial<Record<ImageRole, string>> | undefined;
  readonly id: string;
  readonly nodeId: string;
  readonly stage: TaskName;
  readonly deviceid?: string | undefined;
  readonly jobId?: string | undefined;
  readonly outcome?: StoredOutcome | undefined;
}

/** A message that an earlier run of the process, or an earlier instance of its node, has left to begin again. */
export interface LeftMessage {
  readonly pending: PendingMessage;
  readonly record: PendingMessageRecord;
  /** The password that came with it, where this process took it. */
  readonly password: string | undefined;
}

/**
 * The messages that nodes hold, from their arrival until their result has surely arrived: what must outlive the process.
 */
export class PendingMessages {
  /** Called at every change. */
  onChange: () => void = () => undefined;
  private readonly records = new Map<string, PendingMessageRecord>();
  /** Those that no instance of their node has: it is to begin them again. */
  private readonly unclaimed = new Set<string>();
  /** Secrets that came with messages, by their ids: they end with the process. */
  private readonly passwords = new Map<string, string>();
  /** Images that messages carried, by their digests. */
  private readonly bytes = new Map<string, Buffer>();
  private readonly timers = new Set<NodeJS.Timeout>();

  all(): PendingMessageRecord[] {
    return [...this.records.values()];
  }

  /** @param from what it says besides; `password` is held in memory alone */
  began(
    { id, nodeId, stage, message }: PendingMessage,
    from: { readonly deviceid?: string | undefined; readonly password?: string | undefined },
  ): void {
    if (stage === undefined) return;
    const { deviceid, password } = from;
    const { jobId } = this.records.get(id) ?? {};
    this.unclaimed.delete(id);
    if (password !== undefined) this.passwords.set(id, password);
    const carried = Object.entries(carriedImages(message)) as [ImageRole, Buffer][];
    const images = carried.map(([role, bytes]) => [role, this.keepBytes(bytes)] as const);
    const taken = Object.fromEntries(carried.map(([role]) => [role, undefined]));
    const kept = storedMessage(withImages(message, taken));
    this.put({ id, nodeId, stage, deviceid, jobId, images: Object.fromEntries(images), ...kept });
  }

  /** The stage of a message begins for this job: what earlier stages of it reached has been heard. */
  inJob({ id }: PendingMessage, job: Job): void {
    const record = this.records.get(id);
    if (!record) return;
    for (const one of this.all()) {
      if (one.jobId === job.id && one.outcome && isLater(record.stage, one.stage)) this.forget(one.id);
    }
    this.put({ ...record, jobId: job.id });
  }

  /** A stage's outcome must arrive, whatever happens; a task without a job is over, and can be done again. */
  ended({ id }: PendingMessage, outcome: StageOutcome | TaskOutcome | FlashError): void {
    const record = this.records.get(id);
    if (!record) return;
    const kept =
      outcome instanceof FlashError ? { code: outcome.code, values: outcome.values } : outcome.job && outcome;
    if (kept && isStage(record.stage)) this.put({ ...record, outcome: kept });
    else this.forget(id);
  }

  /** The instance of its node is gone: the next one is to begin it again. */
  release(id: string): void {
    if (this.records.has(id)) this.unclaimed.add(id);
  }

  /** Takes a message over from another host, for its node to begin it again. */
  adopt({ pending, record: { deviceid }, password }: LeftMessage): void {
    this.began(pending, { deviceid, password });
    this.release(pending.id);
  }

  /** The node has put the result out. */
  delivered(id: string): void {
    if (!this.records.has(id)) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.forget(id);
    }, ON_ITS_WAY_MS).unref();
    this.timers.add(timer);
  }

  forget(id: string): void {
    if (!this.records.delete(id)) return;
    this.passwords.delete(id);
    this.forgetImages();
    this.onChange();
  }

  /** The messages of a node that are in a stage of a flash, or were. */
  stagesOf(nodeId: string): PendingMessageRecord[] {
    return this.all().filter((record) => record.nodeId === nodeId && isStage(record.stage));
  }

  forgetNode(nodeId: string): void {
    for (const record of this.all()) if (record.nodeId === nodeId) this.forget(record.id);
  }

  /** The images that the messages carry, each once. */
  images(): { sha256: string; bytes: Buffer }[] {
    return [...this.bytes].map(([sha256, bytes]) => ({ sha256, bytes }));
  }

  /**
   * Takes in what an earlier run of the process kept.
   * @param find an image by its digest, where it is still there
   */
  restore(
    records: readonly PendingMessageRecord[],
    find: (sha256: string) => Buffer | undefined = () => undefined,
  ): void {
    for (const record of records) {
      for (const sha256 of Object.values(record.images ?? {})) {
        const bytes = find(sha256);
        if (bytes) this.bytes.set(sha256, bytes);
      }
      this.records.set(record.id, record);
      if (!record.outcome) this.unclaimed.add(record.id);
    }
  }

  /** The messages that a node is to start again; each is given once. */
  claim(nodeId: string): LeftMessage[] {
    const mine = this.all().filter((record) => record.nodeId === nodeId && this.unclaimed.has(record.id));
    for (const { id } of mine) this.unclaimed.delete(id);
    return mine.map((record) => ({
      pending: this.messageOf(record),
      record,
      password: this.passwords.get(record.id),
    }));
  }

  /** Ids of the nodes whose messages these are. */
  nodes(): Set<string> {
    return new Set(this.all().map(({ nodeId }) => nodeId));
  }

  /** A kept message as it was. */
  messageOf({ id, nodeId, stage, message, images = {} }: PendingMessageRecord): PendingMessage {
    const found = Object.entries(images).flatMap(([role, sha256]) => {
      const bytes = this.bytes.get(sha256);
      return bytes ? [[role, bytes]] : [];
    });
    const carried = Object.fromEntries(found) as CarriedImages;
    return { id, nodeId, stage, message: withImages(revivedMessage(message), carried) };
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private forgetImages(): void {
    const needed = new Set(this.all().flatMap(({ images }) => Object.values(images ?? {})));
    for (const sha256 of this.bytes.keys()) if (!needed.has(sha256)) this.bytes.delete(sha256);
  }

  private keepBytes(bytes: Buffer): string {
    const sha256 = digestOf(bytes);
    if (!this.bytes.has(sha256)) this.bytes.set(sha256, bytes);
    return sha256;
  }

  private put(record: PendingMessageRecord): void {
    this.records.set(record.id, record);
    this.onChange();
  }
}

export function outcomeOf(outcome: StoredOutcome): StageOutcome | FlashError {
  return 'code' in outcome ? new FlashError(outcome.code, outcome.values) : outcome;
}
