#ifndef CFUZZMETER_H
#define CFUZZMETER_H
#include <stddef.h>

/// Begins to count from here: the most bytes that are allocated at one time over those that are now. Counts only where a sanitizer
/// lets allocations be watched; of one caller at a time, but of all its threads.
void fuzz_meter_begin(void);
/// The greatest number since `fuzz_meter_begin`; 0 where nothing can be counted.
size_t fuzz_meter_peak(void);

#endif
