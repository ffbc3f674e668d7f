import type { Node, NodeAPI } from 'node-red';
import { chooseFirmware } from '../shared/firmware-choice';
import { newFirmwareUrlBehind } from '../shared/new-firmware-behind';
import type { WiredNodeDef } from '../shared/node-wiring';
import { StageNode } from '../shared/stage-node';
import { finalStageStep, type FinalStageForm } from '../shared/stages/finalstage';

export default function register(RED: NodeAPI): void {
  function SonotaFinalStageWatch(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    new StageNode(RED, this, config, {
      steps: [finalStageStep],
      readForm: (form): FinalStageForm => {
        const firmware = form.text('firmware');
        return {
          timeoutSeconds: form.seconds('timeout'),
          url: form.httpUrl('url'),
          firmware: (said) => chooseFirmware(RED, firmware, said),
          newFirmwareUrl: () => newFirmwareUrlBehind(RED, this.id),
        };
      },
    });
  }

  RED.nodes.registerType('sonota-finalstage-watch', SonotaFinalStageWatch);
}
