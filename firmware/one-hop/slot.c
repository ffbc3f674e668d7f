#include "slot.h"

#include "crc.h"
#include "descriptor.h"
#include "flash.h"

/* First two bytes of an image for a slot (esptool's firmware image format, version 2). */
#define MAGIC 0x04eau

bool slot_has_image(uint32_t slot)
{
    uint32_t header;
    return flash_read(slot, &header, sizeof header) && (header & 0xffff) == MAGIC;
}

bool slot_retire(uint32_t slot)
{
    return flash_keep_sector(slot) && (flash_write_sector(slot, 0) || !flash_is_kept());
}

bool slot_has_our_descriptor(uint32_t slot)
{
    struct descriptor there;
    if (!flash_read(slot + descriptor.descriptor_offset, &there, sizeof there)) {
        return false;
    }
    const uint32_t *ours = (const uint32_t *)&descriptor;
    for (uint32_t word = 0; word < sizeof there / 4; word++) {
        if (((const uint32_t *)&there)[word] != ours[word]) {
            return false;
        }
    }
    return true;
}

/* The CRC-32 behind an image stands there as Espressif's gen_appbin.py writes it. */
static uint32_t as_stored(uint32_t crc)
{
    return (crc & 0x80000000u) ? ~crc : crc + 1;
}

bool slot_is_ours(uint32_t slot)
{
    uint32_t covered = descriptor.image_length - 4;
    uint32_t stored;
    uint32_t crc = CRC_START;
    return slot_has_image(slot) && slot_has_our_descriptor(slot) && flash_read(slot + covered, &stored, sizeof stored) &&
           flash_crc(&crc, slot, covered) && as_stored(~crc) == stored;
}
