import { examine, packOneHop, type Examination, type ImageTarget } from '../image';

/** Facts of an image that take long to find out: up to some hundred ms on a small machine. */
export interface ImageWork {
  /** As `examine` of the image doctor. */
  examine(bytes: Uint8Array, target: ImageTarget): Promise<Examination>;
  /** As `packOneHop`. @throws FlashError */
  pack(final: Uint8Array): Promise<Uint8Array>;
}

/** The same without promises, for the thread that does it. */
export const IMAGE_WORK = { examine, pack: packOneHop } as const;
