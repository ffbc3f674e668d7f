import type { Node, NodeAPI } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { FirmwareSources } from '../../lib/firmware/firmware';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';
import type { StageName } from '../../lib/flash/stages';
import type { Message, StageOutcome, PendingMessage } from '../../lib/flash/job/pending-message';
import { nextStage } from '../../lib/flash/job/next-stage';
import type { Outlet } from '../../lib/flash/run/stage-runs';
import { whenFlowsRun } from './deploys';
import { MessageValues } from './messages';
import { isWired, NodeWiring, type Held, type Outgoing, type WiredNodeDef } from './node-wiring';
import { prefetchFirmware } from './prefetch';
import { progressMessage, resultMessage } from './stage-messages';
import type { StageGiven, StageStep } from './stage-step';
import { translateError, translateFound, translateJob, translateLabel, translateReport } from './translate';
import { Values } from './values';

/** The output of progress. */
const PROGRESS = 1;

export interface StageNodeOptions<Form> {
  /** The stages that a message passes through, in order: one for a node of a single stage. */
  readonly steps: readonly [StageStep<Form>, ...StageStep<Form>[]];
  /** Throws a FlashError where the form cannot do: the node shows it, and refuses every message with it. */
  readForm(form: Values): Form;
  /** The index of the output of a result; 0 unless told, never that of progress. */
  readonly outputOf?: (outcome: StageOutcome) => number;
  /** Whether it waits for devices that nobody sent a message for. */
  awaitsDevices?(form: Form): boolean;
  /** The images that are fetched and examined behind a deploy; undefined where no form names any. */
  readonly prefetched?: (form: Form) => FirmwareSources | undefined;
  /** With which stage a message begins; the first unless told. Throws a FlashError where it cannot do. */
  readonly startOf?: (given: StageGiven<Form>) => StageName;
  /** What must hold before a message begins its first stage; see StageRequest. */
  readonly check?: (
    given: StageGiven<Form> & { readonly stage: StageName; readonly signal: AbortSignal },
  ) => Promise<void>;
}

/** See StageNode.begin. */
interface Beginning {
  readonly ticketId?: string;
  readonly job?: Job | undefined;
  readonly isStart?: boolean;
}

/**
 * A node that runs one stage of a flash, or several one after another. What runs outlives the instance: the next one is
 * told of it.
 */
export class StageNode<Form> extends NodeWiring {
  /** By their tickets; those of an earlier instance are held when there is news of them. */
  private readonly pending = new Map<string, Held>();
  /** What the host or the form has, and no message: it goes when that is mended. */
  private showsTrouble = false;
  private readonly closing = new AbortController();

  constructor(
    RED: NodeAPI,
    node: Node<object>,
    private readonly config: WiredNodeDef,
    private readonly options: StageNodeOptions<Form>,
  ) {
    super(RED, node, config);
    const { flashHost } = this;
    this.serve({
      take: (held) => this.take(held),
      cancel: (said) => this.host.flashHost.runs.cancel(node.id, said.deviceId()),
      refused: (message, error) => flashHost?.runs.refused(message, error),
      awaitsDevices: () => this.readable !== undefined && (options.awaitsDevices?.(this.readable) ?? false),
      closed: (removed) => this.detach(removed),
    });
    if (flashHost) this.attach(flashHost);
    else this.start(() => this.host);
  }

  /** The form, where it and the host's can be read. */
  get readable(): Form | undefined {
    return this.hostNode?.problem || problemOf(() => this.form()) ? undefined : this.form();
  }

  get flashHost(): FlashHost | undefined {
    return this.hostNode?.flashHost;
  }

  /** Begins the stage for a message that nobody sent: a device came by itself. */
  beginBySelf(message: Message): void {
    this.begin(this.options.steps[0], new MessageValues(message));
  }

  private attach(host: FlashHost): void {
    host.on('state', this.showHost);
    this.showHost();
    whenFlowsRun(this.RED, this.node, () => {
      host.runs.attach(this.node.id, this.outlet);
      this.resume(host);
      this.prefetch(host);
    });
  }

  private prefetch(host: FlashHost): void {
    const { RED, node, status, closing } = this;
    const sources = attempt(() => this.readable && this.options.prefetched?.(this.readable));
    if (!sources) return;
    const isBusy = (): boolean => host.runs.isIn(node.id);
    prefetchFirmware(RED, node, { host, sources, status, isBusy, signal: closing.signal });
  }

  /** Goes on with the messages that this node held when Node-RED ended. */
  private resume(host: FlashHost): void {
    for (const { ticket, record } of host.runs.tickets.claim(this.node.id)) {
      const job = record.jobId === undefined ? undefined : host.jobs.byId(record.jobId);
      const deviceid = job?.deviceid ?? record.deviceid;
      const message = deviceid === undefined ? ticket.message : { ...ticket.message, deviceid };
      try {
        const how = { ticketId: ticket.id, job, isStart: record.jobId === undefined };
        this.begin(this.stepOf(ticket.stage), new MessageValues(message), how);
      } catch (thrown) {
        host.runs.tickets.forget(ticket.id);
        this.outlet.failure(asFlashError(thrown), ticket);
      }
    }
  }

  /** The new instance of this node takes over what runs. */
  private detach(removed: boolean): void {
    this.closing.abort();
    this.flashHost?.off('state', this.showHost);
    this.flashHost?.runs.detach(this.node.id, removed);
    this.pending.clear();
  }

  private take(held: Held): void {
    const { said } = held;
    const ticket = this.begin(this.stepOf(this.startOf(said)), said, { isStart: true });
    this.pending.set(ticket.id, held);
  }

  /** @throws FlashError `host-missing`, or what in the form of the host or of this node cannot be read */
  given(said: MessageValues): StageGiven<Form> {
    return { host: this.host, form: this.form(), said };
  }

  private startOf(said: MessageValues): StageName {
    const { startOf, steps } = this.options;
    return startOf?.(this.given(said)) ?? steps[0].stage;
  }

  private stepOf(stage: StageName): StageStep<Form> {
    const { steps } = this.options;
    return steps.find((step) => step.stage === stage) ?? steps[0];
  }

  /**
   * @param how `isStart`: the message begins here, and no job has yet; `ticketId` and `job` where an earlier run of
   *   Node-RED took the message, and had perhaps begun the job
   */
  private begin(
    { stage, oneAtATime, plan }: StageStep<Form>,
    said: MessageValues,
    how: Beginning = {},
  ): PendingMessage {
    const given = this.given(said);
    const { flashHost } = given.host;
    const made = plan(given);
    const { check } = this.options;
    return flashHost.runs.begin({
      nodeId: this.node.id,
      stage,
      message: said.message,
      deviceid: made.deviceid,
      oneAtATime,
      ticketId: how.ticketId,
      ...(how.isStart && check ? { check: (signal) => check({ ...given, stage, signal }) } : {}),
      findJob: () => (how.job?.isOpen ? how.job : made.findJob()),
      run: async (context) => {
        // A port that was in use is tried again with every message.
        await flashHost.open();
        return made.run(context);
      },
    });
  }

  /** @returns whether the message has entered the stage that follows on its last one */
  private goOn(message: Message, { job }: StageOutcome, ticket: PendingMessage): boolean {
    const next = nextStage(ticket.stage, job);
    const step = this.options.steps.find(({ stage }) => stage === next);
    if (!step) return false;
    const following = this.begin(step, new MessageValues(message));
    const held = this.pending.get(ticket.id);
    this.pending.delete(ticket.id);
    if (held) this.pending.set(following.id, held);
    return true;
  }

  private readonly outlet: Outlet = {
    progress: this.guarded((untranslated, snapshot, ticket) => {
      this.status.running({ ...untranslated, label: translateLabel(this.RED, untranslated) });
      if (!isWired(this.node, PROGRESS)) return;
      const report = translateReport(this.RED, untranslated);
      this.heldFor(ticket).send([null, progressMessage(report, translateJob(this.RED, snapshot()), ticket)]);
    }),
    result: this.guarded((outcome, ticket) => {
      const found = translateFound(this.RED, outcome.found);
      const message = resultMessage({ found, job: translateJob(this.RED, outcome.job) }, ticket);
      try {
        if (this.goOn(message, outcome, ticket)) return;
      } catch (thrown) {
        return this.fail(asFlashError(thrown), ticket);
      }
      const output = this.options.outputOf?.(outcome) ?? 0;
      if (this.isDeadEnd(outcome, output)) this.warnOfDeadEnd(outcome, output);
      else this.status.done();
      this.through(ticket, output === 0 ? [message, null] : [...Array<null>(output).fill(null), message]);
    }),
    failure: this.guarded((error, ticket) => this.fail(error, ticket)),
    queued: this.guarded((count) => this.status.queue(count)),
  };

  /** A device waits for the next stage, and nothing is wired that would bring it there. */
  private isDeadEnd({ job }: StageOutcome, output: number): boolean {
    return job.stage !== 'done' && !isWired(this.node, output);
  }

  private warnOfDeadEnd({ job }: StageOutcome, output: number): void {
    const error = new FlashError('output-not-wired', { deviceid: job.deviceid ?? '?', output: output + 1 });
    this.status.warned(error.code);
    this.node.warn(translateError(this.RED, error).message);
    const waiting = job.deviceid === null ? undefined : this.flashHost?.jobs.openJob(job.deviceid);
    if (!waiting) return;
    // The page of the flash says it, too.
    waiting.lastReport = { name: 'output-leads-nowhere', values: { output: output + 1 } };
    waiting.onChange(false);
  }

  private fail(error: FlashError, ticket: PendingMessage): void {
    const held = this.heldFor(ticket);
    this.pending.delete(ticket.id);
    held.end(this.problem(error));
  }

  /** What a node behind our wires throws at once must not end a stage, least of all one that a device hangs on. */
  private guarded<A extends unknown[]>(tell: (...news: A) => void): (...news: A) => void {
    return (...news) => {
      try {
        tell(...news);
      } catch (error) {
        this.node.error(error);
      }
    };
  }

  private form(): Form {
    return this.options.readForm(Values.ofForm(this.config, this.node.credentials));
  }

  private readonly showHost = (): void => {
    const trouble = this.hostNode?.problem ?? this.flashHost?.trouble ?? problemOf(() => this.form());
    if (trouble) this.status.failed(trouble.code);
    // That a host begins or ceases to listen is no reason to take away what became of the last message.
    else if (this.showsTrouble && !this.holdsMessages) this.status.idle();
    this.showsTrouble = trouble !== undefined;
  };

  private heldFor({ id, message }: PendingMessage): Held {
    const held = this.pending.get(id) ?? this.adopt(new MessageValues(message));
    this.pending.set(id, held);
    return held;
  }

  private through(ticket: PendingMessage, messages: Outgoing): void {
    const held = this.heldFor(ticket);
    this.pending.delete(ticket.id);
    held.send(messages);
    held.end();
  }
}

/** What cannot be read is reported with the first message. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function problemOf(read: () => unknown): FlashError | undefined {
  try {
    read();
    return undefined;
  } catch (thrown) {
    return asFlashError(thrown);
  }
}
