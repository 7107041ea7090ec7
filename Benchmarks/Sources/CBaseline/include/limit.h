// Bare loops that the baseline is compared with: limit.c says why.
#pragma once
/// Nanoseconds for a record of the row `name`, below 0 on failure or where there is no such row.
double limit_run(const char *name, const char *dir, const void *small, unsigned small_size, const void *large, unsigned large_size);
