export const FLASH_BYTES = 0x100000;
export const SECTOR_BYTES = 0x1000;

/**
 * A 1 MiB NOR flash: erasing sets a whole 4 KiB sector to FF, programming can only clear bits. A write without an
 * erase before it therefore leaves rubbish, as it does on the chip.
 */
export class FlashMemory {
  readonly bytes: Uint8Array = new Uint8Array(FLASH_BYTES).fill(0xff);
  /** First and last sector that take no erase and no write, without a word of it. */
  refusing: readonly [first: number, last: number] | undefined;

  /** Erases one sector. Throws RangeError for a sector that the chip does not have. */
  eraseSector(sector: number): void {
    if (!Number.isInteger(sector) || sector < 0 || sector >= FLASH_BYTES / SECTOR_BYTES) {
      throw new RangeError(`No flash sector ${sector}`);
    }
    if (this.refuses(sector)) return;
    this.bytes.fill(0xff, sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
  }

  /** Erases sectors `first` to `last`, both included. */
  eraseSectors(first: number, last: number): void {
    for (let sector = first; sector <= last; sector++) this.eraseSector(sector);
  }

  /** Programs `data` at `address`. Throws RangeError where it does not fit. */
  program(address: number, data: Uint8Array): void {
    if (address < 0 || address + data.length > FLASH_BYTES) {
      throw new RangeError(`No flash at 0x${address.toString(16)} for ${data.length} bytes`);
    }
    for (let i = 0; i < data.length; i++) {
      if (!this.refuses(Math.floor((address + i) / SECTOR_BYTES))) this.bytes[address + i]! &= data[i]!;
    }
  }

  private refuses(sector: number): boolean {
    const { refusing } = this;
    return refusing !== undefined && sector >= refusing[0] && sector <= refusing[1];
  }

  /** A copy of `length` bytes at `address`. */
  read(address: number, length: number): Buffer {
    return Buffer.from(this.bytes.subarray(address, address + length));
  }
}
