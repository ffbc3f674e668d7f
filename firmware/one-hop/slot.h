/* What is in a slot. */
#ifndef ONE_HOP_SLOT_H
#define ONE_HOP_SLOT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the slot at this address holds the very image that the descriptor in RAM came in, to the last byte. */
bool slot_is_ours(uint32_t slot);

/* Whether the loader would take what is in the slot for an image of either half. */
bool slot_has_image(uint32_t slot);

/*
 * Erases the first sector of the slot, before anything else of it is changed: without it there is no image any more,
 * whatever a cut of the power leaves of the rest. False where that sector is still as it was.
 */
bool slot_retire(uint32_t slot);

/* Whether the slot holds a program of this build, whole or not. */
bool slot_has_our_descriptor(uint32_t slot);

#endif
