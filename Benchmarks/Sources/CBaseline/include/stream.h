// What zstd makes of records whose context is kept: the way that the codec does not take, to show what it would gain.
#pragma once
#include "baseline.h"
#include <stddef.h>

/// Bytes a record, below 0 on failure; nanoseconds a record go to `encode` and `decode`.
double stream_context(
    const unsigned char *bytes, const size_t *sizes, long count, int block, int level, double *encode, double *decode);
