/*
 * What the relocator knows of the image that it came in. The packer (lib/image/one-hop) writes it as the last RAM
 * segment of a slot file, so the loader's checksum covers it, and it is there before anything in the flash is trusted.
 */
#ifndef ONE_HOP_DESCRIPTOR_H
#define ONE_HOP_DESCRIPTOR_H

#include <stdint.h>

#define DESCRIPTOR_MAGIC_0 0x48454e4fu /* "ONEH" */
#define DESCRIPTOR_MAGIC_1 0x3130504fu /* "OP01" */

enum coding {
    CODING_RAW = 0,
    CODING_DEFLATE = 1,
};

/* Lengths and offsets in bytes; offsets count from the start of the slot file. */
struct descriptor {
    uint32_t magic_0;
    uint32_t magic_1;
    /* Tells builds of the relocator apart: a slot file of another one is another image. */
    uint32_t build;
    /* One of enum coding. */
    uint32_t coding;
    /* The whole slot file, with the CRC-32 in its last four bytes. */
    uint32_t image_length;
    /* Where this descriptor itself lies in the slot file. */
    uint32_t descriptor_offset;
    uint32_t payload_offset;
    uint32_t payload_length;
    /* The final image: its length, and its CRC-32 as zlib has it. */
    uint32_t final_length;
    uint32_t final_crc;
};

/* The one that the loader has put into RAM. */
extern const struct descriptor descriptor;

#endif
