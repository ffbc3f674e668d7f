/*
 * The relocator: started by Espressif's boot loader out of either slot, it puts the final image that came with it to the
 * beginning of the flash, where the boot ROM finds it.
 *
 * The order of the steps is what makes a power cut harmless. Until the very last write the boot loader, its flags and the
 * slot that it starts are whole, and every step does nothing where it was done before; so after a cut all begins again.
 * Only between the erase of sector 0 and the end of its write is there no boot loader.
 *
 * If the flash cannot be written, no loop is endless and there are three ways out: hand back to the stock firmware while
 * nothing of it is changed; skip what the new firmware can do without; otherwise wait, dark, for a power cycle.
 *
 * It is silent: on some models the UART speaks to a second controller. It touches no pin: relays and meters hang on them.
 */
#include "boot-flags.h"
#include "crc.h"
#include "descriptor.h"
#include "flash-map.h"
#include "flash.h"
#include "lower-half.h"
#include "pause.h"
#include "payload.h"
#include "report.h"
#include "restart.h"
#include "rom.h"
#include "slot.h"

/*
 * Most that stock firmware takes as an update; what it writes to user2 ends here or before
 * (docs/dev/esp8266-images.md#2.6).
 */
#define LARGEST_IMAGE 0x73000u
/* Two sectors at least: a boot loader and an application. */
#define SMALLEST_FINAL (SECTOR_BYTES + 4)
/* However the flash is divided: what is longer would lie under the slot that it is unpacked from. */
#define LARGEST_FINAL 0x81000u

/*
 * What the new firmware must not find filled. First the settings of Tasmota and ESPHome, which would read the slot's rest
 * or ITEAD's records as their own; ITEAD's calibration of the radio, at 0xFB000, is among them. At 0xFC000 the stock
 * firmware has init data, but the Arduino core its calibration (core_esp8266_phy.cpp, user_rf_cal_sector_set). Behind that
 * are the SDK's parameters.
 */
#define SETTINGS 0xf4000u
#define CALIBRATION 0xfc000u
#define PARAMETERS 0xfd000u
#define PARAMETERS_END 0x100000u

/* Sector 0 has no second place: it is tried again after pauses of 1, 4, 16 and 64 s. */
#define SECTOR_0_ROUNDS 5
#define SECTOR_0_PAUSE_MS 1000u
#define SECTOR_0_PAUSE_GROWTH 4u

static struct flash_map map;

/* Nothing more can be done: after a power cycle it tries again. */
static void __attribute__((noreturn)) wait_for_power_cut(enum end why)
{
    report(REPORT_FAILED_AT, flash_failed_at());
    report(REPORT_END, why);
    for (;;) {
        pause_ms(1000);
    }
}

/* The firmware in the other slot is whole until it is retired. */
static void __attribute__((noreturn)) hand_back(enum end why)
{
    int other = boot_flags_slot(&map) == 1 ? 2 : 1;
    if (!slot_has_image(map.slots[other]) || !restart_is_left()) {
        wait_for_power_cut(why);
    }
    if (boot_flags_select(&map, other) == SELECTION_FAILED) {
        wait_for_power_cut(END_FLAGS_FAILED);
    }
    report(REPORT_FAILED_AT, flash_failed_at());
    report(REPORT_END, why);
    restart();
}

/*
 * In a flash whose division is not known the flags cannot be found; but the loader, which knows it, starts the other slot
 * where there is no image in this one. (boot_v1.2 does not: it hangs.)
 */
static void __attribute__((noreturn)) hand_back_blindly(void)
{
    for (const uint32_t *slot = flash_map_any_slot; *slot && restart_is_left(); slot++) {
        if (slot_has_our_descriptor(*slot) && slot_retire(*slot)) {
            restart();
        }
    }
    wait_for_power_cut(END_NO_IMAGE);
}

/* Whether this many bytes from there on are inside of the image, in front of its CRC-32. */
static bool is_inside(uint32_t offset, uint32_t length)
{
    uint32_t end = descriptor.image_length - 4;
    return (offset & 3) == 0 && offset <= end && length <= end - offset;
}

/* A descriptor that the packer would not write is not worth a look at the flash. */
static bool is_possible(void)
{
    return descriptor.magic_0 == DESCRIPTOR_MAGIC_0 && descriptor.magic_1 == DESCRIPTOR_MAGIC_1 &&
           descriptor.image_length >= SECTOR_BYTES && descriptor.image_length <= LARGEST_IMAGE &&
           (descriptor.image_length & 3) == 0 &&
           is_inside(descriptor.descriptor_offset, sizeof descriptor) &&
           is_inside(descriptor.payload_offset, descriptor.payload_length) &&
           descriptor.final_length >= SMALLEST_FINAL && descriptor.final_length <= LARGEST_FINAL;
}

/* A sector that cannot be erased is left: the new firmware checks its settings. */
static void erase(uint32_t from, uint32_t to)
{
    for (; from < to; from += SECTOR_BYTES) {
        flash_put_next(from, 0);
    }
    flash_end_row();
}

/* The slot that holds this image, whole; after a cut it may be either, or both. Not what the flags say counts. */
static int find_image(void)
{
    for (int slot = 2; slot >= 1; slot--) {
        if (slot_is_ours(map.slots[slot])) {
            return slot;
        }
    }
    hand_back(END_NO_IMAGE);
}

/* The last moment at which everything is as it was. Comes back where what is in that slot may be overwritten. */
static void give_up(int slot)
{
    /* After a cut it may be given up already; and after the move to slot 2, slot 1 has nothing but a copy of this image. */
    if (!slot_has_image(map.slots[slot]) || slot_is_ours(map.slots[slot])) {
        slot_retire(map.slots[slot]);
        return;
    }
    enum proof proof = lower_half_proof();
    report(REPORT_PROOF, proof);
    if (proof == PROOF_REFUSED) {
        hand_back(END_PROOF_REFUSED);
    }
    if (!slot_retire(map.slots[slot])) {
        hand_back(END_STOCK_NOT_RETIRED);
    }
}

static void move_to_slot_2(void)
{
    if (!flash_copy(map.slots[1], map.slots[2], descriptor.image_length) || !slot_is_ours(map.slots[2])) {
        wait_for_power_cut(END_COPY_FAILED);
    }
}

static void write_sector_0(void)
{
    bool is_known = flash_keep_sector(0);
    uint32_t pause = SECTOR_0_PAUSE_MS;
    for (int round = 1; !payload_write_first_sector(); round++) {
        if (round == SECTOR_0_ROUNDS) {
            /* With the old boot loader this would at least be started again. */
            if (is_known && !flash_is_kept()) {
                flash_restore_sector();
            }
            wait_for_power_cut(END_SECTOR_0_FAILED);
        }
        pause_ms(pause);
        pause *= SECTOR_0_PAUSE_GROWTH;
    }
}

void one_hop(void)
{
    ets_wdt_disable();
    crc_prepare();
    bool is_known = flash_map_read(&map);
    if (!is_possible()) {
        is_known ? hand_back(END_NO_IMAGE) : wait_for_power_cut(END_NO_IMAGE);
    }
    if (!is_known) {
        hand_back_blindly();
    }
    int source = find_image();
    if (!payload_check(map.slots[source])) {
        hand_back(END_NO_IMAGE);
    }
    report_begin(map.slots[source]);

    /* The final image takes the place of slot 1, so what unpacks it must lie in slot 2, and be started from there again. */
    if (source == 1) {
        give_up(2);
        move_to_slot_2();
    } else if (boot_flags_slot(&map) == 1) {
        /* The power was cut as the move had come to its last sector, or to the flags. */
        flash_refresh_sector(map.slots[2]);
    }
    /* If the flags cannot be changed, continue without the loader: then only a power cut is fatal. */
    if (boot_flags_select(&map, 2) == SELECTION_CHANGED && restart_is_left()) {
        restart();
    }

    give_up(1);
    if (!payload_write(map.slots[2])) {
        wait_for_power_cut(END_PAYLOAD_FAILED);
    }
    /* Of a larger flash no loader looks at anything here; of 1 MB it reads what is behind the settings until the end. */
    bool is_small = map.parameters == PARAMETERS;
    erase(SETTINGS, is_small ? CALIBRATION : PARAMETERS_END);
    write_sector_0();
    if (is_small) {
        erase(CALIBRATION, PARAMETERS);
        boot_flags_clear(&map);
    }
    restart_for_good();
}
