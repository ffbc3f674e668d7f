/*
 * What the relocator has met, for whoever reads the flash afterwards: it has no other voice. The words lie right behind
 * the image in its slot, where the packer leaves room for them and the stock firmware fills up with ones. Each is written
 * once, without an erase, and where one is filled already it stays.
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
    /* One of enum end, where it did not come to a good one. */
    REPORT_END,
    /* The sector that did not take, where one did not. */
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

/* Reports for the image in the slot at this address from now on: the mark and the status register first. */
void report_begin(uint32_t slot);

/* Before the above, nothing is written. */
void report(enum report_word word, uint32_t value);

#endif
