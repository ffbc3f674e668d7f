import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { FirmwareNode } from '../shared/firmware-choice';
import { libraryOf } from '../shared/library';
import { readSources } from '../shared/sources';
import { Values } from '../shared/values';
import { referrersOf } from './referrers';
import { addFirmwareRoutes } from './routes';

export default function register(RED: NodeAPI): void {
  function SonotaFirmware(this: Node, config: NodeDef): void {
    RED.nodes.createNode(this, config);
    const form = Values.ofForm(config);
    Object.assign(this, { readSources: () => readSources(form) } satisfies Pick<FirmwareNode, 'readSources'>);
  }

  addFirmwareRoutes(
    RED,
    () => libraryOf(RED),
    () => referrersOf(RED),
  );
  RED.nodes.registerType('sonota-firmware', SonotaFirmware);
}
