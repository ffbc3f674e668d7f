import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { ImageRole } from '../../lib/image';
import type { FirmwareNode } from '../shared/firmware-choice';
import { libraryOf } from '../shared/library';
import { IMAGE_ROLES, readSources } from '../shared/sources';
import { Values } from '../shared/values';
import { referrersOf } from './referrers';
import { addFirmwareRoutes } from './routes';

export default function register(RED: NodeAPI): void {
  function SonotaFirmware(this: Node, config: NodeDef): void {
    RED.nodes.createNode(this, config);
    const form = Values.ofForm(config);
    const read: FirmwareNode['readSources'] = () => ({
      ...readSources(form),
      mustBeConfirmed: typedAddresses(RED, this.id),
    });
    Object.assign(this, { readSources: read } satisfies Pick<FirmwareNode, 'readSources'>);
  }

  addFirmwareRoutes(
    RED,
    () => libraryOf(RED),
    () => referrersOf(RED),
  );
  RED.nodes.registerType('sonota-firmware', SonotaFirmware);
}

/** The places in whose fields an address stands; one that a variable holds cannot be looked at in the form. */
function typedAddresses(RED: NodeAPI, id: string): ImageRole[] {
  const typed: ImageRole[] = [];
  RED.nodes.eachNode((definition: NodeDef) => {
    if (definition.id !== id) return;
    const fields = Values.ofForm(definition);
    typed.push(...IMAGE_ROLES.filter((role) => /^\s*https?:/i.test(String(fields.raw(role)))));
  });
  return typed;
}
