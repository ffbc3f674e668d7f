/*
 * The loader jumps here with the boot ROM's stack in a1, which is good enough to go on with. No runtime has been
 * started: the variables hold whatever the RAM held.
 */
    .section .start, "ax"
    .literal_position
    .global start
    .align  4
start:
    movi    a2, bss_start
    movi    a3, bss_end
    movi    a4, 0
clear:
    bgeu    a2, a3, cleared
    s32i    a4, a2, 0
    addi    a2, a2, 4
    j       clear
cleared:
    movi    a0, one_hop
    jx      a0
