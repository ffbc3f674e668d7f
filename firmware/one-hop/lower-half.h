/* Whether the place of the new firmware can be written at all. */
#ifndef ONE_HOP_LOWER_HALF_H
#define ONE_HOP_LOWER_HALF_H

#include "report.h"

/*
 * Erases and writes a sector of the lower half in which nothing is, and leaves it blank again. The stock firmware has shown
 * by its update only that the other slot takes that, and some chips can have a part of them write-protected.
 */
enum proof lower_half_proof(void);

#endif
