import type { FlashHost } from '../../lib/flash/host/host';
import type { StageName } from '../../lib/flash/routes/stages';
import { asFlashError, FlashError } from '../../lib/errors';
import {
  Arming,
  kept,
  Mirror,
  readCommand,
  Topics,
  type Clock,
  type Command,
  type EntityNames,
  type Incoming,
  type MqttMessage,
  type Phrase,
  type TopicSettings,
} from '../../lib/home-assistant';
import { BrokerContact } from './broker-contact';
import { cancelFlashes } from './cancel';
import type { ChosenImage } from './chosen-image';
import type { DeviceMemory } from './device-memory';
import type { Sentences } from './failure-watch';
import type { FirmwareList } from './firmware-list';
import type { ReportText } from './job-reports';
import { atRest, WorldView } from './world-view';

/** News of one look; a transfer has hundreds a second. */
const LOOK_MS = 250;
/** Home Assistant's start is heard by everybody at once; who answers does not do so in the same moment. */
const ANNOUNCE_WITHIN_MS = 2000;
/** A connect is told twice: by what the broker has kept and by the birth message. */
const SETTLE_MS = 100;

/** Starts a flash somewhere else in the flow. */
export interface FlashRequest {
  /** With which stage it is to begin. */
  readonly topic: StageName;
  readonly deviceid?: string;
  /** Id of the firmware node that was chosen. */
  readonly firmware?: string;
}

export interface LinkOutlet {
  publish(message: MqttMessage): void;
  flash(request: FlashRequest): void;
  /** Whether the broker is reached, and how many devices Home Assistant knows of. */
  contact(isReached: boolean, devices: number): void;
}

export interface LinkParts {
  readonly host: FlashHost;
  readonly memory: DeviceMemory;
  readonly firmware: FirmwareList;
  readonly clock: Clock;
  /** @param onNews called when more is known of an image */
  readonly images: (onNews: () => void) => Pick<ChosenImage, 'of' | 'look'>;
  readonly topics: TopicSettings;
  readonly names: EntityNames;
  readonly phrase: Phrase;
  readonly sentences: Sentences;
  readonly reportText: ReportText;
  readonly version: string;
}

/** Status topics under which this process has told what goes on: a deploy need not contradict it. */
const toldByThisProcess = new Set<string>();

/** One host in Home Assistant: tells what is new, and does what is asked. */
export class HomeAssistantLink {
  private readonly topics: Topics;
  private readonly mirror: Mirror;
  private readonly view: WorldView;
  private readonly contact: BrokerContact;
  private readonly arming: Arming;
  private readonly images: Pick<ChosenImage, 'of' | 'look'>;
  private lookTimer: NodeJS.Timeout | undefined;
  private announceTimer: NodeJS.Timeout | undefined;
  private isReached = false;
  /** Seen in their own access points, and not asked for since. */
  private readonly inReach = new Set<string>();
  private hasAnnounced = false;

  constructor(
    private readonly parts: LinkParts,
    private readonly outlet: LinkOutlet,
  ) {
    const { host, memory, firmware, topics, names, phrase, version } = parts;
    this.topics = new Topics(topics);
    this.mirror = new Mirror({ topics: this.topics, names, phrase, version });
    this.arming = new Arming(parts.clock, () => this.lookSoon());
    this.images = parts.images(() => this.lookSoon());
    const shown = {
      memory,
      firmware,
      images: this.images,
      arming: this.arming,
      sentences: parts.sentences,
      reportText: parts.reportText,
    };
    this.view = new WorldView(host, shown, () => this.lookSoon());
    this.contact = new BrokerContact({
      knock: () => this.sayOnline(),
      opened: () => this.reached(true),
      lost: () => this.reached(false),
    });
  }

  start(): void {
    this.mirror.knows(this.view.world());
    this.images.look(this.parts.firmware.chosenId);
    this.showContact();
    this.contact.start();
  }

  /** @param removed the node goes for good: Home Assistant is told, as far as the flow still can */
  async stop(removed: boolean): Promise<void> {
    this.view.stop();
    this.contact.stop();
    this.arming.stop();
    clearTimeout(this.lookTimer);
    clearTimeout(this.announceTimer);
    if (removed) this.outlet.publish(kept(this.topics.status, 'offline'));
    await this.parts.memory.settled();
  }

  /**
   * @returns what it was taken for
   * @throws FlashError `not-armed`, `cancel-nothing`, `cancel-too-late`, after Home Assistant was told
   */
  take(incoming: Incoming): Command {
    const devices = this.parts.memory.all().map(({ deviceid }) => deviceid);
    const command = readCommand(this.topics, incoming, devices);
    this.obey(command, incoming.retain === true);
    return command;
  }

  private obey(command: Command, isKept: boolean): void {
    const { host, memory, firmware } = this.parts;
    switch (command.kind) {
      case 'heard':
        if (command.says === 'offline') this.sayOnline();
        return this.contact.heard(isKept);
      case 'home-assistant-online':
        return this.announceSoon(Math.random() * ANNOUNCE_WITHIN_MS);
      case 'start':
        return this.startNew(command.count);
      case 'start-device':
        return this.install(command.deviceid);
      case 'start-all':
        for (const { deviceid, installed } of memory.all()) if (installed === undefined) this.install(deviceid);
        return;
      case 'pause':
        return host.queue.pause();
      case 'retry':
        return this.retry();
      case 'firmware':
        if (firmware.has(command.name)) memory.choose(command.name);
        this.images.look(firmware.chosenId);
        return this.lookSoon();
      case 'install':
        return this.installArmed(command.deviceid);
      case 'arm':
        return this.arm(command.deviceid, command.isOn);
      case 'cancel':
        return this.orRefuse(command.deviceid, () => cancelFlashes(host, command.deviceid));
      case 'remove':
        if (!host.jobs.openJob(command.deviceid)?.running) memory.remove(command.deviceid);
        return this.lookSoon();
      case 'in-reach':
        return this.found(command.devices);
      case 'ignored':
    }
  }

  /** What was seen before is as old as that look. */
  private found(deviceids: readonly string[]): void {
    this.inReach.clear();
    for (const deviceid of deviceids) {
      this.inReach.add(deviceid);
      this.parts.memory.saw({ deviceid });
    }
    this.lookSoon();
  }

  /** The button of a queue that is held lets it go on. */
  private startNew(count: number): void {
    const { queue } = this.parts.host;
    if (count === 1 && queue.snapshot().state === 'paused') return queue.resume();
    for (let begun = 0; begun < count; begun += 1) this.request({ topic: 'provision' });
  }

  private arm(deviceid: string | undefined, isOn: boolean): void {
    if (deviceid === undefined) {
      if (isOn) this.arming.armAll();
      else this.arming.disarmAll();
    } else if (isOn) this.arming.arm(deviceid);
    else this.arming.disarm(deviceid);
    if (isOn) this.images.look(this.parts.firmware.chosenId);
    this.lookSoon();
  }

  /**
   * There is no way back from a flash, and one press installs every update that is offered: so a person releases each
   * device before.
   */
  private installArmed(deviceid: string): void {
    this.orRefuse(deviceid, () => {
      if (!this.arming.consume(deviceid)) throw new FlashError('not-armed', { deviceid });
      this.install(deviceid);
      this.lookSoon();
    });
  }

  /** Tells Home Assistant why what was asked for is not done, before it throws that. */
  private orRefuse(deviceid: string | undefined, act: () => void): void {
    try {
      act();
    } catch (thrown) {
      const error = asFlashError(thrown);
      const { what, remedy } = this.parts.sentences(error);
      this.publish(this.mirror.refused(deviceid, { code: error.code, text: `${what} ${remedy}`, remedy }));
      throw error;
    }
  }

  /** A device in work is not begun again. */
  private install(deviceid: string): void {
    if (this.parts.host.jobs.openJob(deviceid)?.running) return;
    this.request({ topic: this.stageToBegin(deviceid), deviceid });
  }

  /**
   * One in FinalStage never dials the cloud again; one that has dialled once needs no access point, unless it shows it
   * again: somebody has held its button.
   */
  private stageToBegin(deviceid: string): StageName {
    const { host, memory } = this.parts;
    const job = host.jobs.latest(deviceid);
    const isConnected = host.devices.get(deviceid) !== undefined;
    if (this.inReach.delete(deviceid) && !isConnected) return 'provision';
    if (!isConnected && job?.stage !== 'done' && job?.lastStage === 'finalstage') return 'finalstage';
    const hasDialled = memory.all().some((device) => device.deviceid === deviceid && device.romVersion !== undefined);
    return hasDialled ? 'cloud' : 'provision';
  }

  /** What has failed in the queue; without a queue each device whose last flash failed. */
  private retry(): void {
    const { queue } = this.parts.host;
    if (queue.snapshot().failed > 0) return queue.retryFailed();
    for (const { deviceid, failure } of this.parts.memory.all()) if (failure) this.install(deviceid);
  }

  private request(request: FlashRequest): void {
    const { chosenId } = this.parts.firmware;
    this.outlet.flash(chosenId === undefined ? request : { ...request, firmware: chosenId });
  }

  private sayOnline(): void {
    this.outlet.publish(kept(this.topics.status, 'online'));
  }

  private reached(isReached: boolean): void {
    this.isReached = isReached;
    this.showContact();
    if (isReached) this.announceSoon(SETTLE_MS);
  }

  private announceSoon(afterMs: number): void {
    clearTimeout(this.announceTimer);
    this.announceTimer = setTimeout(() => this.announce(), afterMs).unref();
  }

  private announce(): void {
    if (!this.isReached) return;
    const world = this.view.world();
    // What an earlier run said last may be that a flash goes on: that ends before anything is said of this run.
    if (!toldByThisProcess.has(this.topics.status)) this.publish(this.mirror.first(atRest(world)));
    else this.publish(this.mirror.everything(world));
    this.publish(this.mirror.news(world));
    this.hasAnnounced = true;
    toldByThisProcess.add(this.topics.status);
    this.showContact();
  }

  private lookSoon(): void {
    this.lookTimer ??= setTimeout(() => {
      this.lookTimer = undefined;
      // Before the broker is reached everything said is lost; it is said when it is.
      if (!this.hasAnnounced) return;
      this.publish(this.mirror.news(this.view.world()));
      this.showContact();
    }, LOOK_MS).unref();
  }

  private publish(messages: readonly MqttMessage[]): void {
    for (const message of messages) this.outlet.publish(message);
  }

  private showContact(): void {
    this.outlet.contact(this.isReached, this.parts.memory.all().length);
  }
}
