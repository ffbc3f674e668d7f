/** Where everything lies in a one-hop slot file, and so how many bytes it will have. */

import { deflateRawSync } from 'node:zlib';
import { partBytes } from '../build';
import { CRC_BYTES, HEADER_BYTES, IROM_OFFSET, LINE_BYTES, SEGMENT_HEADER_BYTES } from '../format';
import { SECTOR_BYTES } from '../flash-map';
import { DESCRIPTOR_BYTES, type Coding } from './descriptor';
import { RELOCATOR } from './relocator';

/** Bytes; offsets count from the start of the slot file. */
export interface Layout {
  readonly payloadOffset: number;
  /** The payload with its padding: what the header calls irom. */
  readonly iromLength: number;
  readonly descriptorOffset: number;
  readonly imageLength: number;
}

export interface Payload {
  readonly coding: Coding;
  readonly bytes: Uint8Array;
}

/** The relocator reports behind the image, in the same sector (firmware/one-hop/report.h). */
export const REPORT_BYTES = 20;

/** The relocator's own segments, with their headers. */
const RELOCATOR_BYTES = relocatorSegments().reduce((sum, { data }) => sum + SEGMENT_HEADER_BYTES + data.length, 0);

/** The code and the data that the loader puts into RAM. */
export function relocatorSegments(): { address: number; data: Buffer }[] {
  return RELOCATOR.segments.map(({ address, data }) => ({ address, data: Buffer.from(data, 'base64') }));
}

/** The final image in the form that takes less room. */
export function payloadOf(final: Uint8Array): Payload {
  const packed = deflateRawSync(final, { level: 9, memLevel: 9 });
  return packed.length < final.length ? { coding: 'deflate', bytes: packed } : { coding: 'raw', bytes: final };
}

export function layoutFor(payloadLength: number): Layout {
  const layout = layoutOf(Math.ceil(payloadLength / LINE_BYTES) * LINE_BYTES);
  const left = SECTOR_BYTES - (layout.imageLength % SECTOR_BYTES);
  return left < REPORT_BYTES ? layoutOf(layout.iromLength + LINE_BYTES) : layout;
}

function layoutOf(iromLength: number): Layout {
  const inner = IROM_OFFSET + iromLength;
  const descriptorOffset = inner + HEADER_BYTES + RELOCATOR_BYTES + SEGMENT_HEADER_BYTES;
  const end = descriptorOffset + DESCRIPTOR_BYTES;
  return {
    payloadOffset: IROM_OFFSET,
    iromLength,
    descriptorOffset,
    imageLength: inner + partBytes(end - inner) + CRC_BYTES,
  };
}
