#include "flash.h"

#include <stddef.h>

#include "crc.h"
#include "rom.h"

#define ERASED 0xffffffffu
#define TRIES 4

/* One sector as it is, and one as it shall be. */
static uint32_t found[SECTOR_WORDS];
static uint32_t copied[SECTOR_WORDS];

bool flash_read(uint32_t address, void *to, uint32_t bytes)
{
    return SPIRead(address, to, (bytes + 3) & ~3u) == 0;
}

static bool holds(uint32_t address, const uint32_t *wanted)
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

bool flash_put_sector(uint32_t address, const uint32_t *wanted)
{
    for (int tries = 0; !holds(address, wanted); tries++) {
        if (tries == TRIES) {
            return false;
        }
        if (SPIEraseSector(address / SECTOR_BYTES) == 0 && wanted) {
            SPIWrite(address, wanted, SECTOR_BYTES);
        }
    }
    return true;
}

static bool copy_sector(uint32_t from, uint32_t to)
{
    return flash_read(from, copied, SECTOR_BYTES) && flash_put_sector(to, copied);
}

bool flash_copy(uint32_t from, uint32_t to, uint32_t bytes)
{
    for (uint32_t offset = SECTOR_BYTES; offset < bytes; offset += SECTOR_BYTES) {
        if (!copy_sector(from + offset, to + offset)) {
            return false;
        }
    }
    return copy_sector(from, to);
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
