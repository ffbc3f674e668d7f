import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFinalImage, makeUserImage } from '../../lib/image/writer';

export interface SmallImages {
  /** Their files, as a firmware node's form has them. */
  paths: { user1: string; user2: string; final: string };
  /** What a device holds at 0x0 when it was flashed. */
  finalSha256: string;
}

/** Writes an intermediate pair and a final image into a folder; a virtual device takes the last one for a Tasmota. */
export function writeSmallImages(folder: string): SmallImages {
  const images = {
    user1: makeUserImage({ slot: 1, size: 32_768 }),
    user2: makeUserImage({ slot: 2, size: 32_768 }),
    final: makeFinalImage({ size: 65_536, text: 'Theo Arends' }),
  };
  const write = (role: keyof typeof images): string => {
    const path = join(folder, `${role}.bin`);
    writeFileSync(path, images[role]);
    return path;
  };
  const paths = { user1: write('user1'), user2: write('user2'), final: write('final') };
  return { paths, finalSha256: createHash('sha256').update(images.final).digest('hex') };
}
