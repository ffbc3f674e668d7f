import { randomBytes } from 'node:crypto';
import { digestOf } from '../../image';
import { isOwnAddress } from '../../net/addresses';
import type { OtaRequest } from '../../protocol/ota-request';
import type { ImageGrant, ImageRefusal } from '../../server/transfer';
import type { ImageProvider } from './image-provider';

/** Three pieces, the last one a short one, as the devices cut them. */
const PROBE_BYTES = 10_000;

/** An image that this machine may fetch from itself. */
export interface ProbeImage {
  readonly path: string;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  withdraw(): void;
}

/** Images of no meaning, each at an address that cannot be guessed, until it is withdrawn. */
export class ProbeImages implements ImageProvider {
  private readonly offered = new Map<string, Buffer>();

  offer(): ProbeImage {
    const path = `/sonota/self-test/${randomBytes(16).toString('hex')}.bin`;
    const bytes = randomBytes(PROBE_BYTES);
    this.offered.set(path, bytes);
    const sha256 = digestOf(bytes);
    return { path, sha256, size: bytes.length, withdraw: () => void this.offered.delete(path) };
  }

  /** The answer where the path is that of an image on offer. */
  find({ path }: Pick<OtaRequest, 'path'>, peer: string): ImageGrant | ImageRefusal | undefined {
    const bytes = this.offered.get(path);
    if (bytes === undefined) return undefined;
    if (isOwnAddress(peer)) {
      return { bytes, observer: { sent: () => undefined, ended: () => undefined } };
    }
    return { status: 403, reason: 'this is for the machine itself' };
  }
}
