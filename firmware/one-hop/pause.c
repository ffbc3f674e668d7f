#include "pause.h"

#include "rom.h"

void pause_ms(uint32_t milliseconds)
{
    /* The ROM counts cycles in 32 bits, so a long pause does not fit into one call. */
    for (; milliseconds > 1000; milliseconds -= 1000) {
        ets_delay_us(1000000);
    }
    ets_delay_us(milliseconds * 1000);
}
