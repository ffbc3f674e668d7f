import type { Node, NodeAPI } from 'node-red';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';
import { newFirmware } from '../../lib/flash/stage/new-firmware';
import type { NewFirmwareNode } from '../shared/new-firmware-behind';
import { StageNode, type StageNodeDef } from '../shared/stage-node';

export default function register(RED: NodeAPI): void {
  function SonotaNewFirmware(this: Node, config: StageNodeDef): void {
    RED.nodes.createNode(this, config);
    const stageNode = new StageNode(RED, this, config, {
      stage: 'newfirmware',
      oneAtATime: true,
      readForm: (form) => ({ timeoutSeconds: form.seconds('timeout') ?? 600, url: form.httpUrl('url') }),
      plan: ({ host: { flashHost }, form, said }) => {
        const deviceid = said.deviceId();
        const options = { ...form, url: form.url ?? said.httpUrl('newfirmware') };
        return {
          deviceid,
          findJob: () => jobToLookAfter(flashHost, deviceid),
          run: (context) => newFirmware(context, flashHost, options),
        };
      },
    });
    Object.assign(this, { formUrl: stageNode.readable?.url } satisfies Pick<NewFirmwareNode, 'formUrl'>);
  }

  RED.nodes.registerType('sonota-new-firmware', SonotaNewFirmware);
}

/** A flash that was resumed at FinalStage may not know its device: then it is the newest such one that is done. */
function jobToLookAfter(host: FlashHost, deviceid: string | undefined): Job {
  const nameless = host.jobs.all().findLast((job) => job.deviceid === undefined && job.stage === 'done');
  const [only, ...others] = host.jobs.awaitingNewFirmware();
  if (deviceid === undefined && only !== undefined && others.length === 0) return only;
  return deviceid === undefined && nameless ? nameless : host.jobs.jobFor('newfirmware', deviceid);
}
