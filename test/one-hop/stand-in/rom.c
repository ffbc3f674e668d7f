/* The boot ROM's functions that the relocator calls, over a flash in RAM that behaves like one, and whose power may fail. */
#include "stand-in.h"

#define DATA_RAM 0x3ffe8000u
#define DATA_RAM_END 0x40000000u

/* Of 4 MB. */
#define MOST_SECTORS 1024
#define NONE 0xffffffffu
/* Whoever waits so long without an erase or a write waits for a power cut. */
#define PATIENCE_MS (60u * 60 * 1000)

/* Where the boot ROM has its pointer to what it knows of the chip. */
#define FLASH_CHIP (*(uint32_t *)0x3fffc714)
#define CHIP 0x3fffc700u
/* What this chip's status register says. */
#define STATUS 0x0200u

static const struct one_case *current;
static uint32_t erases[MOST_SECTORS];
/* Sectors in which an erase or a write was cut off, however they read, and that were not erased since. */
static bool weak[MOST_SECTORS];
static uint32_t faults;
static uint32_t paused_us;
static uint32_t paused_ms;
static uint32_t waiting_ms;

static uint32_t operations;
static uint32_t cut_operation;
static uint32_t cut_kind;
/* Counted on from the first cut. */
static uint32_t second_cut_operation;
static uint32_t second_cut_kind;
static uint32_t cut_address;
static uint32_t random_state;
static uint32_t instructions;
static uint32_t entered_at;

static uint32_t cycles(void)
{
    uint32_t value;
    __asm__ volatile("rsr %0, ccount" : "=a"(value));
    return value;
}

/* Of the relocator, not of this: the time between two of its calls. */
static void pause_count(void)
{
    instructions += cycles() - entered_at;
}

static void resume_count(void)
{
    entered_at = cycles();
}

void rom_begin_case(const struct one_case *of)
{
    current = of;
    for (uint32_t sector = 0; sector < MOST_SECTORS; sector++) {
        erases[sector] = 0;
        weak[sector] = false;
    }
    faults = 0;
    paused_us = 0;
    paused_ms = 0;
    waiting_ms = 0;
    operations = 0;
    instructions = 0;
    cut_operation = of->cut_operation;
    cut_kind = of->cut_kind;
    second_cut_operation = of->second_cut_operation;
    second_cut_kind = of->second_cut_kind;
    cut_address = 0xffffffffu;
    random_state = of->seed * 0x85ebca6bu | 1;
    entered_at = cycles();
}

void rom_enter_image(void)
{
    resume_count();
}

void rom_start(void)
{
    FLASH_CHIP = CHIP;
    if (faults && (current->fault_kinds & FAULT_FORGETS)) {
        for (uint32_t at = 0; at < current->fault_length; at++) {
            FLASH[current->fault_address + at] = 0;
        }
    }
}

uint32_t rom_most_erased(uint32_t *times)
{
    uint32_t most = 0;
    for (uint32_t sector = 0; sector < MOST_SECTORS; sector++) {
        if (erases[sector] > erases[most]) {
            most = sector;
        }
    }
    *times = erases[most];
    return most;
}

uint32_t rom_weak_sector(void)
{
    for (uint32_t sector = 0; sector < MOST_SECTORS; sector++) {
        if (weak[sector]) {
            return sector;
        }
    }
    return NONE;
}

uint32_t rom_paused_ms(void)
{
    return paused_ms;
}

uint32_t rom_operations(void)
{
    return operations;
}

uint32_t rom_cut_address(void)
{
    return cut_address;
}

uint32_t rom_instructions(void)
{
    return instructions;
}

static uint32_t random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

uint32_t word_at(uint32_t address)
{
    const uint8_t *bytes = FLASH + address;
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The power goes, and comes back; it may go again. */
static void __attribute__((noreturn)) cut(void)
{
    cut_operation = second_cut_operation ? operations + second_cut_operation : 0;
    cut_kind = second_cut_kind;
    second_cut_operation = 0;
    reset(true);
}

/* Whether the power fails at this operation, which is to be counted. */
static bool is_cut(uint32_t address)
{
    if (++operations != cut_operation) {
        return false;
    }
    cut_address = address;
    return true;
}

/* What of it happens at this operation, which concerns so many bytes. */
static uint32_t fault_at(uint32_t address, uint32_t bytes, uint32_t of_kind)
{
    const struct one_case *one = current;
    bool is_there = address < one->fault_address + one->fault_length && address + bytes > one->fault_address;
    if (!is_there || !(one->fault_kinds & of_kind)) {
        return 0;
    }
    uint32_t past = faults++;
    return past >= one->fault_after && past - one->fault_after < one->fault_count ? one->fault_kinds : 0;
}

static int result(uint32_t fault)
{
    resume_count();
    return (fault & FAULT_REPORTED) ? 1 : 0;
}

static void check(uint32_t address, uint32_t bytes, uint32_t ram)
{
    if ((address | bytes | ram) & 3) {
        misuse("not in whole words");
    }
    if (bytes > SETTINGS->flash_bytes || address > SETTINGS->flash_bytes - bytes) {
        misuse("outside of the flash");
    }
    if (ram < DATA_RAM || ram > DATA_RAM_END - bytes) {
        misuse("outside of the data RAM");
    }
}

int rom_read(uint32_t address, uint32_t *to, uint32_t bytes)
{
    pause_count();
    check(address, bytes, (uint32_t)to);
    const uint32_t *from = (const uint32_t *)(FLASH + address);
    for (uint32_t word = 0; word < bytes / 4; word++) {
        to[word] = from[word];
    }
    resume_count();
    return 0;
}

/* An erase that is cut off leaves a part of the sector blank, or everywhere some of the bits. */
static void erase_partly(uint8_t *sector)
{
    uint32_t blank = random() % SECTOR_BYTES;
    bool is_even = random() & 0x100;
    for (uint32_t at = 0; at < SECTOR_BYTES; at++) {
        if (is_even) {
            sector[at] |= random() >> 8;
        } else if (at < blank) {
            sector[at] = 0xff;
        }
    }
}

int rom_erase_sector(uint32_t number)
{
    pause_count();
    if (number >= SETTINGS->flash_bytes / SECTOR_BYTES) {
        misuse("erase outside of the flash");
    }
    waiting_ms = 0;
    erases[number]++;
    weak[number] = false;
    uint8_t *sector = FLASH + number * SECTOR_BYTES;
    bool is_cut_off = is_cut(number * SECTOR_BYTES);
    if (is_cut_off && cut_kind == CUT_BEFORE) {
        cut();
    }
    weak[number] = is_cut_off;
    uint32_t fault = fault_at(number * SECTOR_BYTES, SECTOR_BYTES, FAULT_ERASE | FAULT_STUCK_BIT | FAULT_FORGETS);
    if (!(fault & FAULT_ERASE)) {
        if (is_cut_off && cut_kind == CUT_MIDDLE) {
            erase_partly(sector);
            cut();
        }
        for (uint32_t word = 0; word < SECTOR_BYTES / 4; word++) {
            ((uint32_t *)sector)[word] = 0xffffffffu;
        }
        if (fault & FAULT_STUCK_BIT) {
            sector[random() % SECTOR_BYTES] &= ~(1u << random() % 8);
        }
    }
    if (is_cut_off) {
        cut();
    }
    return result(fault);
}

int rom_write(uint32_t address, const uint32_t *from, uint32_t bytes)
{
    pause_count();
    check(address, bytes, (uint32_t)from);
    waiting_ms = 0;
    bool is_cut_off = is_cut(address);
    if (is_cut_off && cut_kind == CUT_BEFORE) {
        cut();
    }
    weak[address / SECTOR_BYTES] |= is_cut_off && bytes == SECTOR_BYTES;
    uint32_t fault = fault_at(address, bytes, FAULT_WRITE);
    uint32_t words = (fault & FAULT_WRITE) ? 0 : bytes / 4;
    uint32_t *to = (uint32_t *)(FLASH + address);
    if (is_cut_off && cut_kind == CUT_MIDDLE && words > 0) {
        /* Whole sectors and other powers of two are all that is written. */
        words = random() & (words - 1);
        /* The word that was at work has only some of its zeros. */
        to[words] &= from[words] | random();
    }
    /* Programming can only clear bits. */
    for (uint32_t word = 0; word < words; word++) {
        to[word] &= from[word];
    }
    if (is_cut_off) {
        cut();
    }
    return result(fault);
}

int rom_read_status(uint32_t chip, uint32_t *status)
{
    if (chip != CHIP) {
        misuse("the status of another chip");
    }
    *status = STATUS;
    return 0;
}

void rom_watchdog_disable(void)
{
}

void rom_delay(uint32_t microseconds)
{
    pause_count();
    paused_us += microseconds;
    for (; paused_us >= 1000; paused_us -= 1000) {
        waiting_ms++;
        paused_ms++;
    }
    if (waiting_ms >= PATIENCE_MS) {
        paused_ms -= waiting_ms;
        waiting_ms = 0;
        end(STOPPED, 0);
    }
    resume_count();
}

void rom_software_reset(void)
{
    pause_count();
    reset(false);
}
