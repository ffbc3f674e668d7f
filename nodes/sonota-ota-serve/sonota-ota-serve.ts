import type { Node, NodeAPI } from 'node-red';
import { chooseFirmware } from '../shared/firmware-choice';
import { MessageValues } from '../shared/messages';
import { newFirmwareUrlBehind } from '../shared/new-firmware-behind';
import type { WiredNodeDef } from '../shared/node-wiring';
import { StageNode } from '../shared/stage-node';
import { upgradeStep, type UpgradeForm } from '../shared/stages/upgrade';

export default function register(RED: NodeAPI): void {
  function SonotaOtaServe(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    new StageNode(RED, this, config, {
      steps: [upgradeStep],
      readForm: (form): UpgradeForm => {
        const firmware = form.text('firmware');
        return {
          timeoutSeconds: form.seconds('timeout'),
          force: form.flag('force'),
          firmware: (said) => chooseFirmware(RED, firmware, said),
          newFirmwareUrl: () => newFirmwareUrlBehind(RED, this.id),
        };
      },
      prefetched: (form) => form.firmware(new MessageValues({})),
    });
  }

  RED.nodes.registerType('sonota-ota-serve', SonotaOtaServe);
}
