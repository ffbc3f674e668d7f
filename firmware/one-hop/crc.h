/* CRC-32 as zlib, gzip and Ethernet have it (reflected, polynomial EDB88320). */
#ifndef ONE_HOP_CRC_H
#define ONE_HOP_CRC_H

#include <stdint.h>

#define CRC_START 0xffffffffu

/* Makes the table; to be called once, before any other function of this file. */
void crc_prepare(void);

/* Goes on from crc, CRC_START at first. The complement of the last result is the CRC-32. */
uint32_t crc_update(uint32_t crc, const uint8_t *bytes, uint32_t count);

#endif
