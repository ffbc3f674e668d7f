import type { Node, NodeAPI } from 'node-red';
import { cloud } from '../../lib/flash/stage/cloud';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { whenFlowsRun } from '../shared/deploys';
import { deviceOf } from '../shared/messages';
import { isTicked, numberOr } from '../shared/properties';
import { StageNode, type StageNodeDef } from '../shared/stage-node';

interface CloudEmulatorDef extends StageNodeDef {
  every: boolean | string;
  timeout: number | string;
  force: boolean | string;
}

export default function register(RED: NodeAPI): void {
  function SonotaCloudEmulator(this: Node, config: CloudEmulatorDef): void {
    RED.nodes.createNode(this, config);
    const timeoutSeconds = numberOr(config.timeout, 300);
    const force = isTicked(config.force);
    const stageNode = new StageNode(RED, this, config, {
      stage: 'cloud',
      oneAtATime: false,
      plan: ({ flashHost }, message) => {
        const deviceid = deviceOf(message);
        return {
          deviceid,
          findJob: () => flashHost.jobs.jobFor('cloud', deviceid),
          run: (context) => cloud(context, flashHost, { timeoutSeconds, deviceid, force }),
        };
      },
    });
    if (isTicked(config.every)) answerEvery(RED, this, stageNode);
  }

  RED.nodes.registerType('sonota-cloud-emulator', SonotaCloudEmulator);
}

/** A message for each device that becomes ready by itself, one a job: a device in work is not announced again. */
function answerEvery(RED: NodeAPI, node: Node, stageNode: StageNode): void {
  const { host } = stageNode;
  if (!host) return;
  const onReady = ({ device }: DeviceConnection): void => {
    if (!device) return;
    const job = host.jobs.openJob(device.deviceid);
    const isInWork = job !== undefined && (job.running !== undefined || job.hasLeft('cloud'));
    if (!isInWork) stageNode.beginBySelf({ deviceid: device.deviceid });
  };
  whenFlowsRun(RED, node, () => {
    host.devices.on('ready', onReady);
    for (const connection of host.devices.ready()) onReady(connection);
  });
  node.on('close', () => void host.devices.off('ready', onReady));
}
