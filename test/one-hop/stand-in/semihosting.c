/* What leaves the emulator: simcall, the Xtensa simulator's way to the host (QEMU: target/xtensa/xtensa-semi.c). */
#include "stand-in.h"

enum { CALL_EXIT = 1, CALL_WRITE = 4 };

static int simcall(int call, int first, int second, int third)
{
    register int a2 __asm__("a2") = call;
    register int a3 __asm__("a3") = first;
    register int a4 __asm__("a4") = second;
    register int a5 __asm__("a5") = third;
    __asm__ volatile("simcall" : "+a"(a2), "+a"(a3) : "a"(a4), "a"(a5) : "memory");
    return a2;
}

void write_out(int descriptor, const void *bytes, uint32_t count)
{
    const uint8_t *next = bytes;
    while (count > 0) {
        int written = simcall(CALL_WRITE, descriptor, (int)next, count);
        if (written <= 0) {
            leave(1);
        }
        next += written;
        count -= written;
    }
}

void write_text(int descriptor, const char *text)
{
    uint32_t count = 0;
    while (text[count]) {
        count++;
    }
    write_out(descriptor, text, count);
}

void write_number(int descriptor, uint32_t value)
{
    static const char digits[] = "0123456789abcdef";
    char text[9];
    int at = 8;
    text[at] = ' ';
    do {
        text[--at] = digits[value & 15];
        value >>= 4;
    } while (value);
    write_out(descriptor, text + at, 9 - at);
}

void leave(int code)
{
    simcall(CALL_EXIT, code, 0, 0);
    for (;;) {
    }
}
