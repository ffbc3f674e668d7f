import type { Node, NodeAPI } from 'node-red';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';
import { finalStage } from '../../lib/flash/stage/finalstage';
import { FINALSTAGE_ADDRESS } from '../../lib/protocol/finalstage';
import { chooseFirmware } from '../shared/firmware-choice';
import { newFirmwareUrlBehind } from '../shared/new-firmware-behind';
import { StageNode, type StageNodeDef } from '../shared/stage-node';

export default function register(RED: NodeAPI): void {
  function SonotaFinalStageWatch(this: Node, config: StageNodeDef): void {
    RED.nodes.createNode(this, config);
    new StageNode(RED, this, config, {
      stage: 'finalstage',
      oneAtATime: true,
      readForm: (form) => ({
        timeoutSeconds: form.seconds('timeout') ?? 900,
        url: form.httpUrl('url') ?? `http://${FINALSTAGE_ADDRESS}`,
        firmware: form.text('firmware'),
      }),
      plan: ({ host: { flashHost }, form: { timeoutSeconds, url, firmware }, said }) => {
        const deviceid = said.deviceId();
        const sources = chooseFirmware(RED, firmware, said);
        const newFirmwareUrl = newFirmwareUrlBehind(RED, this.id) ?? said.httpUrl('newfirmware');
        return {
          deviceid,
          findJob: () => jobInFinalStage(flashHost, deviceid),
          run: (context) => finalStage(context, flashHost, { timeoutSeconds, url, sources, newFirmwareUrl }),
        };
      },
    });
  }

  RED.nodes.registerType('sonota-finalstage-watch', SonotaFinalStageWatch);
}

/** A flash that is resumed here may not know its device: then it is the one job that waits, if there is one. */
function jobInFinalStage(host: FlashHost, deviceid: string | undefined): Job {
  const waiting = host.jobs.awaitingFinalStage().filter((job) => !job.running);
  const [only, ...others] = waiting;
  if (deviceid === undefined && only !== undefined && others.length === 0) return only;
  return host.jobs.jobFor('finalstage', deviceid);
}
