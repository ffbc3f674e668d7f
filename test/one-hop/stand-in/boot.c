/* A boot from its first instruction, and the cases one after the other. */
#include "stand-in.h"

#define DATA_RAM ((uint32_t *)0x3ffe8000)
#define DATA_RAM_END ((uint32_t *)0x40000000)
#define CODE_RAM ((uint32_t *)0x40100000)
#define CODE_RAM_END ((uint32_t *)0x40110000)
/* UART, SPI, pins, clock: none of it is the relocator's. */
#define PERIPHERALS ((uint32_t *)0x60000000)
#define PERIPHERALS_END ((uint32_t *)0x60001000)
#define CLOCK_MEMORY ((uint32_t *)0x60001000)
#define CLOCK_MEMORY_END ((uint32_t *)0x60001400)

/* What RAM holds after power has come: anything. As code it is an illegal instruction. */
#define NOISE 0xa5a5a5a5u
#define ILLEGAL 0u

/* Of 40 million a second, in the emulator's time. */
#define CASE_CYCLES (30u * 40000000u)
#define TIMER_INTERRUPT (1u << 6)
#define MOST_RESETS 24

enum { OUT = 1, DIAGNOSIS = 2 };

static uint32_t number;
static uint32_t resets;
static uint32_t power_cycles;

static void fill(uint32_t *from, const uint32_t *to, uint32_t word)
{
    while (from < to) {
        *from++ = word;
    }
}

static bool is_filled(const uint32_t *from, const uint32_t *to, uint32_t word)
{
    while (from < to) {
        if (*from++ != word) {
            return false;
        }
    }
    return true;
}

/* With nothing left in any RAM. */
static void __attribute__((noreturn)) power_on(void)
{
    fill(DATA_RAM, DATA_RAM_END, NOISE);
    fill(CODE_RAM, CODE_RAM_END, ILLEGAL);
    fill(PERIPHERALS, PERIPHERALS_END, NOISE);
    fill(CLOCK_MEMORY, CLOCK_MEMORY_END, NOISE);
    start_rom();
}

static void set_timer(void)
{
    uint32_t now;
    __asm__ volatile("rsr %0, ccount" : "=a"(now));
    __asm__ volatile("wsr %0, ccompare0" : : "a"(now + CASE_CYCLES));
    __asm__ volatile("wsr %0, intenable" : : "a"(TIMER_INTERRUPT));
}

static void __attribute__((noreturn)) begin_case(void)
{
    const struct settings *settings = SETTINGS;
    if (number == settings->count) {
        leave(0);
    }
    const struct one_case *one = &settings->cases[number];
    for (uint32_t word = 0; word < settings->flash_bytes / 4; word++) {
        ((uint32_t *)FLASH)[word] = ((const uint32_t *)ORIGINAL)[word];
    }
    for (uint32_t at = one->change_address; at < one->change_address + one->change_length; at++) {
        FLASH[at] = (FLASH[at] & one->change_and) ^ one->change_xor;
    }
    resets = 0;
    power_cycles = one->power_cycles;
    rom_begin_case(one);
    set_timer();
    power_on();
}

void run_cases(void)
{
    number = 0;
    begin_case();
}

/* The lowest word of the stack that was used. */
static uint32_t stack_bytes(void)
{
    extern uint8_t ROM_STACK[];
    const uint32_t *top = (const uint32_t *)ROM_STACK;
    /* Above what the ROM keeps there for itself. */
    const uint32_t *lowest = (const uint32_t *)0x3fffc718;
    while (lowest < top && *lowest == NOISE) {
        lowest++;
    }
    return (top - lowest) * 4;
}

void end(enum ending ending, uint32_t slot)
{
    if (ending != MISUSE && !is_filled(PERIPHERALS, PERIPHERALS_END, NOISE)) {
        misuse("a peripheral was touched");
    }
    if (ending == STOPPED && power_cycles > 0) {
        power_cycles--;
        reset(true);
    }
    uint32_t times;
    uint32_t most_erased = rom_most_erased(&times);
    write_number(OUT, number);
    write_number(OUT, ending);
    write_number(OUT, slot);
    write_number(OUT, rom_operations());
    write_number(OUT, resets);
    write_number(OUT, rom_cut_address());
    write_number(OUT, rom_instructions());
    write_number(OUT, stack_bytes());
    write_number(OUT, most_erased);
    write_number(OUT, times);
    write_number(OUT, rom_paused_ms());
    write_number(OUT, rom_weak_sector());
    write_text(OUT, "\n");
    write_out(OUT, FLASH, SETTINGS->flash_bytes);
    number++;
    on_own_stack(begin_case);
}

void misuse(const char *what)
{
    write_text(DIAGNOSIS, "case ");
    write_number(DIAGNOSIS, number);
    write_text(DIAGNOSIS, what);
    write_text(DIAGNOSIS, "\n");
    end(MISUSE, 0);
}

void reset(bool power_cut)
{
    if (++resets > MOST_RESETS) {
        end(RESTARTS, 0);
    }
    if (power_cut) {
        if (!is_filled(PERIPHERALS, PERIPHERALS_END, NOISE)) {
            misuse("a peripheral was touched");
        }
        on_own_stack(power_on);
    }
    start_rom();
}

/* An exception, or the timer of a case that has not come to an end. */
void crashed(void)
{
    uint32_t pending;
    __asm__ volatile("rsr %0, interrupt" : "=a"(pending));
    end(pending & TIMER_INTERRUPT ? HANGS : CRASHED, 0);
}

/* Not as code that runs, only as an image: whether the ROM would start what is in sector 0. */
static bool is_whole_image(void)
{
    if (FLASH[0] != 0xe9) {
        return false;
    }
    uint32_t at = 8;
    uint8_t checksum = 0xef;
    for (uint32_t segment = 0; segment < FLASH[1]; segment++) {
        uint32_t length = word_at(at + 4);
        at += 8;
        if (length > SECTOR_BYTES - at) {
            return false;
        }
        while (length--) {
            checksum ^= FLASH[at++];
        }
        if (at > SECTOR_BYTES - 16) {
            return false;
        }
    }
    return FLASH[at | 15] == checksum;
}

/* The boot loader is known by being what it was. */
static bool is_loader(void)
{
    for (uint32_t at = 0; at < SECTOR_BYTES; at++) {
        if (FLASH[at] != ORIGINAL[at]) {
            return false;
        }
    }
    return true;
}

void boot_rom(void)
{
    rom_start();
    if (is_loader()) {
        run_loader();
    }
    end(is_whole_image() ? NEW_FIRMWARE : DEAD, 0);
}
