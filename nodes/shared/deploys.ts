import type { Node, NodeAPI } from 'node-red';
import { asFlashError } from '../../lib/errors';

interface RuntimeEvent {
  id?: string;
  payload?: { state?: string; deploy?: boolean };
}

let isWatching = false;
const listeners = new Set<() => void>();
/** The work of each node once the flows run. */
const starters = new Map<() => void, Node>();

/**
 * Calls back whenever nodes that went with a deploy and were to come back have come: when the flows have started
 * again, or when Node-RED stops them for good (the event marks a stop that belongs to a deploy).
 */
export function onDeployOver(RED: NodeAPI, callback: () => void): void {
  listeners.add(callback);
  watch(RED);
}

/**
 * Calls back once the flows run, unless the node has been closed by then: nodes are made one after another, and what
 * one of them sends before that is lost.
 */
export function whenFlowsRun(RED: NodeAPI, node: Node, callback: () => void): void {
  starters.set(callback, node);
  node.on('close', () => void starters.delete(callback));
  watch(RED);
}

/** The ids of all nodes that are in the flows, be they disabled; from the start of a deploy on, in the new ones. */
export function idsInFlows(RED: NodeAPI): Set<string> {
  const ids = new Set<string>();
  RED.nodes.eachNode(({ id }) => void ids.add(id));
  return ids;
}

function watch(RED: NodeAPI): void {
  if (isWatching) return;
  isWatching = true;
  const tellAll = (): void => {
    for (const listener of listeners) listener();
  };
  RED.events.on('flows:started', () => {
    const started = [...starters];
    starters.clear();
    for (const [starter, node] of started) startSafely(starter, node);
    tellAll();
  });
  RED.events.on('runtime-event', (event: RuntimeEvent) => {
    if (event.id === 'runtime-state' && event.payload?.state === 'stop' && !event.payload.deploy) tellAll();
  });
}

/** An exception in a listener of the runtime is never caught: it would end Node-RED, at each of its starts. */
function startSafely(starter: () => void, node: Node): void {
  try {
    starter();
  } catch (error) {
    node.error(asFlashError(error));
  }
}
