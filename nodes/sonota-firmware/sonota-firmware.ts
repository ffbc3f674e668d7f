import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Intermediate } from '../../lib/flash/firmware/firmware';
import type { ImageRole } from '../../lib/image';
import type { FirmwareNode } from '../shared/firmware-choice';
import { libraryOf } from '../shared/library';
import { textOrNone } from '../shared/properties';
import { addFirmwareRoutes } from './routes';

interface FirmwareDef extends NodeDef {
  user1: string;
  user2: string;
  final: string;
  /** Absent in flows from before there was a choice. */
  intermediate?: string;
  /** The digests that the form saw; absent in flows from before there were any. */
  digests?: Partial<Record<ImageRole, string>>;
}

export default function register(RED: NodeAPI): void {
  function SonotaFirmware(this: Node, config: FirmwareDef): void {
    RED.nodes.createNode(this, config);
    const sources = {
      user1: textOrNone(config.user1),
      user2: textOrNone(config.user2),
      final: textOrNone(config.final),
      // Whatever else may stand there is refused when it is used.
      intermediate: textOrNone(config.intermediate) as Intermediate | undefined,
      digests: digestsOf(config),
    };
    Object.assign(this, { sources } satisfies Pick<FirmwareNode, 'sources'>);
  }

  addFirmwareRoutes(RED, () => libraryOf(RED));
  RED.nodes.registerType('sonota-firmware', SonotaFirmware);
}

function digestsOf({ digests = {} }: FirmwareDef): Partial<Record<ImageRole, string>> {
  const known = Object.entries(digests).filter(([, digest]) => typeof digest === 'string' && digest !== '');
  return Object.fromEntries(known);
}
