/* The final image, as it comes out of a slot. */
#ifndef ONE_HOP_PAYLOAD_H
#define ONE_HOP_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Unpacks it and compares its length and CRC-32. Nothing is written. */
bool payload_check(uint32_t slot);

/* Unpacks it again, writes all but its first sector to 0x1000 and up, and checks what then stands there. */
bool payload_write(uint32_t slot);

/* The first sector, which one of the above has unpacked: the new boot loader. */
bool payload_write_first_sector(void);

#endif
