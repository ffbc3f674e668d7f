/*
 * A stand-in for the parts of a Sonoff that the relocator meets: the flash, the boot ROM's functions, Espressif's boot
 * loader. It holds no line of theirs: it does what docs/dev/esp8266-images.md#2 and #5.4 say of them, and is stricter
 * where a real one would crash.
 *
 * It plays any number of cases in one run. Each begins with the same flash and a cold boot, perhaps with a few bytes
 * changed and with a power cut at one of the relocator's writes, and ends when something has started that is not the
 * relocator, or nothing will. Then it tells how, and what the flash holds.
 */
#ifndef STAND_IN_H
#define STAND_IN_H

#include <stdbool.h>
#include <stdint.h>

#define SECTOR_BYTES 4096u

/* Where the driver (emulator.ts) puts what it gives. */
#define FLASH ((uint8_t *)0x51000000)
#define ORIGINAL ((uint8_t *)0x51800000)
#define SETTINGS ((const struct settings *)0x52000000)

enum cut_kind { CUT_BEFORE = 0, CUT_MIDDLE = 1, CUT_AFTER = 2 };

/* All words, as the driver writes them. */
struct one_case {
    /* The power cut: at which of all erases and writes, counted from 1; 0 for none. */
    uint32_t cut_operation;
    uint32_t cut_kind;
    /* And another one, so many operations after it. */
    uint32_t second_cut_operation;
    uint32_t second_cut_kind;
    uint32_t seed;
    /* Bytes that are not as in the original: each is (byte & change_and) ^ change_xor. */
    uint32_t change_address;
    uint32_t change_length;
    uint32_t change_and;
    uint32_t change_xor;
    /* The flash does not do what it is told, in this many bytes from there on. */
    uint32_t fault_address;
    uint32_t fault_length;
    /* Of enum fault, any number. */
    uint32_t fault_kinds;
    /* So many erases or writes there still go well; then so many do not. */
    uint32_t fault_after;
    uint32_t fault_count;
    /* How often somebody cuts the power of a device that waits for that. */
    uint32_t power_cycles;
};

enum fault {
    /* An erase changes nothing, or a write. */
    FAULT_ERASE = 1,
    FAULT_WRITE = 2,
    /* One bit of a word goes its own way: as 0 after an erase, or as 1 after a write. */
    FAULT_STUCK_BIT = 4,
    /* The ROM reports that it has failed. */
    FAULT_REPORTED = 8,
    /* What was written is gone at the next start. */
    FAULT_FORGETS = 16,
};

struct settings {
    uint32_t flash_bytes;
    /* Of the boot loader, such as 6 for boot_v1.6. */
    uint32_t loader_version;
    uint32_t count;
    struct one_case cases[];
};

enum ending {
    /* Sector 0 is not the boot loader any more, but a whole image. */
    NEW_FIRMWARE,
    /* The loader has started an image that is not the relocator. */
    OTHER_FIRMWARE,
    /* Sector 0 holds nothing that the ROM starts: only a serial adapter helps. */
    DEAD,
    /* The loader found nothing to start and stays so. */
    LOADER_HANGS,
    /* It jumped into what it had overwritten, or the code that was started crashed. */
    CRASHED,
    /* The relocator has given up, and waits. */
    STOPPED,
    /* It restarts again and again. */
    RESTARTS,
    /* Nothing came to an end. */
    HANGS,
    /* The relocator called the ROM in a way that a real one may not bear, or touched what it must not. */
    MISUSE,
};

/* boot.c: the ROM's first part, and how a case ends */
void start_rom(void) __attribute__((noreturn));
void on_own_stack(void (*function)(void)) __attribute__((noreturn));
void reset(bool power_cut) __attribute__((noreturn));
void end(enum ending ending, uint32_t slot) __attribute__((noreturn));
/* The stand-in's own diagnosis, for MISUSE. */
void misuse(const char *what) __attribute__((noreturn));

/* loader.c */
void run_loader(void) __attribute__((noreturn));
/* Copies the segments of a v1 image. Gives its entry; 0 where its checksum is wrong. */
uint32_t load_image(uint32_t address, bool *has_hurt_loader, bool *is_relocator);

/* rom.c */
void rom_begin_case(const struct one_case *of);
uint32_t rom_operations(void);
uint32_t rom_cut_address(void);
uint32_t rom_instructions(void);
/* The sector that was erased most, and how often. */
uint32_t rom_most_erased(uint32_t *times);
/* One that may lose what it holds: an erase or a write was cut off there, and it was not erased again. */
uint32_t rom_weak_sector(void);
/* How long the relocator has waited for anything, in ms, since the case began. */
uint32_t rom_paused_ms(void);
/* At every start: the ROM's own variables, and what a faulty flash does then. */
void rom_start(void);
void rom_enter_image(void);
uint32_t word_at(uint32_t address);

/* semihosting.c */
void write_out(int descriptor, const void *bytes, uint32_t count);
void write_text(int descriptor, const char *text);
void write_number(int descriptor, uint32_t value);
void leave(int code) __attribute__((noreturn));

#endif
