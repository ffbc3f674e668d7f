import type { Node, NodeAPI } from 'node-red';
import { nextStage } from '../../lib/flash/job/next-stage';
import { PROVISION_METHODS } from '../../lib/flash/stage/provision-method';
import type { WiredNodeDef } from '../shared/node-wiring';
import { StageNode } from '../shared/stage-node';
import { provisionStep, type ProvisionForm } from '../shared/stages/provision';

/** The output for a device that continues in DIY mode; that of progress is in between. */
const DIY_OUTPUT = 2;

export default function register(RED: NodeAPI): void {
  function SonotaProvision(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    new StageNode<ProvisionForm>(RED, this, config, {
      steps: [provisionStep],
      readForm: (form) => {
        const method = form.choice('method', PROVISION_METHODS) ?? 'automatic';
        return {
          timeoutSeconds: form.seconds('timeout'),
          url: form.httpUrl('url'),
          only: form.deviceId(),
          method: (said) => said.choice('method', PROVISION_METHODS) ?? method,
        };
      },
      outputOf: ({ job }) => (nextStage('provision', job) === 'diy' ? DIY_OUTPUT : 0),
    });
  }

  RED.nodes.registerType('sonota-provision', SonotaProvision);
}
