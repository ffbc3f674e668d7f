import type { NodeAPI } from 'node-red';
import type { FlashHost } from '../../../lib/flash/host/host';
import { hosts } from '../../shared/hosts';
import { Throttle } from '../../../lib/timing/throttle';

/** Open editors are notified of changes at most this often. */
const RING_EVERY_MS = 500;
/** And the less often, the more devices are in work: each of them is described in the answer. */
const RING_EVERY_MS_PER_JOB = 10;

/**
 * The runtime's side of the sidebar: tells open editors that something has changed. They fetch what (the route needs
 * `sonota.read`, which not every user of the editor has), and only while the tab is shown.
 */
export default function register(RED: NodeAPI): void {
  const publish = (): void => RED.comms.publish('sonota/changed', {}, false);
  const { call: ring } = new Throttle(publish, () => Math.max(RING_EVERY_MS, openJobs() * RING_EVERY_MS_PER_JOB));
  hosts.on('added', (host: FlashHost) => {
    host.on('state', ring);
    host.jobs.on('changed', ring);
    host.queue.on('changed', ring);
    host.survey.on('changed', ring);
    host.nextSteps.on('changed', ring);
    ring();
  });
  hosts.on('closed', ring);
}

function openJobs(): number {
  return hosts.all().reduce((count, [, { jobs }]) => count + jobs.all().filter(({ isOpen }) => isOpen).length, 0);
}
