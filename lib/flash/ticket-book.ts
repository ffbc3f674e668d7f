import { FlashError, type ErrorCode, type ErrorValues } from '../errors';
import type { Job, JobSnapshot } from './job';
import { keptMessage, revivedMessage, type KeptMessage } from './kept-message';
import type { StageOutcome, Ticket } from './stage-runs';
import { isLater, type StageName } from './stages';

/** How long after a result was put out it may still be lost with the process: its way to the next node is short. */
const ON_ITS_WAY_MS = 5000;

/** How a ticket's stage ended, as JSON carries it. */
export type KeptOutcome =
  | { readonly found: Record<string, unknown>; readonly job: JobSnapshot }
  | { readonly code: ErrorCode; readonly values: ErrorValues };

/** A message that a node took, as it is kept on disk. */
export interface TicketRecord extends KeptMessage {
  readonly id: string;
  readonly nodeId: string;
  readonly stage: StageName;
  readonly deviceid?: string | undefined;
  readonly jobId?: string | undefined;
  readonly outcome?: KeptOutcome | undefined;
}

/**
 * The messages that nodes hold, from their arrival until their result has surely arrived: what must outlive the process.
 */
export class TicketBook {
  /** Called at every change. */
  onChange: () => void = () => undefined;
  private readonly records = new Map<string, TicketRecord>();
  /** Those of an earlier run of the process that no node has begun again. */
  private readonly unclaimed = new Set<string>();
  private readonly timers = new Set<NodeJS.Timeout>();

  all(): TicketRecord[] {
    return [...this.records.values()];
  }

  began({ id, nodeId, stage, message }: Ticket, deviceid: string | undefined): void {
    const { jobId } = this.records.get(id) ?? {};
    this.unclaimed.delete(id);
    this.put({ id, nodeId, stage, deviceid, jobId, ...keptMessage(message) });
  }

  /** The ticket's stage begins for this job: what earlier stages of it reached has been heard. */
  inJob({ id, stage }: Ticket, job: Job): void {
    const record = this.records.get(id);
    if (!record) return;
    for (const one of this.all()) {
      if (one.jobId === job.id && one.outcome && isLater(stage, one.stage)) this.records.delete(one.id);
    }
    this.put({ ...record, jobId: job.id });
  }

  ended({ id }: Ticket, outcome: StageOutcome | FlashError): void {
    const record = this.records.get(id);
    if (!record) return;
    const kept = outcome instanceof FlashError ? { code: outcome.code, values: outcome.values } : outcome;
    this.put({ ...record, outcome: kept });
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
    this.unclaimed.delete(id);
    if (this.records.delete(id)) this.onChange();
  }

  forgetNode(nodeId: string): void {
    for (const record of this.all()) if (record.nodeId === nodeId) this.forget(record.id);
  }

  /** Takes in what an earlier run of the process kept. */
  restore(records: readonly TicketRecord[]): void {
    for (const record of records) {
      this.records.set(record.id, record);
      if (!record.outcome) this.unclaimed.add(record.id);
    }
  }

  /** What a node is to begin again; each is given once. */
  claim(nodeId: string): { ticket: Ticket; record: TicketRecord }[] {
    const mine = this.all().filter((record) => record.nodeId === nodeId && this.unclaimed.has(record.id));
    for (const { id } of mine) this.unclaimed.delete(id);
    return mine.map((record) => ({ ticket: ticketOf(record), record }));
  }

  /** Ids of the nodes whose messages these are. */
  nodes(): Set<string> {
    return new Set(this.all().map(({ nodeId }) => nodeId));
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private put(record: TicketRecord): void {
    this.records.set(record.id, record);
    this.onChange();
  }
}

/** A kept ticket with its message as it was. */
export function ticketOf({ id, nodeId, stage, message }: TicketRecord): Ticket {
  return { id, nodeId, stage, message: revivedMessage(message) };
}

export function outcomeOf(outcome: KeptOutcome): StageOutcome | FlashError {
  return 'code' in outcome ? new FlashError(outcome.code, outcome.values) : outcome;
}
