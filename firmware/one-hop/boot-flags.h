/* The flags by which Espressif's loader chooses a slot. */
#ifndef ONE_HOP_BOOT_FLAGS_H
#define ONE_HOP_BOOT_FLAGS_H

#include "flash-map.h"

/* The slot that the loader starts by these flags, and so the one that this code was started from. */
int boot_flags_slot(const struct flash_map *map);

enum selection {
    SELECTION_KEPT,
    SELECTION_CHANGED,
    SELECTION_FAILED,
};

/* Lets the loader start that slot from now on. */
enum selection boot_flags_select(const struct flash_map *map, int slot);

#endif
