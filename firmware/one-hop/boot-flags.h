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

/*
 * Leaves nothing of the parameters, once no loader needs them any more. At every moment the SDK of the new firmware would
 * find either all of the old ones or none: it starts with whatever it finds, whole or not (esp8266/Arduino#1010).
 */
void boot_flags_clear(const struct flash_map *map);

#endif
