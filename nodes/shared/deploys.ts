import type { NodeAPI } from 'node-red';

interface RuntimeEvent {
  id?: string;
  payload?: { state?: string; deploy?: boolean };
}

let isWatching = false;
const listeners = new Set<() => void>();

/**
 * Calls back whenever nodes that went with a deploy and were to come back have come: when the flows have started
 * again, or when Node-RED stops them for good (a stop that belongs to a deploy says so).
 */
export function onDeployOver(RED: NodeAPI, callback: () => void): void {
  listeners.add(callback);
  if (isWatching) return;
  isWatching = true;
  const tellAll = (): void => {
    for (const listener of listeners) listener();
  };
  RED.events.on('flows:started', tellAll);
  RED.events.on('runtime-event', (event: RuntimeEvent) => {
    if (event.id === 'runtime-state' && event.payload?.state === 'stop' && !event.payload.deploy) tellAll();
  });
}
