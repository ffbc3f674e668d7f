import { FlashError } from '../../lib/errors';
import {
  kept,
  DiscoveryPublisher,
  Neighbours,
  onlineWord,
  Topics,
  type Command,
  type EntityNames,
  type MqttMessage,
  type Phrase,
  type StateNames,
  type TopicSettings,
  type Snapshot,
} from '../../lib/home-assistant';
import { BrokerContact } from './broker-contact';
import type { Sentences } from './failure-watch';
import { OwnPlace, topicsOf } from './own-place';
import type { NodePublications, Publications } from './publications';
import { covers, type Wiring } from './wiring';
import { atRest } from './snapshot-view';

/** Changes are published at most this often; a transfer has hundreds a second. */
const LOOK_MS = 250;
/** All instances receive Home Assistant's start at the same time; their answers are spread. */
const ANNOUNCE_WITHIN_MS = 1000;
/** A connect is noticed twice: by retained messages and by the birth message. */
const SETTLE_MS = 100;
/** Where the configs at the broker do not arrive by then, nothing is known of them. */
const CONFIGS_LIMIT_MS = 5000;

export interface BrokerLinkParts {
  readonly topics: TopicSettings;
  readonly names: EntityNames;
  readonly states: StateNames;
  readonly phrase: Phrase;
  readonly sentences: Sentences;
  /** Of this package. */
  readonly version: string;
  /** The publications of this node, and of all nodes. */
  readonly own: NodePublications;
  readonly publications: Publications;
  readonly wiring: Wiring;
}

/** What it needs of the node. */
export interface BrokerLinkHooks {
  world(): Snapshot;
  publish(message: MqttMessage): void;
  /** A person has deleted the device of a config in Home Assistant. */
  deleted(config: string): void;
  contact(contact: BrokerState): void;
  failed(error: unknown): void;
}

export interface BrokerState {
  readonly isReached: boolean;
  /** A topic to which no `mqtt in` is subscribed. */
  readonly missing: string | undefined;
  /** Whether the node does not work without that one. */
  readonly isMissed: boolean;
  /** Another instance under the same topics. */
  readonly other: FlashError | undefined;
}

/** Messages under topics that are no commands. */
type Heard = Extract<Command, { kind: 'heard' | 'config' | 'configs-heard' | 'home-assistant-online' }>;

/** State topics that this process has published a running flash under: a deploy need not contradict it. */
const publishedByThisProcess = new Set<string>();

/** Publishes for a node: everything whenever it may be lost, changes in between. */
export class BrokerLink {
  topics: Topics;
  private mirror: DiscoveryPublisher;
  private readonly place: OwnPlace;
  private readonly neighbours: Neighbours;
  private readonly contact: BrokerContact;
  private readonly instance: string;
  private lookTimer: NodeJS.Timeout | undefined;
  private announceTimer: NodeJS.Timeout | undefined;
  private isReached = false;
  private isStopped = false;
  private hasAnnounced = false;
  /** Whether the configs at the broker are still to come. */
  private awaitsConfigs = false;
  /** Publishing keeps this order. */
  private telling = Promise.resolve();

  constructor(
    private readonly parts: BrokerLinkParts,
    private readonly hooks: BrokerLinkHooks,
  ) {
    const { own, publications, wiring, topics } = parts;
    this.instance = own.instance;
    this.place = new OwnPlace(own, publications, wiring, topics);
    this.topics = new Topics(topics, this.place.isTaken ? own.instance : '');
    this.mirror = this.newMirror();
    this.neighbours = new Neighbours(own.instance, (instance) => publications.isGone(instance));
    this.contact = new BrokerContact({
      knock: () => this.publishOnline(),
      opened: () => this.reached(true),
      lost: () => this.reached(false),
    });
  }

  start(): void {
    this.mirror.knows(this.hooks.world());
    // Knocking is publishing already.
    void this.place.add([{ states: [this.topics.status] }]);
    this.showContact();
    this.contact.start();
  }

  /** @param removed the node is deleted: its entities are removed, as far as the flow still can */
  async stop(removed: boolean): Promise<void> {
    this.isStopped = true;
    this.contact.stop();
    clearTimeout(this.lookTimer);
    clearTimeout(this.announceTimer);
    if (removed) this.hooks.publish(kept(this.topics.status, 'offline'));
    await this.parts.own.settled();
  }

  /** @param isKept whether the broker had kept the message */
  take(heard: Heard, isKept: boolean): void {
    switch (heard.kind) {
      case 'heard':
        return this.statusHeard(heard, isKept);
      case 'config':
        return this.configHeard(heard);
      case 'configs-heard':
        return heard.instance === this.instance ? this.configsHeard(true) : undefined;
      case 'home-assistant-online':
        return this.announceSoon(Math.random() * ANNOUNCE_WITHIN_MS);
    }
  }

  /** Publishes the changes in a moment. */
  lookSoon(): void {
    this.lookTimer ??= setTimeout(() => {
      this.lookTimer = undefined;
      // Anything published before the broker is reached is lost; `announce` publishes it then.
      if (!this.hasAnnounced) return;
      const { mirror } = this;
      this.tell(false, (snapshot) => mirror.changes(snapshot));
      this.showContact();
    }, LOOK_MS).unref();
  }

  /** Tells why what was asked for is not done. @param deviceid undefined = of the flasher */
  refuse(deviceid: string | undefined, error: FlashError): void {
    const { remedy, text } = this.textsOf(error);
    this.publish(this.mirror.refused(deviceid, { code: error.code, text, remedy }));
  }

  private statusHeard({ says, instance }: Extract<Heard, { kind: 'heard' }>, isKept: boolean): void {
    if (says === 'offline') {
      this.neighbours.mayBeGone();
      this.publishOnline();
    }
    const isOwn = instance === this.instance;
    if (instance !== undefined && !isOwn && this.neighbours.markPresent(instance)) this.metOther(instance);
    const isBirth = says === 'online' && instance === undefined;
    this.contact.heard(isKept ? 'kept' : isBirth ? 'birth' : isOwn ? 'echo' : 'other');
  }

  /**
   * The second instance gives way: the entities of the first keep their ids. Where configs are heard they show which one
   * was first, so that of two that start at the same time only the one with the greater id is the second.
   */
  private metOther(other: string): void {
    const { filters = [] } = this.parts.wiring;
    const mayBeFirst = hears(filters, this.topics.allConfigs) && this.instance < other;
    if (!mayBeFirst && !this.place.has(this.topics.flasher.config)) this.giveWay();
    this.showContact();
    this.lookSoon();
  }

  private configHeard({ topic, owner, isCleared }: Extract<Heard, { kind: 'config' }>): void {
    if (isCleared) {
      this.neighbours.removed(topic);
      if (this.mirror.wasRemoved(topic)) this.deleted(topic);
      return;
    }
    const isOwn = owner === this.instance;
    // The late echo of one that we have given up: the other instance announces it again, and it must not be cleared.
    if (isOwn && this.neighbours.foreignOwner(topic) !== undefined && !this.isOurs(topic)) return;
    this.neighbours.announced(topic, owner);
    if (isOwn) this.place.arrived(topic);
    const other = this.neighbours.foreignOwner(topic);
    if (other !== undefined && this.isOurs(topic)) this.contested(topic, other);
  }

  private isOurs(topic: string): boolean {
    return this.mirror.groups(this.hooks.world()).some(({ config }) => config === topic);
  }

  /** Two instances that started at the same time: one stays, whichever notices first. */
  private contested(config: string, other: string): void {
    if (!this.place.has(config) || this.instance > other) this.giveWay();
    else this.announceSoon(SETTLE_MS);
  }

  /** Another instance has the usual ids: from now on ours have a suffix. */
  private giveWay(): void {
    if (this.topics.suffix !== '') return;
    this.topics = new Topics(this.parts.topics, this.instance);
    this.mirror = this.newMirror();
    this.mirror.knows(this.hooks.world());
    this.place.take();
    this.announceSoon(SETTLE_MS);
  }

  /** Every config that the broker retains has come in, or not within the limit. */
  private configsHeard(isComplete: boolean): void {
    if (!this.awaitsConfigs) return;
    this.awaitsConfigs = false;
    if (isComplete) for (const config of this.place.missingAt(this.neighbours)) this.deleted(config);
    this.announceSoon(SETTLE_MS);
  }

  private deleted(config: string): void {
    this.mirror.deletedThere(config);
    this.place.lost(config);
    this.hooks.deleted(config);
    this.lookSoon();
  }

  private reached(isReached: boolean): void {
    this.isReached = isReached;
    this.showContact();
    if (!isReached) return;
    const { filters } = this.parts.wiring;
    this.awaitsConfigs = filters === undefined || hears(filters, this.topics.allConfigs);
    if (!this.awaitsConfigs) return this.announceSoon(SETTLE_MS);
    this.neighbours.forgetConfigs();
    this.hooks.publish({ topic: this.topics.knock, payload: this.instance, qos: 1, retain: false });
    this.later(CONFIGS_LIMIT_MS, () => this.configsHeard(false));
  }

  private announceSoon(afterMs: number): void {
    // While configs are awaited, `configsHeard` announces later.
    if (!this.awaitsConfigs) this.later(afterMs, () => this.announce());
  }

  private later(afterMs: number, act: () => void): void {
    clearTimeout(this.announceTimer);
    this.announceTimer = setTimeout(act, afterMs).unref();
  }

  /** Everything: the broker, or Home Assistant, may have lost it. */
  private announce(): void {
    if (!this.isReached) return;
    const { mirror, neighbours } = this;
    const key = this.topics.flasher.state;
    this.publishOnline();
    this.tell(true, (snapshot) => {
      // The retained state of an earlier run may be a running flash: that is ended before this run publishes its own.
      const all = publishedByThisProcess.has(key) ? mirror.everything(snapshot) : mirror.first(atRest(snapshot));
      publishedByThisProcess.add(key);
      const said = [...all, ...mirror.changes(snapshot)];
      const wanted = [...mirror.groups(snapshot).flatMap(topicsOf), ...said.map(({ topic }) => topic)];
      return [...this.place.clean(new Set(wanted), neighbours), ...said];
    });
    this.hasAnnounced = true;
    this.showContact();
  }

  /**
   * A topic is on disk before it is published with retain: a crash leaves nothing at the broker that is not known here.
   * @param isAll whether the messages also remove everything that is not ours any more
   */
  private tell(isAll: boolean, messagesOf: (snapshot: Snapshot) => readonly MqttMessage[]): void {
    const { mirror } = this;
    this.inOrder(async () => {
      const snapshot = this.world();
      const groups = mirror.groups(snapshot);
      await this.place.add(groups);
      // It has given way meanwhile.
      if (this.isStopped || mirror !== this.mirror) return;
      const messages = messagesOf(snapshot);
      this.publish(messages);
      if (!this.isReached) return;
      await (isAll ? this.place.replace(groups) : this.place.removed(messages));
    });
  }

  private inOrder(act: () => void | Promise<void>): void {
    this.telling = this.telling.then(act).catch((error: unknown) => this.hooks.failed(error));
  }

  private publish(messages: readonly MqttMessage[]): void {
    if (this.isStopped) return;
    for (const message of messages) this.hooks.publish(message);
  }

  private publishOnline(): void {
    this.hooks.publish(kept(this.topics.status, onlineWord(this.instance)));
  }

  private world(): Snapshot {
    const snapshot = this.hooks.world();
    const { other } = this;
    if (snapshot.trouble || !other) return snapshot;
    return { ...snapshot, trouble: { code: other.code, text: this.textsOf(other).text } };
  }

  private get other(): FlashError | undefined {
    const { one } = this.neighbours;
    return one === undefined ? undefined : new FlashError('topic-shared', { instance: one, topic: this.topics.status });
  }

  private textsOf(error: FlashError): { readonly text: string; readonly remedy: string } {
    const { what, remedy } = this.parts.sentences(error);
    return { text: `${what} ${remedy}`, remedy };
  }

  private newMirror(): DiscoveryPublisher {
    const { names, states, phrase, version } = this.parts;
    return new DiscoveryPublisher({ topics: this.topics, instance: this.instance, names, states, phrase, version });
  }

  private showContact(): void {
    const { isReached, other } = this;
    const { filters } = this.parts.wiring;
    const { allCommands, status, homeAssistant, allConfigs } = this.topics;
    // If no `mqtt in` is wired and messages come in all the same, a client of another kind receives the rest as well.
    const isOtherClient = isReached && filters?.length === 0;
    const needed = filters === undefined || isOtherClient ? [] : [status, allCommands, homeAssistant, allConfigs];
    const missing = needed.find((topic) => !hears(filters ?? [], topic));
    const isMissed = missing !== undefined && missing !== allConfigs;
    this.hooks.contact({ isReached, missing, isMissed, other });
  }
}

function hears(filters: readonly string[], topic: string): boolean {
  return filters.some((filter) => covers(filter, topic));
}
