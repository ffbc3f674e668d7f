/** From a one-hop slot file back to what is in it. */

import { inflateRawSync } from 'node:zlib';
import { crc32 } from '../crc32';
import type { Segment } from '../facts';
import { readDescriptor, type Descriptor } from './descriptor';
import { RELOCATOR } from './relocator';

/**
 * The descriptor, where a user image is a one-hop slot file, of whichever build of the relocator.
 *
 * @param segments its RAM segments
 */
export function oneHopDescriptor(bytes: Uint8Array, segments: readonly Segment[]): Descriptor | undefined {
  const last = segments.at(-1);
  if (last?.address !== RELOCATOR.descriptorAddress) return undefined;
  return readDescriptor(bytes.subarray(last.offset, last.offset + last.length));
}

/** The final image in a one-hop slot file; undefined where it does not come out whole. */
export function finalOf(bytes: Uint8Array, descriptor: Descriptor): Buffer | undefined {
  const { coding, payloadOffset, payloadLength, finalLength, finalCrc } = descriptor;
  const payload = bytes.subarray(payloadOffset, payloadOffset + payloadLength);
  const final = coding === 'raw' ? Buffer.from(payload) : inflated(payload, finalLength);
  return final?.length === finalLength && crc32(final) === finalCrc ? final : undefined;
}

/** Never more than was announced, whatever the bytes are. */
function inflated(payload: Uint8Array, length: number): Buffer | undefined {
  try {
    return inflateRawSync(payload, { maxOutputLength: Math.max(1, length) });
  } catch {
    return undefined;
  }
}
