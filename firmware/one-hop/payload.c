#include "payload.h"

#include "crc.h"
#include "descriptor.h"
#include "flash.h"
#include "inflate.h"

static uint32_t first_sector[SECTOR_WORDS];
static uint32_t sector[SECTOR_WORDS];

/* How far the image has come, and its CRC so far. */
static uint32_t done;
static uint32_t crc;

static bool check_sector(uint32_t *bytes, uint32_t count)
{
    if (count > descriptor.final_length - done) {
        return false;
    }
    crc = crc_update(crc, (const uint8_t *)bytes, count);
    if (done == 0) {
        for (uint32_t word = 0; word < SECTOR_WORDS; word++) {
            first_sector[word] = bytes[word];
        }
    }
    done += count;
    return true;
}

static bool write_sector(uint32_t *bytes, uint32_t count)
{
    uint32_t address = done;
    if (!check_sector(bytes, count)) {
        return false;
    }
    for (uint32_t rest = count; rest < SECTOR_BYTES; rest++) {
        ((uint8_t *)bytes)[rest] = 0xff;
    }
    return address == 0 || flash_put_next(address, bytes);
}

static bool copy_raw(uint32_t address, uint32_t bytes, sector_sink *sink)
{
    while (bytes > 0) {
        uint32_t count = bytes < SECTOR_BYTES ? bytes : SECTOR_BYTES;
        if (!flash_read(address, sector, count) || !sink(sector, count)) {
            return false;
        }
        address += count;
        bytes -= count;
    }
    return true;
}

static bool unpack(uint32_t slot, sector_sink *sink)
{
    done = 0;
    crc = CRC_START;
    uint32_t address = slot + descriptor.payload_offset;
    bool ended = descriptor.coding == CODING_DEFLATE ? inflate(address, descriptor.payload_length, sink)
                                                     : copy_raw(address, descriptor.payload_length, sink);
    return ended && done == descriptor.final_length && ~crc == descriptor.final_crc;
}

bool payload_check(uint32_t slot)
{
    return unpack(slot, check_sector);
}

bool payload_write(uint32_t slot)
{
    if (!unpack(slot, write_sector) || !flash_end_row()) {
        return false;
    }
    crc = crc_update(CRC_START, (const uint8_t *)first_sector, SECTOR_BYTES);
    return flash_crc(&crc, SECTOR_BYTES, descriptor.final_length - SECTOR_BYTES) && ~crc == descriptor.final_crc;
}

bool payload_write_first_sector(void)
{
    return flash_write_sector(0, first_sector);
}
