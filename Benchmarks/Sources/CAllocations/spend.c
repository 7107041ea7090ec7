#include "CAllocations.h"

#if defined(__x86_64__) || defined(__aarch64__)
#define HUNDRED ".rept 100\n\tnop\n\t.endr"
#endif

void spend_100_instructions(void) { __asm__ volatile(HUNDRED); }

void spend_loop(unsigned long rounds) {
#if defined(__x86_64__)
    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
#else
    __asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(rounds) : : "cc");
#endif
}
