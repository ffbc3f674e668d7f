import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { ImageLibrary } from '../../lib/firmware/library/image-library';

/** This package's own folder in Node-RED's user folder; undefined where Node-RED has none. */
export function ownFolder(RED: NodeAPI): string | undefined {
  const { userDir } = RED.settings;
  return userDir === undefined ? undefined : join(userDir, 'sonota');
}

/** The images that this Node-RED knows and keeps; the same for every node. */
export function libraryOf(RED: NodeAPI): ImageLibrary {
  return ImageLibrary.at(ownFolder(RED));
}
