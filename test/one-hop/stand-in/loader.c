/*
 * Espressif's boot loader, as far as the choice of a slot and the start of its image go
 * (docs/dev/esp8266-images.md#2.2, #2.3, from the disassembly of boot_v1.2 to 1.7).
 */
#include "stand-in.h"

/* Its own code and data while it loads. */
#define LOADER_CODE 0x40100000u
#define LOADER_CODE_END 0x40100a20u
#define LOADER_DATA 0x3ffe8000u
#define LOADER_DATA_END 0x3ffe85a0u
/* What an image can be loaded to. The ROM's own variables and its stack are behind. */
#define DATA_RAM 0x3ffe8000u
#define DATA_RAM_END 0x3fffc000u
#define CODE_RAM 0x40100000u
#define CODE_RAM_END 0x40110000u

/* v1.7 counts its tries here, in the clock's memory, which a restart leaves alone. */
#define TRIES (*(volatile uint32_t *)0x600011dc)
#define TRIES_MARK 0x5a5a5a00u
#define MOST_TRIES 3

/*
 * Of the init data: with anything in this byte the loader asks a pin which image to start
 * (docs/dev/esp8266-images.md#2.2).
 */
#define TEST_BIN_BYTE 119

#define VERSION_BITS 0x1f
#define NORMAL_MODE 0x80
#define NOT_FAILED 0x04
#define BIN_BITS 0x03

static uint32_t parameters;
static uint32_t second_slot;

static void find_map(void)
{
    uint32_t code = FLASH[3] >> 4;
    bool is_large = code == 5 || code == 6;
    second_slot = is_large ? 0x101000 : 0x81000;
    parameters = SETTINGS->flash_bytes - 3 * SECTOR_BYTES;
}

static uint8_t *current_flags(void)
{
    bool is_second = FLASH[parameters + 2 * SECTOR_BYTES] != 0;
    return FLASH + parameters + (is_second ? SECTOR_BYTES : 0);
}

/* The other sector gets a copy with the new flags, and becomes the current one. */
static void save_flags(uint8_t flags, uint8_t version)
{
    bool is_second = FLASH[parameters + 2 * SECTOR_BYTES] != 0;
    uint8_t *from = FLASH + parameters + (is_second ? SECTOR_BYTES : 0);
    uint8_t *to = FLASH + parameters + (is_second ? 0 : SECTOR_BYTES);
    uint8_t *selector = FLASH + parameters + 2 * SECTOR_BYTES;
    for (uint32_t at = 0; at < SECTOR_BYTES; at++) {
        to[at] = from[at];
        selector[at] = 0xff;
    }
    to[0] = flags;
    to[1] = version;
    selector[0] = is_second ? 0 : 1;
}

static bool overlaps(uint32_t address, uint32_t length, uint32_t from, uint32_t to)
{
    return address < to && address + length > from;
}

static bool is_ram(uint32_t address, uint32_t length)
{
    return length <= DATA_RAM_END - DATA_RAM &&
           ((address >= DATA_RAM && address + length <= DATA_RAM_END) ||
            (address >= CODE_RAM && address + length <= CODE_RAM_END));
}

uint32_t load_image(uint32_t address, bool *has_hurt_loader, bool *is_relocator)
{
    uint32_t count = FLASH[address + 1];
    uint32_t entry = word_at(address + 4);
    uint32_t at = address + 8;
    uint8_t checksum = 0xef;
    for (uint32_t segment = 0; segment < count; segment++) {
        uint32_t target = word_at(at);
        uint32_t length = word_at(at + 4);
        at += 8;
        /* Whatever a real one does here, it does not come back from it. */
        if (!is_ram(target, length) || (target & 3) || (length & 3) || at + length >= SETTINGS->flash_bytes) {
            end(CRASHED, 0);
        }
        *has_hurt_loader |= overlaps(target, length, LOADER_CODE, LOADER_CODE_END) ||
                            overlaps(target, length, LOADER_DATA, LOADER_DATA_END);
        for (uint32_t offset = 0; offset < length; offset += 4) {
            uint32_t word = word_at(at + offset);
            *(uint32_t *)(target + offset) = word;
            checksum ^= word ^ word >> 8 ^ word >> 16 ^ word >> 24;
        }
        /* Only the one-hop image ends with its descriptor (firmware/one-hop/descriptor.h). */
        *is_relocator = word_at(at) == 0x48454e4f;
        at += length;
    }
    return FLASH[address + ((at - address) | 15)] == checksum ? entry : 0;
}

static void __attribute__((noreturn)) give_up(const uint8_t *flags)
{
    if (SETTINGS->loader_version <= 2) {
        end(LOADER_HANGS, 0);
    }
    if (SETTINGS->loader_version == 7) {
        uint32_t tries = (TRIES & 0xffffff00) == TRIES_MARK ? TRIES & 0xff : 0;
        if (++tries < MOST_TRIES) {
            TRIES = TRIES_MARK | tries;
            reset(false);
        }
        TRIES = 0;
    }
    save_flags(flags[0] & ~NOT_FAILED, flags[1]);
    reset(false);
}

static uint32_t chosen_slot(const uint8_t *flags)
{
    if (SETTINGS->loader_version <= 2) {
        uint32_t slot = flags[0] & 0x0f;
        if (slot > 1) {
            end(LOADER_HANGS, 0);
        }
        return slot + 1;
    }
    uint32_t bin = flags[0] & BIN_BITS;
    /* The mode that loads from any address, and numbers that no one has seen. */
    if (!(flags[1] & NORMAL_MODE) || bin > 1) {
        end(LOADER_HANGS, 0);
    }
    return (flags[0] & NOT_FAILED) ? bin + 1 : 2 - bin;
}

void run_loader(void)
{
    find_map();
    if (SETTINGS->loader_version > 2 && FLASH[parameters - SECTOR_BYTES + TEST_BIN_BYTE] != 0) {
        end(LOADER_HANGS, 0);
    }
    const uint8_t *flags = current_flags();
    if ((flags[1] & VERSION_BITS) != SETTINGS->loader_version) {
        uint8_t version = (flags[1] & ~VERSION_BITS) | NORMAL_MODE | SETTINGS->loader_version;
        save_flags(SETTINGS->loader_version <= 2 ? flags[0] & 0xf0 : (flags[0] & ~BIN_BITS) | NOT_FAILED, version);
        flags = current_flags();
    }
    uint32_t slot = chosen_slot(flags);
    uint32_t address = slot == 1 ? 0x1000 : second_slot;
    uint32_t inner = address;
    if ((word_at(address) & 0xffff) == 0x04ea) {
        inner = address + 16 + word_at(address + 12);
    }
    if (inner >= SETTINGS->flash_bytes - 16 || FLASH[inner] != 0xe9) {
        give_up(flags);
    }
    bool has_hurt_loader = false;
    bool is_relocator = false;
    uint32_t entry = load_image(inner, &has_hurt_loader, &is_relocator);
    if (entry == 0) {
        if (has_hurt_loader) {
            end(CRASHED, slot);
        }
        give_up(flags);
    }
    if (!is_relocator) {
        end(OTHER_FIRMWARE, slot);
    }
    rom_enter_image();
    ((void (*)(void))entry)();
    end(CRASHED, slot);
}
