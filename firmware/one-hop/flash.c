#include "flash.h"

#include <stddef.h>

#include "crc.h"
#include "pause.h"
#include "rom.h"

#define ERASED 0xffffffffu

/* How often a sector is tried; the pause before the second try, and what each further one is longer by. */
#define TRIES 4
#define FIRST_PAUSE_MS 10u
#define PAUSE_GROWTH 4u

#define NONE 0xffffffffu

/* One sector as it is, one to be copied, and one as it was. */
static uint32_t found[SECTOR_WORDS];
static uint32_t copied[SECTOR_WORDS];
static uint32_t kept[SECTOR_WORDS];
static uint32_t kept_address;

/* Of the row: the last sector that held its words already. */
static uint32_t last_held = NONE;
static uint32_t failed_at = NONE;

bool flash_read(uint32_t address, void *to, uint32_t bytes)
{
    return SPIRead(address, to, (bytes + 3) & ~3u) == 0;
}

bool flash_holds(uint32_t address, const uint32_t *wanted)
{
    if (!flash_read(address, found, SECTOR_BYTES)) {
        return false;
    }
    for (uint32_t word = 0; word < SECTOR_WORDS; word++) {
        if (found[word] != (wanted ? wanted[word] : ERASED)) {
            return false;
        }
    }
    return true;
}

bool flash_write_sector(uint32_t address, const uint32_t *wanted)
{
    uint32_t pause = FIRST_PAUSE_MS;
    for (int tries = 0; tries < TRIES; tries++) {
        if (tries > 0) {
            pause_ms(pause);
            pause *= PAUSE_GROWTH;
        }
        /* What did not let itself be erased is not written over: it may yet be whole. */
        if (SPIEraseSector(address / SECTOR_BYTES) != 0 || !flash_holds(address, NULL)) {
            continue;
        }
        if (!wanted || (SPIWrite(address, wanted, SECTOR_BYTES) == 0 && flash_holds(address, wanted))) {
            return true;
        }
    }
    failed_at = address;
    return false;
}

bool flash_refresh_sector(uint32_t address)
{
    return flash_keep_sector(address) && flash_restore_sector();
}

bool flash_keep_sector(uint32_t address)
{
    kept_address = address;
    return flash_read(address, kept, SECTOR_BYTES);
}

bool flash_is_kept(void)
{
    return flash_holds(kept_address, kept);
}

bool flash_restore_sector(void)
{
    return flash_write_sector(kept_address, kept);
}

bool flash_put_next(uint32_t address, const uint32_t *wanted)
{
    if (flash_holds(address, wanted)) {
        last_held = address;
        return true;
    }
    return flash_end_row() && flash_write_sector(address, wanted);
}

bool flash_end_row(void)
{
    uint32_t address = last_held;
    last_held = NONE;
    return address == NONE || flash_refresh_sector(address);
}

bool flash_program(uint32_t address, const uint32_t *words, uint32_t bytes)
{
    if (SPIWrite(address, words, bytes) != 0 || !flash_read(address, found, bytes)) {
        return false;
    }
    for (uint32_t word = 0; word < bytes / 4; word++) {
        if (found[word] != words[word]) {
            return false;
        }
    }
    return true;
}

bool flash_copy(uint32_t from, uint32_t to, uint32_t bytes)
{
    for (uint32_t offset = SECTOR_BYTES; offset < bytes; offset += SECTOR_BYTES) {
        if (!flash_read(from + offset, copied, SECTOR_BYTES) || !flash_put_next(to + offset, copied)) {
            return false;
        }
    }
    return flash_end_row() && flash_read(from, copied, SECTOR_BYTES) && flash_write_sector(to, copied);
}

bool flash_crc(uint32_t *crc, uint32_t address, uint32_t bytes)
{
    while (bytes > 0) {
        uint32_t count = bytes < SECTOR_BYTES ? bytes : SECTOR_BYTES;
        if (!flash_read(address, found, count)) {
            return false;
        }
        *crc = crc_update(*crc, (const uint8_t *)found, count);
        address += count;
        bytes -= count;
    }
    return true;
}

uint32_t flash_failed_at(void)
{
    return failed_at;
}
