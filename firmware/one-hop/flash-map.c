#include "flash-map.h"

#include "flash.h"

/*
 * The high nibble of header byte 3 (esptool's firmware image format; SDK 2.0 libupgrade for where user2 begins):
 * 1, 2 or 4 MB in halves of 512 KB, 2 or 4 MB in halves of 1 MB.
 */
enum { MAP_1MB = 2, MAP_2MB = 3, MAP_4MB = 4, MAP_2MB_LARGE = 5, MAP_4MB_LARGE = 6 };

#define MEGABYTE 0x100000u
#define SLOT_1 0x1000u
#define SLOT_2 0x81000u
#define SLOT_2_LARGE 0x101000u
/* Of 512 KB in halves, which no one hop fits into. */
#define SLOT_2_SMALL 0x41000u
/* The parameters are in the last three sectors of the flash. */
#define PARAMETER_BYTES (3 * SECTOR_BYTES)

const uint32_t flash_map_any_slot[] = {SLOT_1, SLOT_2_SMALL, SLOT_2, SLOT_2_LARGE, 0};

bool flash_map_read(struct flash_map *map)
{
    uint32_t header;
    if (!flash_read(0, &header, sizeof header)) {
        return false;
    }
    uint32_t code = header >> 28;
    if (code < MAP_1MB || code > MAP_4MB_LARGE) {
        return false;
    }
    uint32_t size = MEGABYTE;
    if (code == MAP_2MB || code == MAP_2MB_LARGE) {
        size = 2 * MEGABYTE;
    } else if (code != MAP_1MB) {
        size = 4 * MEGABYTE;
    }
    map->slots[1] = SLOT_1;
    map->slots[2] = code >= MAP_2MB_LARGE ? SLOT_2_LARGE : SLOT_2;
    map->parameters = size - PARAMETER_BYTES;
    return true;
}
