import type { OtaRequest } from '../../protocol/ota-request';
import type { PostTaker } from '../../server/device-post';
import type { ImageGrant, ImageRefusal } from '../../server/transfer';
import type { JobRegistry } from '../job/job-registry';
import type { Devices } from '../devices/devices';

/** The part of its host that a provider knows. */
export interface ProviderParts {
  readonly jobs: JobRegistry;
  readonly devices: Devices;
  /** Resolves when what happened so far would outlive the process, or after a moment without effect. */
  whenStored(): Promise<void>;
}

/**
 * The images that one kind of firmware asks for, and the peers that may have them: only images of an open job, only its device
 * (docs/dev/design.md#3.5). The Host header of a request tells nothing (docs/dev/stock-firmware.md#4.1).
 */
export interface ImageProvider {
  /** @returns undefined where the request is not one for its images */
  find(request: OtaRequest, peer: string): ImageGrant | ImageRefusal | undefined;
  /** Takes a bare connection; @returns whether its device is waited for here */
  dialled?(peer: string): boolean;
  /** Whether a device got this target to ask for, though it has no leading slash. */
  ownsTarget?(target: string): boolean;
  /** The taker of what a device posts to this path; undefined where nothing is waited for there. */
  takerOf?(path: string, peer: string): PostTaker | undefined;
}
