import { FinalStageImages } from './finalstage-images';
import type { ImageProvider, ProviderParts } from './image-provider';
import { DiyImages } from './diy-images';
import { UpgradeImages } from './upgrade-images';

/** The providers of the routes' images, in the order in which they are asked. */
export const PROVIDERS: ((parts: ProviderParts) => ImageProvider)[] = [
  (parts) => new UpgradeImages(parts),
  (parts) => new FinalStageImages(parts),
  (parts) => new DiyImages(parts),
];
