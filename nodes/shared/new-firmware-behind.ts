import type { Node, NodeAPI } from 'node-red';

/** The node `sonota-new-firmware` as the nodes before it see it. */
export interface NewFirmwareNode extends Node {
  /** Of its form, where that can be read. */
  readonly formUrl: string | undefined;
}

/**
 * Where the new firmware is looked for at the end of this flow: a flash whose acknowledgement is lost is known by its new
 * firmware alone, before the message reaches the node that looks for it.
 *
 * @returns the address in the form of the `sonota-new-firmware` node behind `nodeId`; undefined where there is none, or
 *   where several differ
 */
export function newFirmwareUrlBehind(RED: NodeAPI, nodeId: string): string | undefined {
  const reached = new Map<string, Node | null>();
  const follow = (id: string): void => {
    if (reached.has(id)) return;
    const node = RED.nodes.getNode(id) as (Node & { wires?: string[][] }) | null;
    reached.set(id, node);
    // Those of a link lead to what it is linked with.
    for (const next of (node?.wires ?? []).flat()) follow(next);
  };
  follow(nodeId);
  const nodes = [...reached.values()].filter((node) => node?.type === 'sonota-new-firmware') as NewFirmwareNode[];
  const [only, ...others] = new Set(nodes.map(({ formUrl }) => formUrl));
  return others.length === 0 ? only : undefined;
}
