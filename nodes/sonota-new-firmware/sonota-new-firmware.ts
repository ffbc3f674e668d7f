import type { Node, NodeAPI } from 'node-red';
import type { NewFirmwareNode } from '../shared/new-firmware-behind';
import type { WiredNodeDef } from '../shared/node-wiring';
import { StageNode } from '../shared/stage-node';
import { newFirmwareStep } from '../shared/stages/new-firmware';

export default function register(RED: NodeAPI): void {
  function SonotaNewFirmware(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    const stageNode = new StageNode(RED, this, config, {
      steps: [newFirmwareStep],
      readForm: (form) => ({ timeoutSeconds: form.seconds('timeout'), url: form.httpUrl('url') }),
    });
    Object.assign(this, { formUrl: stageNode.readable?.url } satisfies Pick<NewFirmwareNode, 'formUrl'>);
  }

  RED.nodes.registerType('sonota-new-firmware', SonotaNewFirmware);
}
