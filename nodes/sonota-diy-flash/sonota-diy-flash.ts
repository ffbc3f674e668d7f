import type { Node, NodeAPI } from 'node-red';
import { chooseFirmware } from '../shared/firmware-choice';
import type { WiredNodeDef } from '../shared/node-wiring';
import { StageNode } from '../shared/stage-node';
import { diyStep, readUnlock, type DiyForm } from '../shared/stages/diy';

export default function register(RED: NodeAPI): void {
  function SonotaDiyFlash(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    new StageNode(RED, this, config, {
      steps: [diyStep],
      readForm: (form): DiyForm => {
        const firmware = form.text('firmware');
        return {
          timeoutSeconds: form.seconds('timeout'),
          address: form.httpUrl('address'),
          unlock: readUnlock(form),
          clicks: form.flag('clicks'),
          force: form.flag('force'),
          firmware: (said) => chooseFirmware(RED, firmware, said),
        };
      },
    });
  }

  RED.nodes.registerType('sonota-diy-flash', SonotaDiyFlash);
}
