import type { NodeAPI, NodeDef } from 'node-red';
import { Values } from './values';

/** Whether a node of this host, in whichever flow, may have devices unlocked by this machine. */
export function unlocksLocally(RED: NodeAPI, hostId: string): boolean {
  let isWanted = false;
  RED.nodes.eachNode((definition: NodeDef) => {
    const form = Values.ofForm(definition);
    if (form.raw('host') !== hostId || form.raw('unlock') !== 'local') return;
    // One that flashes by the emulated cloud alone unlocks nothing.
    if (form.raw('method') === 'cloud') return;
    // One that is disabled is no node.
    if (RED.nodes.getNode(definition.id)) isWanted = true;
  });
  return isWanted;
}
