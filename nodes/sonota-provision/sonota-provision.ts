import type { Node, NodeAPI } from 'node-red';
import { StageNode, type StageNodeDef } from '../shared/stage-node';
import { provisionStep } from '../shared/stages/provision';

export default function register(RED: NodeAPI): void {
  function SonotaProvision(this: Node, config: StageNodeDef): void {
    RED.nodes.createNode(this, config);
    new StageNode(RED, this, config, {
      steps: [provisionStep],
      readForm: (form) => ({
        timeoutSeconds: form.seconds('timeout'),
        url: form.httpUrl('url'),
        only: form.deviceId(),
      }),
    });
  }

  RED.nodes.registerType('sonota-provision', SonotaProvision);
}
