import type { Node, NodeAPI, NodeDef } from 'node-red';
import { FlashError } from '../../lib/errors';
import type { FirmwareSources } from '../../lib/flash/firmware/firmware';
import type { Message } from '../../lib/flash/job/ticket';

/** The config node `sonota-firmware` as its users see it. */
export interface FirmwareNode extends Node {
  readonly sources: FirmwareSources;
}

/**
 * The firmware that a node is to install: its form's, else the message's, which names a firmware node by name or id or
 * carries the images themselves. Undefined where neither says anything.
 *
 * @throws FlashError `firmware-missing` where the message names a firmware node that is not there
 */
export function chooseFirmware(RED: NodeAPI, formId: unknown, message: Message): FirmwareSources | undefined {
  const ofForm = typeof formId === 'string' && formId !== '' ? firmwareNode(RED, formId) : undefined;
  if (ofForm) return ofForm.sources;
  const { firmware } = message;
  if (typeof firmware === 'string' && firmware !== '') {
    const named = firmwareNode(RED, firmware) ?? firmwareNodeByName(RED, firmware);
    if (!named) throw new FlashError('firmware-missing', { what: `firmware node called "${firmware.slice(0, 80)}"` });
    return named.sources;
  }
  if (typeof firmware === 'object' && firmware !== null) return firmware;
  return undefined;
}

function firmwareNode(RED: NodeAPI, id: string): FirmwareNode | undefined {
  const node = RED.nodes.getNode(id) as FirmwareNode | null;
  return node?.type === 'sonota-firmware' ? node : undefined;
}

function firmwareNodeByName(RED: NodeAPI, name: string): FirmwareNode | undefined {
  let found: FirmwareNode | undefined;
  RED.nodes.eachNode((definition: NodeDef) => {
    if (definition.type === 'sonota-firmware' && definition.name === name) {
      found ??= firmwareNode(RED, definition.id);
    }
  });
  return found;
}
