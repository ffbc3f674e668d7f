/*
 * What the relocator found, to be read from a dump of the flash; it sends nothing. The words follow the image in its slot,
 * where the packer leaves room for them and the stock firmware pads with ones. Each is written once, without an erase; a
 * word that is not blank is left as it is.
 */
#ifndef ONE_HOP_REPORT_H
#define ONE_HOP_REPORT_H

#include <stdint.h>

/* lib/image/one-hop/layout.ts keeps as many bytes free. */
enum report_word {
    REPORT_MARK,
    /* The flash's status register. Its bits differ by vendor, so nothing is decided by them. */
    REPORT_STATUS,
    /* One of enum proof. */
    REPORT_PROOF,
    /* One of enum end; blank after an installation. */
    REPORT_END,
    /* Address of the last sector that could not be written; blank if there was none. */
    REPORT_FAILED_AT,
    REPORT_WORDS,
};

/* Whether the lower half of the flash was shown to take an erase and a write. */
enum proof { PROOF_GIVEN = 1, PROOF_REFUSED = 2, PROOF_NO_BLANK_SECTOR = 3 };

enum end {
    END_PROOF_REFUSED = 1,
    END_STOCK_NOT_RETIRED = 2,
    END_COPY_FAILED = 3,
    END_PAYLOAD_FAILED = 4,
    END_SECTOR_0_FAILED = 5,
    END_FLAGS_FAILED = 6,
    END_NO_IMAGE = 7,
};

/* Starts the report behind the image in the slot at this address: the mark and the status register. */
void report_begin(uint32_t slot);

/* Writes nothing before report_begin. */
void report(enum report_word word, uint32_t value);

#endif
