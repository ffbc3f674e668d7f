/** Removes from the broker what nodes have left that are gone, by the `mqtt out` nodes that they had, where those stay. */

import type { NodeAPI } from 'node-red';
import type { PublishedGroup } from '../../lib/home-assistant';
import { onDeployOver } from '../shared/deploys';
import { ownFolder } from '../shared/library';
import { definitionsOf } from './definitions';
import { folderOf, Publications, type Leftover } from './publications';
import { brokerOfOutlet } from './wiring';

interface StatusEvent {
  readonly id?: string;
  readonly status?: { readonly text?: string };
}

/** The status of the core MQTT nodes while their broker is connected. */
const CONNECTED = 'common.status.connected';

let sweep: Sweep | undefined;

/** Watches deploys for nodes that were deleted or disabled. */
export function sweepAfterDeploys(RED: NodeAPI): void {
  if (sweep) sweep.RED = RED;
  else sweep = new Sweep(RED);
}

class Sweep {
  /** `mqtt out` nodes and others that show that they are connected. */
  private readonly connected = new Set<string>();
  private isDeploying = true;

  constructor(public RED: NodeAPI) {
    RED.events.on('node-status', (event: StatusEvent) => this.note(event));
    RED.events.on('flows:stopping', () => {
      this.isDeploying = true;
    });
    onDeployOver(RED, () => {
      this.isDeploying = false;
      this.clean();
    });
  }

  private note({ id, status }: StatusEvent): void {
    if (id === undefined) return;
    if (status?.text?.endsWith(CONNECTED) !== true) return void this.connected.delete(id);
    this.connected.add(id);
    if (!this.isDeploying) this.clean();
  }

  private clean(): void {
    const publications = Publications.in(folderOf(ownFolder(this.RED)), (text) => this.RED.log.warn(text));
    // A node that is there removes them itself: it knows what others have put in their place.
    const ofNoNode = publications.leftovers().filter(({ broker }) => broker !== '' && !publications.hasNodeAt(broker));
    if (ofNoNode.length === 0) return;
    const definitions = definitionsOf(this.RED);
    for (const leftover of ofNoNode) {
      const outlet = leftover.outlets.find(
        (id) => this.connected.has(id) && brokerOfOutlet(definitions, id) === leftover.broker,
      );
      if (outlet !== undefined) this.remove(leftover, outlet);
    }
  }

  private remove(leftover: Leftover, outlet: string): void {
    const node = this.RED.nodes.getNode(outlet);
    if (!node) return;
    for (const topic of leftover.groups.flatMap(topicsOf)) node.receive({ topic, payload: '', qos: 1, retain: true });
    leftover.drop();
  }
}

function topicsOf({ config, states }: PublishedGroup): string[] {
  return [...(config === undefined ? [] : [config]), ...states];
}
