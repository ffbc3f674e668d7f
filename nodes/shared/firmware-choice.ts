import type { Node, NodeAPI, NodeDef } from 'node-red';
import { FlashError } from '../../lib/errors';
import type { FirmwareSources } from '../../lib/firmware/firmware';
import { sourceOf } from '../../lib/firmware/library/catalog';
import { libraryOf } from './library';
import type { MessageValues } from './messages';
import { readSources } from './sources';
import { Values } from './values';
import { wording } from '../../lib/wordings/wording';

/** The config node `sonota-firmware` as its users see it. */
export interface FirmwareNode extends Node {
  /** @throws FlashError where its form cannot be read */
  readSources(): FirmwareSources;
}

/**
 * The firmware that a node is to install: its form's, else the message's, which names a firmware node by name or id or
 * carries the images themselves. Undefined where neither says anything.
 *
 * @param formId id of the form's firmware node
 * @throws FlashError `firmware-missing` where the message names a firmware node that is not there,
 *   `reference-ambiguous` where it names several, and where a value cannot be read
 */
export function chooseFirmware(
  RED: NodeAPI,
  formId: string | undefined,
  said: MessageValues,
): FirmwareSources | undefined {
  const ofForm = formId === undefined ? undefined : firmwareNode(RED, formId);
  if (ofForm) return ofForm.readSources();
  const given = said.raw('firmware');
  if (typeof given === 'object' && given !== null) {
    const images = said.object('firmware');
    return images && readSources(images);
  }
  const name = said.text('firmware');
  return name === undefined ? undefined : firmwareCalled(RED, name).readSources();
}

/** The firmware fields in the form of the node of the whole flash. */
export interface FirmwareChoice {
  /** Id of a firmware node: it goes before everything else. */
  readonly firmware: string | undefined;
  /** One image by its source; by default the one that the catalog recommends. */
  readonly image: string | undefined;
  readonly intermediate: string | undefined;
}

/**
 * The firmware for a message of the node of the whole flash: its firmware node's, else its image, else the message's,
 * else the image that the catalog recommends.
 *
 * @throws FlashError as `chooseFirmware`
 */
export function chooseOrRecommend(
  RED: NodeAPI,
  { firmware, image, intermediate }: FirmwareChoice,
  said: MessageValues,
): FirmwareSources | undefined {
  const chosen = firmware === undefined && image !== undefined ? undefined : chooseFirmware(RED, firmware, said);
  if (chosen) return chosen;
  const { recommended } = libraryOf(RED).catalog;
  const final = image ?? (recommended && sourceOf(recommended));
  return final === undefined ? undefined : readSources(Values.ofMessage({ final, intermediate }));
}

/** An id is never ambiguous, and wins over a name. */
function firmwareCalled(RED: NodeAPI, name: string): FirmwareNode {
  const named = firmwareNode(RED, name);
  if (named) return named;
  const found: FirmwareNode[] = [];
  RED.nodes.eachNode((definition: NodeDef) => {
    if (definition.name?.trim() !== name) return;
    // One that is disabled is no node.
    const node = firmwareNode(RED, definition.id);
    if (node) found.push(node);
  });
  const [only, ...others] = found;
  if (!only)
    throw new FlashError('firmware-missing', { what: wording('no-firmware-node', { name: name.slice(0, 80) }) });
  if (others.length === 0) return only;
  const ids = found.map(({ id }) => id).join(', ');
  throw new FlashError('reference-ambiguous', { what: wording('node-firmware'), name: name.slice(0, 80), ids });
}

function firmwareNode(RED: NodeAPI, id: string): FirmwareNode | undefined {
  const node = RED.nodes.getNode(id) as FirmwareNode | null;
  return node?.type === 'sonota-firmware' ? node : undefined;
}
