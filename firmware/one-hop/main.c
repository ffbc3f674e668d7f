/*
 * The relocator: started by Espressif's boot loader out of either slot, it puts the final image that came with it to the
 * beginning of the flash, where the boot ROM finds it.
 *
 * The order of the steps is what makes a power cut harmless. Until the very last write the boot loader, its flags and the
 * slot that it starts are whole, and every step does nothing where it was done before; so after a cut all begins again.
 * Only between the erase of sector 0 and the end of its write is there no boot loader.
 *
 * It is silent: on some models the UART speaks to a second controller. It touches no pin: relays and meters hang on them.
 */
#include "boot-flags.h"
#include "crc.h"
#include "descriptor.h"
#include "flash-map.h"
#include "flash.h"
#include "payload.h"
#include "rom.h"
#include "slot.h"

/* Most that stock firmware takes as an update; what it writes to user2 ends here or before (image notes 2.6). */
#define LARGEST_IMAGE 0x73000u
/* Two sectors at least: a boot loader and an application. */
#define SMALLEST_FINAL (SECTOR_BYTES + 4)

/*
 * What the new firmware must not find filled: the settings of Tasmota and ESPHome, which would read the slot's rest or
 * ITEAD's records as their own, and then the SDK's parameters. 0xFC000 holds what the radio was trimmed to and stays.
 */
#define SETTINGS 0xf4000u
#define SETTINGS_END 0xfc000u
#define PARAMETERS 0xfd000u
#define PARAMETERS_END 0x100000u

static struct flash_map map;

static void __attribute__((noreturn)) reset(void)
{
    software_reset();
    for (;;) {
    }
}

/* Nothing can be done and nothing is harmed: whoever switches it off and on lets it look again. */
static void __attribute__((noreturn)) stop(void)
{
    for (;;) {
        ets_delay_us(1000000);
    }
}

/* Only called while the other slot is untouched: there is the stock firmware. */
static void __attribute__((noreturn)) hand_back(void)
{
    int other = boot_flags_slot(&map) == 1 ? 2 : 1;
    if (!slot_has_image(map.slots[other])) {
        stop();
    }
    boot_flags_select(&map, other);
    reset();
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
           descriptor.final_length >= SMALLEST_FINAL && descriptor.final_length <= map.slots[2];
}

static void erase(uint32_t from, uint32_t to)
{
    for (; from < to; from += SECTOR_BYTES) {
        flash_put_sector(from, 0);
    }
}

void one_hop(void)
{
    ets_wdt_disable();
    crc_prepare();
    if (!flash_map_read(&map)) {
        stop();
    }
    if (!is_possible()) {
        hand_back();
    }

    /* Not what the flags say counts, but what is there: after a cut either slot may be whole, or both. */
    int source = slot_is_ours(map.slots[2]) ? 2 : 1;
    if (source == 1 && !slot_is_ours(map.slots[1])) {
        hand_back();
    }
    if (!payload_check(map.slots[source])) {
        hand_back();
    }

    /* The final image takes the place of slot 1, so what unpacks it must run from slot 2, and start from there again. */
    if (source == 1) {
        bool copied = flash_copy(map.slots[1], map.slots[2], descriptor.image_length);
        if (!copied || !slot_is_ours(map.slots[2])) {
            reset();
        }
    }
    if (boot_flags_select(&map, 2) != SELECTION_KEPT) {
        reset();
    }

    if (!payload_write(map.slots[2])) {
        reset();
    }
    erase(SETTINGS, SETTINGS_END);
    while (!payload_write_first_sector()) {
    }
    erase(PARAMETERS, PARAMETERS_END);
    reset();
}
