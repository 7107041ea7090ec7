#include "CWalShims.h"
#include <pthread.h>
#include <string.h>

// Long inputs run three independent streams, whose results are joined by tables that shift a CRC over LANE zero bytes:
// the instruction has a latency of three cycles and a throughput of one (V. Gopal et al., "Fast CRC Computation for
// iSCSI Polynomial Using CRC32 Instruction", Intel 2011).
enum { LANE = 336, TRIPLE = 3 * LANE };

static uint32_t table[8][256];
static uint32_t shift[4][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t portable(uint32_t c, const uint8_t *p, size_t n) {
    while (n >= 8) {
        uint32_t a = c ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
        c = table[7][a & 255] ^ table[6][(a >> 8) & 255] ^ table[5][(a >> 16) & 255] ^ table[4][a >> 24] ^
            table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
        p += 8;
        n -= 8;
    }
    while (n--) c = table[0][(c ^ *p++) & 255] ^ (c >> 8);
    return c;
}

static void build(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0x82F63B78u : c >> 1;
        table[0][i] = c;
    }
    for (int t = 1; t < 8; t++)
        for (int i = 0; i < 256; i++) table[t][i] = table[0][table[t - 1][i] & 255] ^ (table[t - 1][i] >> 8);
    static const uint8_t zeros[LANE];
    for (int k = 0; k < 4; k++)
        for (uint32_t i = 0; i < 256; i++) shift[k][i] = portable(i << (8 * k), zeros, LANE);
}

__attribute__((constructor)) static void build_at_load(void) { pthread_once(&once, build); }

uint32_t wal_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    pthread_once(&once, build);
    return ~portable(~crc, bytes, count);
}

static inline uint32_t shifted(uint32_t c) {
    return shift[0][c & 255] ^ shift[1][(c >> 8) & 255] ^ shift[2][(c >> 16) & 255] ^ shift[3][c >> 24];
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#define TARGET __attribute__((target("sse4.2")))
typedef uint64_t state_t; // the instruction's own width: no truncation between two steps
#define STEP8(c, v) _mm_crc32_u64((c), (v))
#define STEP1(c, v) _mm_crc32_u8((uint32_t)(c), (v))
bool wal_has_crc32 = false;
__attribute__((constructor)) static void look(void) {
    __builtin_cpu_init();
    wal_has_crc32 = __builtin_cpu_supports("sse4.2");
}
static inline bool have(void) { return wal_has_crc32; }
#elif defined(__aarch64__) && (defined(__ARM_FEATURE_CRC32) || defined(__APPLE__))
#include <arm_acle.h>
#define TARGET __attribute__((target("crc")))
typedef uint32_t state_t;
#define STEP8(c, v) __crc32cd((c), (v))
#define STEP1(c, v) __crc32cb((c), (v))
static inline bool have(void) { return true; }
#endif

#ifdef TARGET
static inline uint64_t word(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

TARGET static inline state_t triple(state_t c, const uint8_t **at, size_t *left) {
    const uint8_t *p = *at;
    size_t n = *left;
    while (n >= TRIPLE) {
        state_t b = 0, d = 0;
        for (int i = 0; i < LANE; i += 8) {
            c = STEP8(c, word(p + i));
            b = STEP8(b, word(p + LANE + i));
            d = STEP8(d, word(p + 2 * LANE + i));
        }
        c = shifted(shifted((uint32_t)c) ^ (uint32_t)b) ^ (uint32_t)d;
        p += TRIPLE;
        n -= TRIPLE;
    }
    *at = p;
    *left = n;
    return c;
}

TARGET static uint32_t hardware(uint32_t crc, const uint8_t *p, size_t n) {
    state_t c = crc;
    if (n >= TRIPLE) c = triple(c, &p, &n);
    for (; n >= 8; n -= 8, p += 8) c = STEP8(c, word(p));
    while (n--) c = STEP1(c, *p++);
    return (uint32_t)c;
}

TARGET static uint32_t hardware_padded(uint32_t crc, const uint8_t *p, size_t n) {
    state_t c = crc;
    if (__builtin_expect(n < 8, 0)) {
        uint64_t v = 0;
        for (size_t i = 0; i < n; i++) v |= (uint64_t)p[i] << (8 * i);
        return n ? (uint32_t)STEP8(c, v) : crc;
    }
    if (__builtin_expect(n >= TRIPLE, 0)) c = triple(c, &p, &n);
    for (; n >= 8; n -= 8, p += 8) c = STEP8(c, word(p));
    // The last bytes from a word that begins before them, for there are at least eight: no copy of a length known only here.
    if (n) c = STEP8(c, word(p + n - 8) >> (8 * (8 - n)));
    return (uint32_t)c;
}

TARGET static uint32_t hardware_frame(const uint8_t *p, size_t words, uint64_t a, uint64_t b) {
    state_t c = ~0u;
    size_t n = words * 8;
    if (__builtin_expect(n >= TRIPLE, 0)) c = triple(c, &p, &n);
    for (; n; n -= 8, p += 8) c = STEP8(c, word(p));
    return ~(uint32_t)STEP8(STEP8(c, a), b);
}

TARGET static uint32_t hardware_2(uint32_t c, uint64_t a, uint64_t b) { return (uint32_t)STEP8(STEP8((state_t)c, a), b); }
#else
static inline bool have(void) { return false; }
static uint32_t hardware(uint32_t c, const uint8_t *p, size_t n) { return portable(c, p, n); }
static uint32_t hardware_padded(uint32_t c, const uint8_t *p, size_t n) { return portable(c, p, n); }
static uint32_t hardware_frame(const uint8_t *p, size_t words, uint64_t a, uint64_t b) {
    (void)p; (void)words;
    return (uint32_t)(a ^ b);
}
static uint32_t hardware_2(uint32_t c, uint64_t a, uint64_t b) { return c ^ (uint32_t)(a ^ b); }
#endif

uint32_t wal_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return have() ? ~hardware(~crc, bytes, count) : ~portable(~crc, bytes, count);
}

uint32_t wal_crc32c_padded_call(uint32_t crc, const void *bytes, size_t count) {
    if (have()) return ~hardware_padded(~crc, bytes, count);
    static const uint8_t zeros[8];
    return ~portable(portable(~crc, bytes, count), zeros, (8 - (count & 7)) & 7);
}

uint32_t wal_crc32c_2_call(uint32_t crc, uint64_t a, uint64_t b) {
    if (have()) return ~hardware_2(~crc, a, b);
    uint8_t bytes[16];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(a >> (8 * i));
        bytes[8 + i] = (uint8_t)(b >> (8 * i));
    }
    return ~portable(~crc, bytes, 16);
}

uint32_t wal_crc32c_frame_call(const void *bytes, size_t words, uint64_t a, uint64_t b) {
    if (__builtin_expect(have(), 1)) return hardware_frame(bytes, words, a, b);
    return wal_crc32c_2_call(wal_crc32c(0, bytes, words * 8), a, b);
}
