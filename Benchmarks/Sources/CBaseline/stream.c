#include "stream.h"
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

// One stream for `block` records, flushed behind each: every record can be had as soon as it was written, and each one needs all
// before it to be read.
double stream_context(
    const unsigned char *bytes, const size_t *sizes, long count, int block, int level, double *encode, double *decode) {
    size_t all = 0, largest = 0;
    for (long k = 0; k < count; k++) {
        all += sizes[k];
        if (sizes[k] > largest) largest = sizes[k];
    }
    size_t room = ZSTD_compressBound(all) + (size_t)count * 16;
    unsigned char *stored = malloc(room), *plain = malloc(largest + 1);
    size_t *ends = malloc(sizeof(size_t) * (size_t)count);
    ZSTD_CCtx *compressor = ZSTD_createCCtx();
    ZSTD_DCtx *expander = ZSTD_createDCtx();
    double result = -1;
    if (!stored || !plain || !ends || !compressor || !expander) goto out;
    ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, level);
    unsigned long start = bench_clock();
    ZSTD_outBuffer out = {stored, room, 0};
    const unsigned char *next = bytes;
    for (long k = 0; k < count; k++) {
        if (k % block == 0) ZSTD_CCtx_reset(compressor, ZSTD_reset_session_only);
        ZSTD_inBuffer in = {next, sizes[k], 0};
        size_t left = ZSTD_compressStream2(compressor, &out, &in, ZSTD_e_flush);
        if (left != 0 || in.pos != in.size) goto out;
        ends[k] = out.pos;
        next += sizes[k];
    }
    *encode = (double)(bench_clock() - start) / (double)count;
    start = bench_clock();
    size_t from = 0;
    next = bytes;
    for (long k = 0; k < count; k++) {
        if (k % block == 0) ZSTD_DCtx_reset(expander, ZSTD_reset_session_only);
        ZSTD_inBuffer in = {stored + from, ends[k] - from, 0};
        ZSTD_outBuffer record = {plain, sizes[k], 0};
        size_t hint = ZSTD_decompressStream(expander, &record, &in);
        if (ZSTD_isError(hint) || record.pos != sizes[k]) goto out;
        if (memcmp(plain, next, sizes[k]) != 0) goto out;
        from = ends[k];
        next += sizes[k];
    }
    *decode = (double)(bench_clock() - start) / (double)count;
    result = (double)out.pos / (double)count;
out:
    ZSTD_freeCCtx(compressor);
    ZSTD_freeDCtx(expander);
    free(stored);
    free(plain);
    free(ends);
    return result;
}
