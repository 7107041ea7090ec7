// CRC32C by the processor's instruction, for the C side of the benchmarks.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if !defined(__SSE4_2__)
#error "the C baseline is for x86-64 with SSE 4.2"
#endif
#include <nmmintrin.h>

static uint32_t crc_shifts[4][256];

static inline uint32_t crc_raw(uint32_t c, const uint8_t *p, size_t n) {
    uint64_t x = c, v;
    for (; n >= 8; n -= 8, p += 8) { memcpy(&v, p, 8); x = _mm_crc32_u64(x, v); }
    if (n >= 4) { uint32_t w; memcpy(&w, p, 4); x = _mm_crc32_u32((uint32_t)x, w); p += 4; n -= 4; }
    while (n--) x = _mm_crc32_u8((uint32_t)x, *p++);
    return (uint32_t)x;
}

static inline uint32_t crc_shifted(uint32_t c) {
    return crc_shifts[0][c & 255] ^ crc_shifts[1][(c >> 8) & 255] ^ crc_shifts[2][(c >> 16) & 255] ^ crc_shifts[3][c >> 24];
}

// Three independent streams for long inputs: the instruction's latency is three cycles.
static inline uint32_t crc32c(const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    uint32_t c = ~0u;
    while (n >= 1008) {
        uint64_t a = c, b = 0, d = 0, v;
        for (int i = 0; i < 336; i += 8) {
            memcpy(&v, p + i, 8); a = _mm_crc32_u64(a, v);
            memcpy(&v, p + 336 + i, 8); b = _mm_crc32_u64(b, v);
            memcpy(&v, p + 672 + i, 8); d = _mm_crc32_u64(d, v);
        }
        c = crc_shifted(crc_shifted((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)d;
        p += 1008;
        n -= 1008;
    }
    return ~crc_raw(c, p, n);
}

/// Fills the table that moves a checksum past 336 bytes.
static void crc_prepare(void) {
    static const uint8_t zeros[336];
    for (int k = 0; k < 4; k++)
        for (uint32_t i = 0; i < 256; i++) crc_shifts[k][i] = crc_raw(i << (8 * k), zeros, 336);
}
