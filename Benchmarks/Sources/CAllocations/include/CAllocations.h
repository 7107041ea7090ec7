// How often this thread, or the whole process, asked for memory: malloc and its kin are replaced by ones that count and pass on to
// glibc's.
#pragma once

unsigned long allocations_of_thread(void);
unsigned long allocations_of_process(void);

// What a counter of instructions must count, as its control.
/// A hundred instructions, and the call.
void spend_100_instructions(void);
/// Two instructions a round.
void spend_loop(unsigned long rounds);
