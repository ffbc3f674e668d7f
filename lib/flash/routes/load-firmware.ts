import { loadImages, requireWhole, type FirmwareSources, type WholeFirmware } from '../../firmware/firmware';
import type { SourceOptions } from '../../firmware/image-source';
import { chosenRoute } from './choice';

/**
 * Loads and examines what the cloud method needs, by the route that the sources name; see `loadImages`.
 *
 * @throws FlashError `intermediate-unknown` before anything is read, else what `loadImages` throws
 */
export async function loadFirmware(sources: FirmwareSources, options: SourceOptions): Promise<WholeFirmware> {
  return requireWhole(await loadImages(chosenRoute(sources), sources, options));
}
