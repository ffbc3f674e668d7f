#include "restart.h"

#include <stdint.h>

#include "rom.h"

/* One restart from slot 1 to slot 2 is the rule, and one back to the stock firmware the exception. */
#define MOST_RESTARTS 3

/*
 * The last word of the clock's user memory, which a restart leaves alone and a power-on fills with anything. The loader
 * counts at 0x600011DC, eboot reads at 0x60001200.
 */
#define COUNT (*(volatile uint32_t *)0x600013fc)
#define MARK 0x4f4e4500u /* "ONE", and the count */
#define COUNT_BITS 0xffu

static uint32_t count(void)
{
    uint32_t word = COUNT;
    return (word & ~COUNT_BITS) == MARK ? word & COUNT_BITS : 0;
}

bool restart_is_left(void)
{
    return count() < MOST_RESTARTS;
}

static void __attribute__((noreturn)) reset(void)
{
    software_reset();
    __builtin_unreachable();
}

void restart(void)
{
    COUNT = MARK | (count() + 1);
    reset();
}

void restart_for_good(void)
{
    COUNT = 0;
    reset();
}
