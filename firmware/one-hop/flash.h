/*
 * The flash, a sector at a time. Nothing is believed that was not read back, and everything is tried a limited number of
 * times, with a pause that grows: a sector that does not take is not worn out.
 */
#ifndef ONE_HOP_FLASH_H
#define ONE_HOP_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#define SECTOR_BYTES 4096u
#define SECTOR_WORDS (SECTOR_BYTES / 4)

/* Reads whole words: up to three bytes more than asked for. The address is a multiple of four. */
bool flash_read(uint32_t address, void *to, uint32_t bytes);

/* Whether a sector holds these words, or nothing (all ones) for NULL. */
bool flash_holds(uint32_t address, const uint32_t *wanted);

/* Erases a sector and writes these words to it; only erases it for NULL. False where it does not take them. */
bool flash_write_sector(uint32_t address, const uint32_t *wanted);

/* Erases a sector and writes the same again. */
bool flash_refresh_sector(uint32_t address);

/* Remembers what a sector holds, to tell later whether it still does, or to write that again. One sector, and not for long. */
bool flash_keep_sector(uint32_t address);
bool flash_is_kept(void);
bool flash_restore_sector(void);

/*
 * The next sector of a row, upwards, of which a cut of the power may have left a part done: what holds its words already
 * is not written again. The last one of those may be what the cut met, and a sector that was cut off can read right and
 * yet be weak; so that one is written again before the first that does not hold its words, or at the end of the row.
 */
bool flash_put_next(uint32_t address, const uint32_t *wanted);
bool flash_end_row(void);

/* Clears bits without an erase. False where they do not all read back. Whole words. */
bool flash_program(uint32_t address, const uint32_t *words, uint32_t bytes);

/* Copies whole sectors. The first comes last: until it is there, the copy does not look like an image. */
bool flash_copy(uint32_t from, uint32_t to, uint32_t bytes);

/* Goes on with a CRC over bytes of the flash. False where they cannot be read. */
bool flash_crc(uint32_t *crc, uint32_t address, uint32_t bytes);

/* The sector that was the last not to take what was to be written. */
uint32_t flash_failed_at(void);

#endif
