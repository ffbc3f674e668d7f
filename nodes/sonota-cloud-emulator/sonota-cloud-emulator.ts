import type { Node, NodeAPI } from 'node-red';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { whenFlowsRun } from '../shared/deploys';
import type { WiredNodeDef } from '../shared/node-wiring';
import { StageNode } from '../shared/stage-node';
import { cloudStep, type CloudForm } from '../shared/stages/cloud';
import type { Values } from '../shared/values';

export default function register(RED: NodeAPI): void {
  function SonotaCloudEmulator(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    const stageNode = new StageNode<CloudEmulatorForm>(RED, this, config, {
      steps: [cloudStep],
      readForm,
      awaitsDevices: ({ every }) => every,
    });
    answerEvery(RED, this, stageNode);
  }

  RED.nodes.registerType('sonota-cloud-emulator', SonotaCloudEmulator);
}

interface CloudEmulatorForm extends CloudForm {
  readonly every: boolean;
}

function readForm(form: Values): CloudEmulatorForm {
  return { every: form.flag('every'), timeoutSeconds: form.seconds('timeout'), force: form.flag('force') };
}

/** A message for each device that becomes ready unasked, one a job: a device in work is not announced again. */
function answerEvery(RED: NodeAPI, node: Node, stageNode: StageNode<CloudEmulatorForm>): void {
  const { flashHost: host, readable } = stageNode;
  if (!host || !readable?.every) return;
  const onReady = ({ device }: DeviceConnection): void => {
    if (!device) return;
    const job = host.jobs.openJob(device.deviceid);
    const isInWork = job !== undefined && (job.running !== undefined || job.hasLeft('cloud'));
    if (!isInWork) stageNode.startForDevice({ deviceid: device.deviceid });
  };
  whenFlowsRun(RED, node, () => {
    host.devices.on('ready', onReady);
    for (const connection of host.devices.ready()) onReady(connection);
  });
  node.on('close', () => void host.devices.off('ready', onReady));
}
