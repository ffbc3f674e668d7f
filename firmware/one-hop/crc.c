#include "crc.h"

#define POLYNOMIAL 0xedb88320u

static uint32_t table[256];

void crc_prepare(void)
{
    for (uint32_t index = 0; index < 256; index++) {
        uint32_t value = index;
        for (int bit = 0; bit < 8; bit++) {
            value = (value & 1) ? (value >> 1) ^ POLYNOMIAL : value >> 1;
        }
        table[index] = value;
    }
}

uint32_t crc_update(uint32_t crc, const uint8_t *bytes, uint32_t count)
{
    while (count--) {
        crc = (crc >> 8) ^ table[(crc ^ *bytes++) & 0xff];
    }
    return crc;
}
