/* Restarts, of which there are only so many after one power-on: whatever goes wrong, nothing goes round for ever. */
#ifndef ONE_HOP_RESTART_H
#define ONE_HOP_RESTART_H

#include <stdbool.h>

bool restart_is_left(void);

/* To whatever the loader starts now; counted. */
void restart(void) __attribute__((noreturn));

/* Into the new firmware, which finds nothing of the count. */
void restart_for_good(void) __attribute__((noreturn));

#endif
