import { createHash } from 'node:crypto';

export const SECTOR = 4096;
export const SLOT_ADDRESS = { 1: 0x1000, 2: 0x81000 } as const;
export type Slot = 1 | 2;

/** 1 MiB of NOR flash: an erase sets a sector to FF, programming can only clear bits. */
export class Flash {
  readonly bytes = Buffer.alloc(1 << 20, 0xff);

  erase(firstSector: number, count = 1): void {
    this.bytes.fill(0xff, firstSector * SECTOR, (firstSector + count) * SECTOR);
  }

  program(address: number, data: Uint8Array): void {
    for (let i = 0; i < data.length; i++) this.bytes[address + i]! &= data[i]!;
  }

  sha256(address: number, length: number): string {
    return createHash('sha256')
      .update(this.bytes.subarray(address, address + length))
      .digest('hex');
  }

  /**
   * Whether Espressif's loader would start what stands in a slot: EA 04, the flash-mapped part skipped, then an E9
   * image of RAM segments whose xor checksum fits (esp8266-images 1.1, 1.2, 2.3).
   */
  boots(slot: Slot): boolean {
    const start = SLOT_ADDRESS[slot];
    if (this.bytes[start] !== 0xea || this.bytes[start + 1] !== 4) return false;
    const inner = start + 16 + this.bytes.readUInt32LE(start + 12);
    const limit = Math.min(start + 0x7b000, this.bytes.length);
    if (inner + 16 >= limit || this.bytes[inner] !== 0xe9) return false;
    let at = inner + 8;
    let checksum = 0xef;
    for (let segment = 0; segment < this.bytes[inner + 1]!; segment++) {
      if (at + 8 > limit) return false;
      const end = at + 8 + this.bytes.readUInt32LE(at + 4);
      if (end > limit) return false;
      for (at += 8; at < end; at++) checksum ^= this.bytes[at]!;
    }
    return this.bytes[inner + ((at - inner) | 15)] === checksum;
  }

  /** A stock device: the loader at 0, the running image in its slot, an older one in the other. */
  static stock(): Flash {
    const flash = new Flash();
    flash.program(0, Buffer.from('e9030320', 'hex'));
    for (const address of Object.values(SLOT_ADDRESS)) flash.program(address, Buffer.from('ea04000104001040', 'hex'));
    return flash;
  }
}
