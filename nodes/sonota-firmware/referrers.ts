import type { NodeAPI, NodeDef } from 'node-red';
import { storedQueue } from '../../lib/flash/stored/queue-record';
import type { FlashHost } from '../../lib/flash/host/host';
import type { FirmwareNode } from '../shared/firmware-choice';
import { hosts } from '../shared/hosts';

/** Whatever in this Node-RED may name an image, as JSON carries it: what is deployed, and the work of every host. */
export function referrersOf(RED: NodeAPI): unknown[] {
  const deployed: unknown[] = [];
  RED.nodes.eachNode((definition: NodeDef) => deployed.push(definition, valuesOf(RED, definition.id)));
  return [...deployed, ...hosts.all().flatMap(([, host]) => workOf(host))];
}

/** A form may name an environment variable: what stands in that counts. */
function valuesOf(RED: NodeAPI, id: string): unknown {
  const node = RED.nodes.getNode(id) as Partial<FirmwareNode> | null;
  try {
    return node?.readSources?.();
  } catch {
    // With a form that cannot be read nothing is flashed.
    return undefined;
  }
}

/** The images of all jobs that may continue or be retried, and of those that wait: in the queue, or at a node. */
function workOf({ jobs, queue, runs }: FlashHost): unknown[] {
  const firmware = jobs
    .all()
    .filter(({ stage }) => stage !== 'done')
    .flatMap((job) => Object.values(job.firmware).map(({ sha256, source }) => [sha256, source]));
  const waiting = storedQueue(queue.record()).entries.filter(({ state }) => state !== 'done');
  return [...firmware, ...waiting, ...runs.pending.all()];
}
