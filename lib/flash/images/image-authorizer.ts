import type { OtaRequest } from '../../protocol/ota-request';
import type { PostTaker } from '../../server/device-post';
import type { ImageGrant, ImageRefusal } from '../../server/transfer';
import type { JobRegistry } from '../job/job-registry';
import { PROVIDERS } from './providers';
import type { Devices } from '../devices/devices';
import type { ImageProvider } from './image-provider';
import { ProbeImages } from './probe-images';

/** Asks the providers of all routes which image a peer may fetch. */
export class ImageAuthorizer {
  readonly probes = new ProbeImages();

  /** Resolves when what happened so far would outlive the process, or after a moment without effect. */
  whenStored: () => Promise<void> = async () => undefined;

  private readonly providers: readonly ImageProvider[];

  constructor(jobs: JobRegistry, devices: Devices) {
    const parts = { jobs, devices, whenStored: () => this.whenStored() };
    this.providers = [...PROVIDERS.map((provider) => provider(parts)), this.probes];
  }

  find(request: OtaRequest, peer: string): ImageGrant | ImageRefusal {
    for (const provider of this.providers) {
      const found = provider.find(request, peer);
      if (found) return found;
    }
    return { status: 404, reason: 'there is nothing here' };
  }

  /** A bare connection. @returns whether a job waits for it */
  dialled(peer: string): boolean {
    return this.providers.some((provider) => provider.dialled?.(peer));
  }

  ownsTarget(target: string): boolean {
    return this.providers.some((provider) => provider.ownsTarget?.(target));
  }

  takerOf(path: string, peer: string): PostTaker | undefined {
    for (const provider of this.providers) {
      const taker = provider.takerOf?.(path, peer);
      if (taker) return taker;
    }
    return undefined;
  }
}
