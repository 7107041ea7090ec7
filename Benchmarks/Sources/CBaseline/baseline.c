#define _GNU_SOURCE
#include "baseline.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SEGMENT = 64 << 20, HEADER = 8 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t shifts[4][256];
#if defined(__x86_64__)
#include <nmmintrin.h>
#define HW __attribute__((target("sse4.2")))
HW static uint32_t raw(uint32_t c, const uint8_t *p, size_t n) {
    uint64_t x = c, v;
    for (; n >= 8; n -= 8, p += 8) { memcpy(&v, p, 8); x = _mm_crc32_u64(x, v); }
    if (n >= 4) { uint32_t w; memcpy(&w, p, 4); x = _mm_crc32_u32((uint32_t)x, w); p += 4; n -= 4; }
    while (n--) x = _mm_crc32_u8((uint32_t)x, *p++);
    return (uint32_t)x;
}
static inline uint32_t shifted(uint32_t c) {
    return shifts[0][c & 255] ^ shifts[1][(c >> 8) & 255] ^ shifts[2][(c >> 16) & 255] ^ shifts[3][c >> 24];
}
// Three independent streams for long inputs: the instruction's latency is three cycles.
HW static uint32_t crc32c(const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    uint32_t c = ~0u;
    while (n >= 1008) {
        uint64_t a = c, b = 0, d = 0, v;
        for (int i = 0; i < 336; i += 8) {
            memcpy(&v, p + i, 8); a = _mm_crc32_u64(a, v);
            memcpy(&v, p + 336 + i, 8); b = _mm_crc32_u64(b, v);
            memcpy(&v, p + 672 + i, 8); d = _mm_crc32_u64(d, v);
        }
        c = shifted(shifted((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)d;
        p += 1008;
        n -= 1008;
    }
    return ~raw(c, p, n);
}
static void prepare(void) {
    static const uint8_t zeros[336];
    for (int k = 0; k < 4; k++)
        for (uint32_t i = 0; i < 256; i++) shifts[k][i] = raw(i << (8 * k), zeros, 336);
}
#else
#error "the C baseline is for x86-64"
#endif

static void path(char *out, const char *dir, int k) { snprintf(out, 4096, "%s/baseline-%d", dir, k); }

static inline void put(uint8_t *to, const void *record, uint32_t size) {
    // The record may be another each time: without this the compiler takes one checksum for a whole batch of the same.
    __asm__ volatile("" : : "r"(record) : "memory");
    uint32_t c = crc32c(record, size);
    memcpy(to, &size, 4);
    memcpy(to + 4, &c, 4);
    memcpy(to + HEADER, record, size);
}

unsigned long bench_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long)t.tv_sec * 1000000000ul + (unsigned long)t.tv_nsec;
}

void histogram_add(histogram_t *h, unsigned long ns) {
    unsigned bits = ns < 8 ? 3 : 63 - (unsigned)__builtin_clzl(ns);
    unsigned bucket = ns < 8 ? (unsigned)ns : (bits - 2) * 8 + (unsigned)(ns >> (bits - 3) & 7);
    h->counts[bucket]++;
    h->total++;
    if (ns > h->worst) h->worst = ns;
}

double histogram_quantile(const histogram_t *h, double share) {
    unsigned long wanted = (unsigned long)((double)h->total * share), seen = 0;
    for (unsigned k = 0; k < 64 * 8; k++) {
        seen += h->counts[k];
        if (seen > wanted) return k < 8 ? k + 1 : (double)((9ul + k % 8) << (k / 8 - 1));
    }
    return (double)h->worst;
}

static inline double append_mapped(const char *dir, const void *record, unsigned size, long count, histogram_t *times) {
    prepare();
    char name[4096];
    int segment = -1, fd = -1;
    uint8_t *m = NULL;
    size_t offset = SEGMENT;
    double start = now();
    for (long i = 0; i < count; i++) {
        unsigned long began = times ? bench_clock() : 0;
        if (offset + size + HEADER > SEGMENT) {
            if (m) { munmap(m, SEGMENT); close(fd); }
            path(name, dir, ++segment);
            fd = open(name, O_RDWR | O_CREAT, 0600);
            if (fd < 0 || fallocate(fd, 0, 0, SEGMENT)) return -1;
            m = mmap(NULL, SEGMENT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (m == MAP_FAILED) return -1;
            offset = 0;
        }
        put(m + offset, record, size);
        offset += size + HEADER;
        if (times) histogram_add(times, bench_clock() - began);
    }
    double each = (now() - start) / (double)count;
    if (m) { munmap(m, SEGMENT); close(fd); }
    for (int k = 0; k <= segment; k++) { path(name, dir, k); unlink(name); }
    return each;
}

double baseline_append_mapped(const char *dir, const void *record, unsigned size, long count) {
    return append_mapped(dir, record, size, count, NULL);
}

double baseline_append_latency(const char *dir, const void *record, unsigned size, long count, histogram_t *times) {
    return append_mapped(dir, record, size, count, times);
}

double baseline_write_and_sync(const char *dir, unsigned long bytes) {
    char name[4096];
    path(name, dir, 0);
    static uint8_t block[1 << 20];
    memset(block, 1, sizeof block);
    int fd = open(name, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return -1;
    double start = now();
    for (unsigned long at = 0; at < bytes; at += sizeof block) {
        size_t n = bytes - at < sizeof block ? bytes - at : sizeof block;
        if (pwrite(fd, block, n, (off_t)at) != (ssize_t)n) return -1;
    }
    if (fdatasync(fd)) return -1;
    double taken = (now() - start) / 1e9;
    close(fd);
    unlink(name);
    return taken;
}

double baseline_append_sync(const char *dir, const void *record, unsigned size, long count) {
    prepare();
    char name[4096];
    path(name, dir, 0);
    uint8_t frame[4096];
    int fd = open(name, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || fallocate(fd, 0, 0, SEGMENT) || fsync(fd)) return -1;
    double start = now();
    for (long i = 0; i < count; i++) {
        put(frame, record, size);
        if (pwrite(fd, frame, size + HEADER, i * (size + HEADER)) < 0 || fdatasync(fd)) return -1;
    }
    double each = (now() - start) / (double)count;
    close(fd);
    unlink(name);
    return each;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static uint8_t *buffers[2];
static size_t used, file_end;
static uint64_t generation, finished;
static int descriptor, busy, per_thread, failed;
static const void *the_record;
static unsigned the_size;

static void *caller(void *unused) {
    (void)unused;
    for (int i = 0; i < per_thread; i++) {
        pthread_mutex_lock(&mutex);
        uint64_t mine = generation;
        put(buffers[mine & 1] + used, the_record, the_size);
        used += the_size + HEADER;
        while (finished <= mine) {
            if (busy) { pthread_cond_wait(&turn[mine & 1], &mutex); continue; }
            busy = 1;
            uint64_t g = generation++;
            size_t n = used, at = file_end;
            used = 0;
            file_end += n;
            pthread_mutex_unlock(&mutex);
            int bad = pwrite(descriptor, buffers[g & 1], n, (off_t)at) != (ssize_t)n || fdatasync(descriptor);
            pthread_mutex_lock(&mutex);
            failed |= bad;
            busy = 0;
            finished = g + 1;
            pthread_cond_broadcast(&turn[g & 1]);
            pthread_cond_signal(&turn[(g + 1) & 1]);
        }
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

double baseline_group_commit(const char *dir, const void *record, unsigned size, int threads, int each) {
    prepare();
    char name[4096];
    path(name, dir, 0);
    for (int k = 0; k < 2; k++) if (!buffers[k]) buffers[k] = malloc(1 << 20);
    descriptor = open(name, O_RDWR | O_CREAT, 0600);
    if (descriptor < 0) return -1;
    used = file_end = 0;
    generation = finished = 0;
    busy = failed = 0;
    per_thread = each;
    the_record = record;
    the_size = size;
    pthread_t t[512];
    double start = now();
    for (int i = 0; i < threads; i++) pthread_create(&t[i], NULL, caller, NULL);
    for (int i = 0; i < threads; i++) pthread_join(t[i], NULL);
    double rate = (double)threads * each / ((now() - start) / 1e9);
    close(descriptor);
    unlink(name);
    return failed ? -1 : rate;
}

double baseline_read_mapped(const char *dir, const void *record, unsigned size, long count) {
    prepare();
    char name[4096];
    path(name, dir, 0);
    size_t total = (size_t)count * (size + HEADER);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)total)) return -1;
    uint8_t *m = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (m == MAP_FAILED) return -1;
    for (long i = 0; i < count; i++) put(m + (size_t)i * (size + HEADER), record, size);
    munmap(m, total);
    double best = 0;
    for (int pass = 0; pass < 2; pass++) {
        double start = now();
        m = mmap(NULL, total, PROT_READ, MAP_SHARED, fd, 0);
        uint64_t sum = 0;
        long got = 0;
        for (size_t o = 0; o + HEADER <= total;) {
            uint32_t n, c;
            memcpy(&n, m + o, 4);
            memcpy(&c, m + o + 4, 4);
            if (crc32c(m + o + HEADER, n) != c) return -1;
            sum += m[o + HEADER];
            got++;
            o += n + HEADER;
        }
        munmap(m, total);
        if (got != count || !sum) return -1;
        best = (now() - start) / (double)count;
    }
    close(fd);
    unlink(name);
    return best;
}

double baseline_batch_write(const char *dir, const void *record, unsigned size, int batch, long batches) {
    prepare();
    char name[4096];
    int segment = 0;
    size_t offset = 0;
    uint8_t *buffer = malloc((size_t)batch * (size + HEADER));
    path(name, dir, 0);
    int fd = open(name, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || fallocate(fd, 0, 0, SEGMENT)) return -1;
    double start = now();
    for (long b = 0; b < batches; b++) {
        size_t n = 0;
        for (int i = 0; i < batch; i++, n += size + HEADER) put(buffer + n, record, size);
        if (offset + n > SEGMENT) {
            close(fd);
            path(name, dir, ++segment);
            fd = open(name, O_RDWR | O_CREAT, 0600);
            if (fd < 0 || fallocate(fd, 0, 0, SEGMENT)) return -1;
            offset = 0;
        }
        if (pwrite(fd, buffer, n, (off_t)offset) != (ssize_t)n) return -1;
        offset += n;
    }
    double each = (now() - start) / (double)(batches * batch);
    close(fd);
    free(buffer);
    for (int k = 0; k <= segment; k++) { path(name, dir, k); unlink(name); }
    return each;
}
