#include "boot-flags.h"

#include "flash.h"

/*
 * The SDK's parameters stand in two sectors, A and B, and the first byte of a third one says which is current. Their
 * first two bytes are the loader's: flags, and its own version with the boot mode. Sources: boot_v1.2 to 1.7 and
 * system_upgrade_reboot of the SDK 2.0; esp-open-rtos core/app_main.c for the third sector.
 */
#define VERSION(word) ((word) >> 8 & 0x1f)
#define VERSION_NONE 0x1f
/* Up to this version the low four bits of the flags are the slot, less one. */
#define LAST_PLAIN_VERSION 2
#define PLAIN_BITS 0x0fu

/* Newer ones have the slot, less one, in two bits, and one that says it has not failed: without it, the other is meant. */
#define BIN_BITS 0x03u
#define NOT_FAILED 0x04u
/* In the version's byte. Without it the loader takes an address from the flags instead of a slot. */
#define NORMAL_MODE 0x8000u

static uint32_t sector[SECTOR_WORDS];

static bool is_plain(uint32_t word)
{
    return VERSION(word) <= LAST_PLAIN_VERSION || VERSION(word) == VERSION_NONE;
}

/* The first word of the parameters, with the flags for this slot. */
static uint32_t for_slot(uint32_t word, int slot)
{
    uint32_t bin = slot - 1;
    if (is_plain(word)) {
        return (word & ~PLAIN_BITS) | bin;
    }
    return (word & ~BIN_BITS) | NORMAL_MODE | NOT_FAILED | bin;
}

static uint32_t selector_address(const struct flash_map *map)
{
    return map->parameters + 2 * SECTOR_BYTES;
}

/* Reads the current parameters into the buffer; gives the number of their sector, 0 or 1. */
static int read_current(const struct flash_map *map)
{
    uint32_t selector = 0;
    flash_read(selector_address(map), &selector, sizeof selector);
    int current = (selector & 0xff) != 0;
    flash_read(map->parameters + current * SECTOR_BYTES, sector, SECTOR_BYTES);
    return current;
}

int boot_flags_slot(const struct flash_map *map)
{
    read_current(map);
    uint32_t word = sector[0];
    if (is_plain(word)) {
        return (word & PLAIN_BITS) == 1 ? 2 : 1;
    }
    uint32_t second = (word & NOT_FAILED) ? 1 : 0;
    return (word & BIN_BITS) == second ? 2 : 1;
}

/*
 * As the loader leaves it: nothing behind the first word, so no checksum of the SDK that would not fit. Erased it names
 * B, so at every moment one of the two is current, whole either way.
 */
static bool make_current(const struct flash_map *map, int number)
{
    for (uint32_t word = 0; word < SECTOR_WORDS; word++) {
        sector[word] = 0xffffffffu;
    }
    sector[0] = 0xffffff00u | number;
    return flash_write_sector(selector_address(map), sector);
}

enum selection boot_flags_select(const struct flash_map *map, int slot)
{
    int other = 1 - read_current(map);
    uint32_t wanted = for_slot(sector[0], slot);
    if (sector[0] == wanted) {
        return SELECTION_KEPT;
    }
    sector[0] = wanted;
    bool changed = flash_write_sector(map->parameters + other * SECTOR_BYTES, sector) && make_current(map, other);
    return changed ? SELECTION_CHANGED : SELECTION_FAILED;
}

void boot_flags_clear(const struct flash_map *map)
{
    int current = read_current(map);
    int other = 1 - current;
    if (flash_write_sector(map->parameters + other * SECTOR_BYTES, 0) && make_current(map, other) &&
        flash_write_sector(map->parameters + current * SECTOR_BYTES, 0)) {
        flash_write_sector(selector_address(map), 0);
    }
}
