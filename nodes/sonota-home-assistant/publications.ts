/** The retained topics of each of our nodes, on disk: they outlive the node, its flow and Node-RED. */

import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FollowingFile } from '../../lib/storage/following-file';
import { droppable, list, matching, object, optional, salvagedList, text } from '../../lib/storage/schema';
import type { StoredFormat } from '../../lib/storage/stored-file';
import { INSTANCE_ID, type PublishedGroup } from '../../lib/home-assistant';

const ENDING = '.published.json';
/** A list that cannot be written keeps no device waiting for longer. */
const WRITE_LIMIT_MS = 1000;

/** Where nodes store what they have published. @param own this package's folder */
export function folderOf(own: string | undefined): string | undefined {
  return own === undefined ? undefined : join(own, 'home-assistant');
}

/** Of a node's files. */
export function fileName(nodeId: string): string {
  return nodeId.replace(/[^\w-]/g, '_');
}

/** The topics retained at one broker. */
export interface Place {
  /** Its address and port as Node-RED's configuration names them; empty where it is not known. */
  readonly broker: string;
  /** Ids of the `mqtt out` nodes by which it was published. */
  readonly outlets: readonly string[];
  readonly groups: readonly PublishedGroup[];
  /** Configs that have come back from the broker: one that is missing there later was deleted in Home Assistant. */
  readonly arrived?: readonly string[] | undefined;
  /** The prefix and base topic under which another instance was first. */
  readonly taken?: string | undefined;
}

interface Content {
  readonly instance: string;
  readonly places: readonly Place[];
}

const topic = text(2000);
const place = object<Place>({
  broker: text(1000),
  outlets: list(text(100)),
  groups: salvagedList(object<PublishedGroup>({ config: optional(topic), states: list(topic) })),
  arrived: droppable(list(topic)),
  taken: droppable(topic),
});
const FORMAT: StoredFormat<Content> = {
  format: 'sonota-home-assistant-published/1',
  schema: object<Content>({ instance: matching(INSTANCE_ID, 'an instance id'), places: salvagedList(place) }),
};

/** The leftovers of a node that is gone, or that publishes elsewhere now. */
export interface Leftover extends Place {
  readonly instance: string;
  /** It was removed from the broker. */
  drop(): void;
}

/** The publications of one node. */
export class NodePublications {
  readonly instance: string;
  private places: readonly Place[];
  private readonly file: FollowingFile<Content>;

  constructor(folder: string | undefined, nodeId: string, warn: (text: string) => void) {
    const name = `${fileName(nodeId)}${ENDING}`;
    this.file = new FollowingFile(folder === undefined ? undefined : { folder, name }, FORMAT, warn);
    const known = this.file.read();
    this.instance = known?.instance ?? newInstance(folder === undefined ? nodeId : undefined);
    this.places = known?.places ?? [];
  }

  at(broker: string): Place {
    return this.places.find((one) => one.broker === broker) ?? { broker, outlets: [], groups: [] };
  }

  all(): readonly Place[] {
    return this.places;
  }

  /** Resolves when it is on disk, or could not be written. */
  async set(place: Place): Promise<void> {
    const others = this.places.filter(({ broker }) => broker !== place.broker);
    if (JSON.stringify(this.at(place.broker)) !== JSON.stringify(place)) {
      this.places = [...others, place];
      this.keep();
    }
    await this.file.settled(WRITE_LIMIT_MS);
  }

  drop(broker: string): void {
    this.places = this.places.filter((one) => one.broker !== broker);
    this.keep();
  }

  settled(): Promise<void> {
    return this.file.settled();
  }

  /** Of a node that is gone and has left nothing the file goes as well. */
  discardIfEmpty(): void {
    if (this.places.length === 0) this.file.follow(() => undefined);
  }

  private keep(): void {
    this.file.follow(() => ({ instance: this.instance, places: this.places }));
  }
}

/** The publications of all nodes of this Node-RED, those included that are gone. */
export class Publications {
  private static readonly all = new Map<string | undefined, Publications>();
  private readonly nodes = new Map<string, NodePublications>();
  /** The broker of each node that is deployed; undefined until it is known. */
  private readonly deployed = new Map<string, string | undefined>();

  /** @param folder undefined = for this process only */
  static in(folder: string | undefined, warn: (text: string) => void): Publications {
    const known = Publications.all.get(folder) ?? new Publications(folder, warn);
    Publications.all.set(folder, known);
    return known;
  }

  private constructor(
    private readonly folder: string | undefined,
    private readonly warn: (text: string) => void,
  ) {
    for (const name of namesIn(folder)) this.nodes.set(name, new NodePublications(folder, name, warn));
  }

  /** A node is deployed. */
  arrives(nodeId: string): NodePublications {
    const name = fileName(nodeId);
    const node = this.nodes.get(name) ?? new NodePublications(this.folder, nodeId, this.warn);
    this.nodes.set(name, node);
    this.deployed.set(name, this.deployed.get(name));
    return node;
  }

  /** A deployed node publishes at a broker. */
  publishesAt(nodeId: string, broker: string): void {
    this.deployed.set(fileName(nodeId), broker);
  }

  /** A node was deleted or disabled. */
  leaves(nodeId: string): void {
    this.deployed.delete(fileName(nodeId));
  }

  /** Whether an instance is a node of this Node-RED that is gone. */
  isGone(instance: string): boolean {
    return [...this.nodes].some(([name, node]) => node.instance === instance && !this.deployed.has(name));
  }

  hasNodeAt(broker: string): boolean {
    return [...this.deployed.values()].includes(broker);
  }

  leftovers(): Leftover[] {
    return [...this.nodes].flatMap(([name, node]) =>
      node.all().flatMap((place) => {
        // Of a node whose broker is not known yet nothing is left over.
        const isInUse = this.deployed.has(name) && [undefined, place.broker].includes(this.deployed.get(name));
        if (isInUse) return [];
        return [{ ...place, instance: node.instance, drop: () => this.drop(name, node, place.broker) }];
      }),
    );
  }

  private drop(name: string, node: NodePublications, broker: string): void {
    node.drop(broker);
    if (!this.deployed.has(name)) node.discardIfEmpty();
  }
}

function namesIn(folder: string | undefined): string[] {
  if (folder === undefined) return [];
  try {
    return readdirSync(folder).flatMap((name) => (name.endsWith(ENDING) ? [name.slice(0, -ENDING.length)] : []));
  } catch {
    // Nothing was written there yet.
    return [];
  }
}

/** @param nodeId where nothing can be kept: the same node has the same id after a restart */
function newInstance(nodeId: string | undefined): string {
  if (nodeId === undefined) return randomBytes(4).toString('hex');
  return createHash('sha256').update(nodeId).digest('hex').slice(0, 8);
}
