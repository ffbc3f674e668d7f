/*
 * Where the emulator and the relocator enter: the reset vector, the boot ROM's functions at their own addresses
 * (firmware/one-hop/rom.ld), and the exception vectors, which on the chip lie at the beginning of the ROM.
 */
    .section .reset, "ax"
    .global _start
_start:
    j       1f
    .align  4
stack:
    .word   stand_in_stack
first:
    .word   run_cases
1:  l32r    a1, stack
    l32r    a0, first
    jx      a0

    .text
    /* Where a boot begins, with the ROM's stack and with exceptions and interrupts on. */
    .global start_rom
    .align  4
start_rom:
    movi    a1, ROM_STACK
    movi    a2, 0x20
    wsr     a2, ps
    rsync
    movi    a0, boot_rom
    callx0  a0

    /* Goes on with this function, on a stack that no boot has any part in. */
    .global on_own_stack
    .align  4
on_own_stack:
    movi    a1, stand_in_stack
    callx0  a2

    .macro entry address, function
    .section .rom.\address, "ax"
    j       far_\address
    .section .far, "ax"
    .align  4
    .literal_position
far_\address:
    j       \function
    .endm

    entry   40000030, exception
    entry   40000050, exception
    entry   40000070, exception
    entry   4000264c, rom_software_reset
    entry   40002ecc, rom_delay
    entry   400030f0, rom_watchdog_disable
    entry   400043c8, rom_read_status
    entry   40004a00, rom_erase_sector
    entry   40004a4c, rom_write
    entry   40004b1c, rom_read

    /* The exception may have left any stack behind. */
    .text
    .align  4
exception:
    movi    a1, stand_in_stack
    movi    a0, crashed
    callx0  a0
