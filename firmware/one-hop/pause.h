/* Waiting, in which nothing is erased. */
#ifndef ONE_HOP_PAUSE_H
#define ONE_HOP_PAUSE_H

#include <stdint.h>

void pause_ms(uint32_t milliseconds);

#endif
