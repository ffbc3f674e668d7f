import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { FirmwareNode } from '../shared/firmware-choice';
import { textOrNone } from '../shared/properties';

interface FirmwareDef extends NodeDef {
  user1: string;
  user2: string;
  final: string;
}

export default function register(RED: NodeAPI): void {
  function SonotaFirmware(this: Node, config: FirmwareDef): void {
    RED.nodes.createNode(this, config);
    const sources = {
      user1: textOrNone(config.user1),
      user2: textOrNone(config.user2),
      final: textOrNone(config.final),
    };
    Object.assign(this, { sources } satisfies Pick<FirmwareNode, 'sources'>);
  }

  RED.nodes.registerType('sonota-firmware', SonotaFirmware);
}
