/* How Espressif's loader divides the flash. */
#ifndef ONE_HOP_FLASH_MAP_H
#define ONE_HOP_FLASH_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct flash_map {
    /* By the number of the slot; slots[0] is not used. */
    uint32_t slots[3];
    /* Two sectors of the SDK's parameters, and behind them the one that says which is current. */
    uint32_t parameters;
};

/* From the header at 0, where the loader itself reads it. False for a division that no Sonoff has. */
bool flash_map_read(struct flash_map *map);

/* Where a slot is in whichever division; 0 ends them. */
extern const uint32_t flash_map_any_slot[];

#endif
