import type { Node, NodeAPI } from 'node-red';
import { cloud } from '../../lib/flash/stage/cloud';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { whenFlowsRun } from '../shared/deploys';
import { StageNode, type StageNodeDef } from '../shared/stage-node';
import type { Values } from '../shared/values';

export default function register(RED: NodeAPI): void {
  function SonotaCloudEmulator(this: Node, config: StageNodeDef): void {
    RED.nodes.createNode(this, config);
    const stageNode = new StageNode(RED, this, config, {
      stage: 'cloud',
      oneAtATime: false,
      readForm,
      awaitsDevices: ({ every }) => every,
      plan: ({ host: { flashHost }, form: { timeoutSeconds, force }, said }) => {
        const deviceid = said.deviceId();
        return {
          deviceid,
          findJob: () => flashHost.jobs.jobFor('cloud', deviceid),
          run: (context) => cloud(context, flashHost, { timeoutSeconds, deviceid, force }),
        };
      },
    });
    answerEvery(RED, this, stageNode);
  }

  RED.nodes.registerType('sonota-cloud-emulator', SonotaCloudEmulator);
}

interface CloudForm {
  readonly every: boolean;
  readonly timeoutSeconds: number;
  readonly force: boolean;
}

function readForm(form: Values): CloudForm {
  return { every: form.flag('every'), timeoutSeconds: form.seconds('timeout') ?? 300, force: form.flag('force') };
}

/** A message for each device that becomes ready by itself, one a job: a device in work is not announced again. */
function answerEvery(RED: NodeAPI, node: Node, stageNode: StageNode<CloudForm>): void {
  const { host, readable } = stageNode;
  if (!host || !readable?.every) return;
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
