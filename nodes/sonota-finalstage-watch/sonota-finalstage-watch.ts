import type { Node, NodeAPI } from 'node-red';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';
import { finalStage } from '../../lib/flash/stage/finalstage';
import { FINALSTAGE_ADDRESS } from '../../lib/protocol/finalstage';
import { chooseFirmware } from '../shared/firmware-choice';
import { deviceOf } from '../shared/messages';
import { httpUrlOr, numberOr } from '../shared/properties';
import { StageNode, type StageNodeDef } from '../shared/stage-node';

interface FinalStageWatchDef extends StageNodeDef {
  firmware: string;
  url: string;
  timeout: number | string;
}

export default function register(RED: NodeAPI): void {
  function SonotaFinalStageWatch(this: Node, config: FinalStageWatchDef): void {
    RED.nodes.createNode(this, config);
    const timeoutSeconds = numberOr(config.timeout, 900);
    new StageNode(RED, this, config, {
      stage: 'finalstage',
      oneAtATime: true,
      plan: ({ flashHost }, message) => {
        const deviceid = deviceOf(message);
        const url = httpUrlOr(config.url, `http://${FINALSTAGE_ADDRESS}`);
        const sources = chooseFirmware(RED, config.firmware, message);
        return {
          deviceid,
          findJob: () => jobInFinalStage(flashHost, deviceid),
          run: (context) => finalStage(context, flashHost, { timeoutSeconds, url, sources }),
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
