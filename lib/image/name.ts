import { wording, type Wording } from '../wordings/wording';
import type { ImageName } from './facts';

/** An image as the sentences of an error name it. */
export function imageNamed(name: ImageName): Wording {
  return wording(`image-${name}`);
}
