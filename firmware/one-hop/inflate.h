/* Deflate (RFC 1951), from the flash to the sectors that come out of it. */
#ifndef ONE_HOP_INFLATE_H
#define ONE_HOP_INFLATE_H

#include <stdbool.h>
#include <stdint.h>

/* Takes the next sector, in order; the last may have fewer bytes. False ends the whole. The bytes may be changed. */
typedef bool sector_sink(uint32_t *sector, uint32_t bytes);

/*
 * Unpacks the bytes at this address, a multiple of four. False where they are no deflate stream, end too early, or the
 * sink does not want more. What stands behind the stream is not looked at.
 */
bool inflate(uint32_t address, uint32_t bytes, sector_sink *sink);

#endif
