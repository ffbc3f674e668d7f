import { inflateRawSync } from 'node:zlib';
import { type Flash, SECTOR, type Slot, SLOT_ADDRESS } from './flash';
import { report } from './report';

/** What the program in a one-hop file knows of the file: the last of the segments that the loader puts into RAM. */
const MARK = 'ONEHOP01';
const DESCRIPTION = 40;
const LARGEST = 0x73000;

/** Whether the slot holds an image that carries a final one. */
export function isOneHop(flash: Flash, slot: Slot): boolean {
  return describe(flash, slot) !== undefined;
}

/**
 * Does what the program in a one-hop file does at its first start from this slot: it checks all before it writes
 * anything, moves to slot 2 where it runs from slot 1, and writes sector 0 last (esp8266-images 5.2). Resolves with the
 * size of the image that stands at flash 0 then.
 */
export function oneHop(flash: Flash, start: Slot): number {
  const about = describe(flash, start);
  if (about === undefined) throw new Error('this is no one-hop file');
  const from = SLOT_ADDRESS[start];
  const file = Buffer.from(flash.bytes.subarray(from, from + about.length));
  const crc = crcOf(file.subarray(0, -4));
  // The tools of the chip's maker write it in a form of their own.
  const stored = crc > 0x7fffffff ? 0xffffffff - crc : crc + 1;
  if (about.length > LARGEST || file.readUInt32LE(file.length - 4) !== stored) throw new Error('the file is damaged');
  const payload = file.subarray(about.payload, about.payload + about.packed);
  const image = about.isDeflated ? inflateRawSync(payload) : payload;
  if (image.length !== about.size || crcOf(image) !== about.crc) throw new Error('the image in it is damaged');
  if (start === 1) {
    flash.erase(SLOT_ADDRESS[2] / SECTOR, Math.ceil(file.length / SECTOR));
    flash.program(SLOT_ADDRESS[2], file);
    report('moved', { to: 2 });
  }
  const sectors = Math.ceil(image.length / SECTOR);
  flash.erase(1, sectors - 1);
  flash.program(SECTOR, image.subarray(SECTOR));
  flash.erase(0);
  flash.program(0, image.subarray(0, SECTOR));
  report('relocated', { from: start, bytes: image.length });
  return image.length;
}

function describe(flash: Flash, slot: Slot) {
  const start = SLOT_ADDRESS[slot];
  const { bytes } = flash;
  if (!flash.boots(slot)) return undefined;
  let at = start + 16 + bytes.readUInt32LE(start + 12);
  const segments = bytes[at + 1]!;
  let length = 0;
  at += 8;
  for (let segment = 0; segment < segments; segment++) {
    at += length;
    length = bytes.readUInt32LE(at + 4);
    at += 8;
  }
  if (length !== DESCRIPTION || bytes.toString('latin1', at, at + 8) !== MARK) return undefined;
  const word = (index: number) => bytes.readUInt32LE(at + 8 + 4 * index);
  return {
    isDeflated: word(1) === 1,
    length: word(2),
    payload: word(4),
    packed: word(5),
    size: word(6),
    crc: word(7),
  };
}

function crcOf(bytes: Buffer): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ -1) >>> 0;
}
