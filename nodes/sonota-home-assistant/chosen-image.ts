import type { NodeAPI } from 'node-red';
import { displayUrl } from '../../lib/client/http-get';
import { inspect } from '../../lib/firmware/inspection';
import { targetOf } from '../../lib/flash/routes';
import { knownChoice } from '../../lib/flash/routes/choice';
import type { ShownImage } from '../../lib/home-assistant';
import type { FirmwareNode } from '../shared/firmware-choice';
import { libraryOf } from '../shared/library';

/** The known facts of a firmware node's image, for the sentence before an installation. Nothing is fetched for it. */
export class ChosenImage {
  private readonly known = new Map<string, ShownImage>();

  constructor(
    private readonly RED: NodeAPI,
    private readonly onNews: () => void,
  ) {}

  of(firmwareId: string | undefined): ShownImage | undefined {
    return firmwareId === undefined ? undefined : this.known.get(firmwareId);
  }

  /** Looks at the image again: a file may have changed since. */
  look(firmwareId: string | undefined): void {
    if (firmwareId === undefined) return;
    this.examine(firmwareId).then(
      (image) => {
        if (image) this.known.set(firmwareId, image);
        else this.known.delete(firmwareId);
        this.onNews();
      },
      // A fault of the form is reported when the image is used.
      () => this.known.delete(firmwareId),
    );
  }

  private async examine(firmwareId: string): Promise<ShownImage | undefined> {
    const node = this.RED.nodes.getNode(firmwareId) as FirmwareNode | null;
    if (node?.type !== 'sonota-firmware') return undefined;
    const { final, digests, intermediate } = node.readSources();
    if (typeof final !== 'string') return undefined;
    const library = libraryOf(this.RED);
    const digest = digests?.final;
    const found = await inspect(library, {
      role: 'final',
      source: final,
      digest,
      place: targetOf('final', knownChoice({ intermediate })),
    });
    const named = library.catalogImage(final);
    const address = named?.url ?? (/^https?:\/\//i.test(final) ? final : undefined);
    const image: ShownImage = { ...(address !== undefined && { url: displayUrl(address) }) };
    if (found.state === 'unreadable') return image;
    const sha256 = found.sha256 ?? digest;
    const version = found.state === 'not-fetched' ? (named?.version ?? undefined) : found.identity.version;
    return { ...image, ...(sha256 !== undefined && { sha256 }), ...(version !== undefined && { version }) };
  }
}
