/* The boot ROM's functions that the relocator calls, over a flash in RAM that behaves like one, and whose power may fail. */
#include "stand-in.h"

#define DATA_RAM 0x3ffe8000u
#define DATA_RAM_END 0x40000000u

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
    uint8_t *sector = FLASH + number * SECTOR_BYTES;
    bool fails = is_cut(number * SECTOR_BYTES);
    if (fails && cut_kind == CUT_BEFORE) {
        cut();
    }
    if (fails && cut_kind == CUT_MIDDLE) {
        erase_partly(sector);
        cut();
    }
    for (uint32_t word = 0; word < SECTOR_BYTES / 4; word++) {
        ((uint32_t *)sector)[word] = 0xffffffffu;
    }
    if (fails) {
        cut();
    }
    resume_count();
    return 0;
}

int rom_write(uint32_t address, const uint32_t *from, uint32_t bytes)
{
    pause_count();
    check(address, bytes, (uint32_t)from);
    bool fails = is_cut(address);
    if (fails && cut_kind == CUT_BEFORE) {
        cut();
    }
    uint32_t words = bytes / 4;
    uint32_t *to = (uint32_t *)(FLASH + address);
    if (fails && cut_kind == CUT_MIDDLE) {
        /* Whole sectors and other powers of two are all that is written. */
        words = random() & (words - 1);
        /* The word that was at work has only some of its zeros. */
        to[words] &= from[words] | random();
    }
    /* Programming can only clear bits. */
    for (uint32_t word = 0; word < words; word++) {
        to[word] &= from[word];
    }
    if (fails) {
        cut();
    }
    resume_count();
    return 0;
}

void rom_watchdog_disable(void)
{
}

/* The relocator waits for nothing; only one that has given up calls this. */
void rom_delay(uint32_t microseconds)
{
    (void)microseconds;
    pause_count();
    end(STOPPED, 0);
}

void rom_software_reset(void)
{
    pause_count();
    reset(false);
}
