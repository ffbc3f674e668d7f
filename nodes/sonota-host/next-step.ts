import type { NodeAPI } from 'node-red';
import { giveWifi, isGivable } from '../../lib/flash/next-step/give-wifi';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';
import { projectOf } from '../../lib/flash/overview/project-of';
import { notPossible } from '../shared/admin-answers';
import type { FlashingNode } from '../shared/flashing-node';
import { homeWifi, requireHost, type HostNode } from '../shared/hosts';
import { MessageValues } from '../shared/messages';

/**
 * Gives the new firmware of a flash the home Wi-Fi: that of the node that has flashed, else the host's.
 *
 * @param id of the host's config node
 * @throws FlashError what cannot be read of the forms; `wifi-credentials-missing`, `not-possible`
 */
export function startNextStep(RED: NodeAPI, id: string, host: FlashHost, job: Job): void {
  const project = projectOf(job);
  if (job.stage !== 'done' || !isGivable(project)) throw notPossible('next-step-none');
  const nodeId = host.runs.nodeOf(job.id);
  const node = nodeId === undefined ? null : (RED.nodes.getNode(nodeId) as FlashingNode | null);
  const hostNode = requireHost((RED.nodes.getNode(id) as HostNode | null) ?? undefined);
  const wifi = node?.afterFlash?.() ?? homeWifi(hostNode, new MessageValues({}));
  host.nextSteps.start(job.id, (context) => giveWifi(host, job, project, wifi, context));
}
