/* The flash, a sector at a time: nothing is written that is there already, and nothing is believed that was not read back. */
#ifndef ONE_HOP_FLASH_H
#define ONE_HOP_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#define SECTOR_BYTES 4096u
#define SECTOR_WORDS (SECTOR_BYTES / 4)

/* Reads whole words: up to three bytes more than asked for. The address is a multiple of four. */
bool flash_read(uint32_t address, void *to, uint32_t bytes);

/* Makes a sector hold these words, or nothing (all ones) for NULL. False where it will not take them. */
bool flash_put_sector(uint32_t address, const uint32_t *wanted);

/* Copies whole sectors. The first comes last: until it is there, the copy does not look like an image. */
bool flash_copy(uint32_t from, uint32_t to, uint32_t bytes);

/* Goes on with a CRC over bytes of the flash. False where they cannot be read. */
bool flash_crc(uint32_t *crc, uint32_t address, uint32_t bytes);

#endif
