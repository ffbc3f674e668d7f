import {
  kept,
  type MqttMessage,
  type Neighbours,
  type PublishedGroup,
  type TopicSettings,
} from '../../lib/home-assistant';
import type { NodePublications, Place, Publications } from './publications';
import type { Wiring } from './wiring';

/** The topics of a node at the broker that it is wired to. They are on disk before they are published. */
export class OwnPlace {
  private readonly usualNames: string;

  constructor(
    private readonly own: NodePublications,
    private readonly publications: Publications,
    private readonly wiring: Wiring,
    { prefix, base }: TopicSettings,
  ) {
    this.usualNames = `${prefix} ${base}`;
  }

  /** Whether another instance was first under these names. */
  get isTaken(): boolean {
    return this.place.taken === this.usualNames;
  }

  take(): void {
    void this.own.set({ ...this.place, taken: this.usualNames });
  }

  has(config: string): boolean {
    return this.place.groups.some((group) => group.config === config);
  }

  /** Resolves when it is on disk what is to be published. */
  async add(groups: readonly PublishedGroup[]): Promise<void> {
    const { place } = this;
    const known = new Set(place.groups.map((group) => JSON.stringify(group)));
    const added = groups.filter((group) => !known.has(JSON.stringify(group)));
    await this.own.set({ ...place, outlets: this.wiring.outlets, groups: [...place.groups, ...added] });
  }

  /** These are all that there are now. */
  async replace(groups: readonly PublishedGroup[]): Promise<void> {
    const arrived = this.place.arrived?.filter((config) => groups.some((group) => group.config === config));
    await this.own.set({ ...this.place, groups, arrived });
  }

  /** The topics that these messages have removed are gone. */
  async removed(messages: readonly MqttMessage[]): Promise<void> {
    const removed = new Set(messages.filter(({ payload }) => payload === '').map(({ topic }) => topic));
    await this.replace(this.place.groups.filter((group) => !topicsOf(group).every((topic) => removed.has(topic))));
  }

  /** A config has come back from the broker. */
  arrived(config: string): void {
    const { arrived = [] } = this.place;
    if (!this.has(config) || arrived.includes(config)) return;
    void this.own.set({ ...this.place, arrived: [...arrived, config] });
  }

  /** Others have removed a config. */
  lost(config: string): void {
    const groups = this.place.groups.map((group) => (group.config === config ? { states: group.states } : group));
    void this.replace(groups);
  }

  /** Configs that were at the broker and are not now; none where it has lost all of them. */
  missingAt(broker: Neighbours): string[] {
    const { arrived = [] } = this.place;
    return arrived.some((config) => broker.has(config)) ? arrived.filter((config) => !broker.has(config)) : [];
  }

  /**
   * Removes what this node, or one of this Node-RED that is gone, has left at this broker.
   * @param wanted topics that are in use
   */
  clean(wanted: ReadonlySet<string>, neighbours: Neighbours): MqttMessage[] {
    const ofOthers = this.publications
      .leftovers()
      .filter(({ broker }) => broker !== '' && broker === this.wiring.broker);
    const groups = [...this.place.groups, ...ofOthers.flatMap((leftover) => leftover.groups)];
    for (const leftover of ofOthers) leftover.drop();
    const left = groups.filter(({ config }) => config === undefined || neighbours.foreignOwner(config) === undefined);
    const topics = new Set(left.flatMap(topicsOf).filter((topic) => !wanted.has(topic)));
    return [...topics].map((topic) => kept(topic, ''));
  }

  private get place(): Place {
    return this.own.at(this.wiring.broker);
  }
}

export function topicsOf({ config, states }: PublishedGroup): string[] {
  return [...(config === undefined ? [] : [config]), ...states];
}
