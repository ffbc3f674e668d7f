import type { Node, NodeAPI } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { FirmwareSources } from '../../lib/firmware/firmware';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job, JobSnapshot } from '../../lib/flash/job/job';
import type { StageName, TaskName } from '../../lib/flash/stages';
import type { Message, PendingMessage, StageOutcome } from '../../lib/flash/job/pending-message';
import { nextStage } from '../../lib/flash/job/next-stage';
import type { LeftMessage } from '../../lib/flash/stored/pending-messages';
import { whenFlowsRun } from './deploys';
import { MessageValues } from './messages';
import { isWired, type Held, type WiredNodeDef } from './node-wiring';
import { prefetchFirmware } from './prefetch';
import { RunNode } from './run-node';
import { resultMessage, type ProgressOf } from './stage-messages';
import type { StageGiven, StageStep } from './stage-step';
import { translateError, translateFound, translateJob } from './translate';
import { Values } from './values';

export interface StageNodeOptions<Form> {
  /** The stages that a message passes through, in order: one for a node of a single stage. */
  readonly steps: readonly [StageStep<Form>, ...StageStep<Form>[]];
  /** Throws a FlashError where the form cannot do: the node shows it, and refuses every message with it. */
  readForm(form: Values): Form;
  /** The index of the output of a result; default 0, never that of progress. */
  readonly outputOf?: (outcome: StageOutcome) => number;
  /** Whether it waits for devices without a message. */
  awaitsDevices?(form: Form): boolean;
  /** The images that are fetched and examined behind a deploy; undefined where no form names any. */
  readonly prefetched?: (form: Form) => FirmwareSources | undefined;
  /** The stage with which a message starts; default the first. Throws a FlashError if that is impossible. */
  readonly startOf?: (given: StageGiven<Form>) => StageName;
  /** The precondition of a message's first stage; see StageRequest. */
  readonly check?: (
    given: StageGiven<Form> & { readonly stage: StageName; readonly signal: AbortSignal },
  ) => Promise<void>;
}

/** See StageNode.begin. */
interface Beginning {
  readonly pendingId?: string;
  readonly job?: Job | undefined;
  readonly isStart?: boolean;
}

/**
 * A node that runs one stage of a flash, or several one after another. A run outlives the instance: the next one
 * takes it over.
 */
export class StageNode<Form> extends RunNode {
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
    this.serve({
      take: (held) => this.take(held),
      cancel: (said) => this.host.flashHost.runs.cancel(node.id, said.deviceId()),
      refused: (message, error) => this.runs.refused(message, error),
      awaitsDevices: () => this.readable !== undefined && (options.awaitsDevices?.(this.readable) ?? false),
      closed: (removed) => this.detach(removed),
    });
    this.flashHost?.on('state', this.showHost);
    if (this.flashHost) this.showHost();
    else this.start(() => this.host);
    this.attach();
    whenFlowsRun(RED, node, () => this.flashHost && this.prefetch(this.flashHost));
  }

  /** The form, where it and the host's can be read. */
  get readable(): Form | undefined {
    return this.hostNode?.problem || problemOf(() => this.form()) ? undefined : this.form();
  }

  get flashHost(): FlashHost | undefined {
    return this.hostNode?.flashHost;
  }

  /** Starts the stage for a device that connected without a message. */
  startForDevice(message: Message): void {
    this.begin(this.options.steps[0], new MessageValues(message));
  }

  private attach(): void {
    this.join(
      {
        progress: (report, snapshot: () => JobSnapshot, pending) => {
          const about = (): ProgressOf => {
            const job = translateJob(this.RED, snapshot());
            return { deviceid: job.deviceid, sonota: job };
          };
          this.showProgress(report, about, pending);
        },
        result: (outcome: StageOutcome, pending) => this.reached(outcome, pending),
      },
      (left) => this.resume(this.host.flashHost, left),
    );
  }

  private prefetch(host: FlashHost): void {
    const { RED, node, status, closing } = this;
    const sources = attempt(() => this.readable && this.options.prefetched?.(this.readable));
    if (!sources) return;
    const isBusy = (): boolean => host.runs.isIn(node.id);
    prefetchFirmware(RED, node, { host, sources, status, isBusy, signal: closing.signal });
  }

  /** Continues a message that this node held when Node-RED ended. */
  private resume(host: FlashHost, { pending, record }: LeftMessage): void {
    const job = record.jobId === undefined ? undefined : host.jobs.byId(record.jobId);
    const deviceid = job?.deviceid ?? record.deviceid;
    const message = deviceid === undefined ? pending.message : { ...pending.message, deviceid };
    const how = { pendingId: pending.id, job, isStart: record.jobId === undefined };
    this.begin(this.stepOf(pending.stage), new MessageValues(message), how);
  }

  /** The new instance of this node takes over what runs. */
  private detach(removed: boolean): void {
    this.closing.abort();
    this.flashHost?.off('state', this.showHost);
    this.leave(removed);
  }

  private take(held: Held): void {
    const { said } = held;
    this.keep(this.begin(this.stepOf(this.startOf(said)), said, { isStart: true }), held);
  }

  /** @throws FlashError `host-missing`, or what in the form of the host or of this node cannot be read */
  given(said: MessageValues): StageGiven<Form> {
    return { host: this.host, form: this.form(), said };
  }

  private startOf(said: MessageValues): StageName {
    const { startOf, steps } = this.options;
    return startOf?.(this.given(said)) ?? steps[0].stage;
  }

  private stepOf(stage: TaskName | undefined): StageStep<Form> {
    const { steps } = this.options;
    return steps.find((step) => step.stage === stage) ?? steps[0];
  }

  /**
   * @param how `isStart`: the message starts here, and has no job yet; `pendingId` and `job` where an earlier run of
   *   Node-RED took the message, and had perhaps started the job
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
      line: oneAtATime ? stage : undefined,
      pendingId: how.pendingId,
      ...(how.isStart && check ? { check: (signal) => check({ ...given, stage, signal }) } : {}),
      findJob: () => (how.job?.isOpen ? how.job : made.findJob()),
      run: async (context) => {
        // A port that was in use is tried again with every message.
        await flashHost.open();
        return made.run(context);
      },
    });
  }

  /** A stage has ended well. */
  private reached(outcome: StageOutcome, pending: PendingMessage): void {
    const found = translateFound(this.RED, outcome.found);
    const message = resultMessage({ found, job: translateJob(this.RED, outcome.job) }, pending);
    try {
      if (this.enterNextStage(message, outcome, pending)) return;
    } catch (thrown) {
      return this.fail(asFlashError(thrown), pending);
    }
    const output = this.options.outputOf?.(outcome) ?? 0;
    if (this.isDeadEnd(outcome, output)) this.warnOfDeadEnd(outcome, output);
    else this.status.done();
    this.through(pending, output === 0 ? [message, null] : [...Array<null>(output).fill(null), message]);
  }

  /** @returns whether the message has entered the stage that follows on its last one */
  private enterNextStage(message: Message, { job }: StageOutcome, pending: PendingMessage): boolean {
    const next = nextStage(this.stepOf(pending.stage).stage, job);
    const step = this.options.steps.find(({ stage }) => stage === next);
    if (!step) return false;
    this.handOn(pending, this.begin(step, new MessageValues(message)));
    return true;
  }

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

  private form(): Form {
    return this.options.readForm(Values.ofForm(this.config, this.node.credentials));
  }

  private readonly showHost = (): void => {
    const trouble = this.hostNode?.problem ?? this.flashHost?.trouble ?? problemOf(() => this.form());
    if (trouble) this.status.failed(trouble.code);
    // That a host starts or stops listening is no reason to remove the status of the last message.
    else if (this.showsTrouble && !this.holdsMessages) this.status.idle();
    this.showsTrouble = trouble !== undefined;
  };
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
