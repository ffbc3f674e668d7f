import type { FlashHost } from '../../lib/flash/host/host';
import type { StageName } from '../../lib/flash/stages';
import { asFlashError, FlashError } from '../../lib/errors';
import {
  Arming,
  readCommand,
  type Clock,
  type Command,
  type Incoming,
  type MqttMessage,
} from '../../lib/home-assistant';
import { BrokerLink, type BrokerLinkParts, type BrokerState } from './broker-link';
import { cancelFlashes } from './cancel';
import type { ChosenImage } from './chosen-image';
import type { DeviceMemory } from './device-memory';
import type { FirmwareList } from './firmware-list';
import type { ReportText } from './job-reports';
import { WorldView, type ShownParts } from './snapshot-view';

/** Starts a flash somewhere else in the flow. */
export interface FlashRequest {
  /** The stage to start with. */
  readonly topic: StageName;
  readonly deviceid?: string;
  /** Id of the firmware node that was chosen. */
  readonly firmware?: string;
}

export interface LinkOutlet {
  publish(message: MqttMessage): void;
  flash(request: FlashRequest): void;
  failed(error: unknown): void;
  /** @param devices how many Home Assistant knows of */
  contact(state: BrokerState, devices: number): void;
}

export interface LinkParts extends BrokerLinkParts {
  readonly host: FlashHost;
  readonly memory: DeviceMemory;
  readonly firmware: FirmwareList;
  readonly clock: Clock;
  /** @param onNews called when more is known of an image */
  readonly images: (onNews: () => void) => Pick<ChosenImage, 'of' | 'look'>;
  readonly reportText: ReportText;
  readonly translated: ShownParts['translated'];
  readonly inSight: ShownParts['inSight'];
}

/** One host in Home Assistant: tells what is new, and does what is asked. */
export class HomeAssistantLink {
  private readonly broker: BrokerLink;
  private readonly view: WorldView;
  private readonly arming: Arming;
  private readonly images: Pick<ChosenImage, 'of' | 'look'>;
  /** Seen in their own access points, and not asked for since. */
  private readonly inReach = new Set<string>();

  constructor(
    private readonly parts: LinkParts,
    private readonly outlet: LinkOutlet,
  ) {
    const { host, memory, firmware, sentences, reportText, translated, inSight } = parts;
    this.broker = new BrokerLink(parts, {
      world: () => this.view.world(),
      publish: (message) => outlet.publish(message),
      contact: (state) => outlet.contact(state, memory.all().length),
      failed: (error) => outlet.failed(error),
      deleted: (config) => this.deleted(config),
    });
    const onNews = (): void => this.broker.lookSoon();
    this.arming = new Arming(parts.clock, onNews);
    this.images = parts.images(onNews);
    const { images, arming } = this;
    const shown = { memory, firmware, images, arming, sentences, reportText, translated, inSight };
    this.view = new WorldView(host, shown, onNews);
  }

  start(): void {
    this.broker.start();
    this.images.look(this.parts.firmware.chosenId);
  }

  /** @param removed the node goes for good */
  async stop(removed: boolean): Promise<void> {
    this.view.stop();
    this.arming.stop();
    await this.broker.stop(removed);
    await this.parts.memory.settled();
  }

  /**
   * @returns what it was taken for
   * @throws FlashError `not-armed`, `cancel-nothing`, `cancel-too-late`, after the event was published
   */
  take(incoming: Incoming): Command {
    const devices = this.parts.memory.all().map(({ deviceid }) => deviceid);
    const command = readCommand(this.broker.topics, incoming, devices);
    this.obey(command, incoming.retain === true);
    return command;
  }

  private obey(command: Command, isKept: boolean): void {
    const { host, memory, firmware } = this.parts;
    if (isPersons(command) && memory.isFlasherRemoved) {
      memory.showFlasher();
      this.broker.lookSoon();
    }
    switch (command.kind) {
      case 'heard':
      case 'config':
      case 'configs-heard':
      case 'home-assistant-online':
        return this.broker.take(command, isKept);
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
      case 'restore':
        memory.restoreAll();
        return this.broker.lookSoon();
      case 'firmware':
        if (firmware.has(command.name)) memory.choose(command.name);
        this.images.look(firmware.chosenId);
        return this.broker.lookSoon();
      case 'install':
        return this.installArmed(command.deviceid);
      case 'arm':
        return this.arm(command.deviceid, command.isOn);
      case 'cancel':
        return this.orRefuse(command.deviceid, () => cancelFlashes(host, command.deviceid));
      case 'remove':
        if (!host.jobs.openJob(command.deviceid)?.running) memory.remove(command.deviceid);
        return this.broker.lookSoon();
      case 'in-reach':
        return this.found(command.devices);
      case 'ignored':
    }
  }

  /** A device in work comes back. */
  private deleted(config: string): void {
    const { memory, host } = this.parts;
    const { topics } = this.broker;
    if (config === topics.flasher.config) return memory.removeFlasher();
    const device = memory.all().find(({ deviceid }) => topics.device(deviceid).config === config);
    if (device && !host.jobs.openJob(device.deviceid)?.running) memory.remove(device.deviceid);
  }

  /** Earlier sightings are as old as that look. */
  private found(deviceids: readonly string[]): void {
    this.inReach.clear();
    for (const deviceid of deviceids) {
      this.inReach.add(deviceid);
      this.parts.memory.saw({ deviceid });
    }
    this.broker.lookSoon();
  }

  /** The button resumes a queue that is paused. */
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
    this.broker.lookSoon();
  }

  /**
   * There is no way back from a flash, and one press installs every update that is offered: so a person releases each
   * device before.
   */
  private installArmed(deviceid: string): void {
    this.orRefuse(deviceid, () => {
      if (!this.arming.consume(deviceid)) throw new FlashError('not-armed', { deviceid });
      this.install(deviceid);
      this.broker.lookSoon();
    });
  }

  /** Tells Home Assistant why what was asked for is not done, before it throws that. */
  private orRefuse(deviceid: string | undefined, act: () => void): void {
    try {
      act();
    } catch (thrown) {
      const error = asFlashError(thrown);
      this.broker.refuse(deviceid, error);
      throw error;
    }
  }

  /** A device in work is not started again. */
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
    const hasDialled = memory.get(deviceid)?.romVersion !== undefined;
    return hasDialled ? 'cloud' : 'provision';
  }

  /** Retries the failed entries of the queue; without a queue each device whose last flash failed. */
  private retry(): void {
    const { queue } = this.parts.host;
    if (queue.snapshot().failed > 0) return queue.retryFailed();
    for (const { deviceid, failure } of this.parts.memory.all()) if (failure) this.install(deviceid);
  }

  private request(request: FlashRequest): void {
    const { chosenId } = this.parts.firmware;
    this.outlet.flash(chosenId === undefined ? request : { ...request, firmware: chosenId });
  }
}

/** Whether a person, or an automation, wants something of the flasher. */
function isPersons({ kind }: Command): boolean {
  return !['heard', 'config', 'configs-heard', 'home-assistant-online', 'in-reach', 'ignored'].includes(kind);
}
