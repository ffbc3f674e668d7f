/*
 * What the relocator uses of the boot ROM, at the addresses of rom.ld.
 *
 * Signatures as in esp8266/Arduino (tools/sdk/include/spi_flash.h, bootloaders/eboot/eboot.c) and in the SDK's ets_sys.h.
 */
#ifndef ONE_HOP_ROM_H
#define ONE_HOP_ROM_H

#include <stdint.h>

/* 0 is success; lengths and addresses are multiples of four, and so are the addresses in RAM. */
int SPIRead(uint32_t address, void *to, uint32_t bytes);
int SPIWrite(uint32_t address, const void *from, uint32_t bytes);
int SPIEraseSector(uint32_t sector);

/* The flash chip as the ROM describes it to itself, and its status register. */
struct flash_chip;
extern struct flash_chip *flashchip;
int SPI_read_status(struct flash_chip *chip, uint32_t *status);

/* The loader leaves the watchdog running; it would bite in the middle of an erase. */
void ets_wdt_disable(void);
void ets_delay_us(uint32_t microseconds);
void software_reset(void);

#endif
