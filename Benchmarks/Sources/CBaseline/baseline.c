#define _GNU_SOURCE
#include "baseline.h"
#include "crc.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SEGMENT = 64 << 20, HEADER = 8, BLOCK = 4096 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void path(char *out, const char *dir, int k) { snprintf(out, 4096, "%s/baseline-%d", dir, k); }

// MARK: The machine

void bench_settle(const char *dir) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return;
    syncfs(fd);
    close(fd);
}

double bench_touch_memory(unsigned long bytes) {
    double start = now();
    uint8_t *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED) return -1;
    // By small pages, which is what the page cache will ask for.
    madvise(m, bytes, MADV_NOHUGEPAGE);
    for (unsigned long at = 0; at < bytes; at += BLOCK) m[at] = 1;
    double taken = now() - start;
    munmap(m, bytes);
    return taken / ((double)bytes / BLOCK);
}

double bench_touch_file(const char *dir, unsigned long bytes) {
    char name[4096];
    path(name, dir, 0);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return -1;
    double start = now();
    uint8_t *m = MAP_FAILED;
    if (!fallocate(fd, 0, 0, (off_t)bytes)) m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    double each = -1;
    if (m != MAP_FAILED) {
        for (unsigned long at = 0; at < bytes; at += BLOCK) m[at] = 1;
        each = (now() - start) / ((double)bytes / BLOCK);
        munmap(m, bytes);
    }
    close(fd);
    unlink(name);
    return each;
}

// MARK: Frames

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
    crc_prepare();
    bench_settle(dir);
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
    bench_settle(dir);
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

/// A file of `size` bytes for frames: reserved, or written with zeros so that later writes change no metadata. Synced.
static int prepared(const char *dir, size_t size, int filled, int flags) {
    char name[4096];
    path(name, dir, 0);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | flags, 0600);
    if (fd < 0) return -1;
    static const _Alignas(BLOCK) uint8_t zeros[16 * BLOCK];
    int failed = filled ? 0 : fallocate(fd, 0, 0, (off_t)size);
    for (size_t at = 0; filled && at < size; at += sizeof zeros)
        failed |= pwrite(fd, zeros, sizeof zeros, (off_t)at) != (ssize_t)sizeof zeros;
    if (failed || fsync(fd)) { close(fd); return -1; }
    bench_settle(dir);
    return fd;
}

double baseline_append_sync(const char *dir, const void *record, unsigned size, long count) {
    crc_prepare();
    char name[4096];
    path(name, dir, 0);
    uint8_t frame[BLOCK];
    int fd = prepared(dir, SEGMENT, 0, 0);
    if (fd < 0) return -1;
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

double baseline_append_sync_filled(const char *dir, const void *record, unsigned size, long count) {
    crc_prepare();
    char name[4096];
    path(name, dir, 0);
    // The block that is being filled, and room for a frame that goes beyond it. Each write is of whole blocks, and on the device
    // when it returns.
    static _Alignas(BLOCK) uint8_t blocks[2 * BLOCK];
    if (size + HEADER > BLOCK) return -1;
    memset(blocks, 0, sizeof blocks);
    size_t room = ((size_t)count * (size + HEADER) / SEGMENT + 1) * (SEGMENT / 16), used = 0, base = 0;
    int fd = prepared(dir, room, 1, O_DIRECT | O_DSYNC);
    if (fd < 0) return -1;
    double start = now();
    for (long i = 0; i < count; i++) {
        put(blocks + used, record, size);
        used += size + HEADER;
        size_t n = used > BLOCK ? 2 * BLOCK : BLOCK;
        if (pwrite(fd, blocks, n, (off_t)base) != (ssize_t)n) return -1;
        if (used >= BLOCK) {
            memcpy(blocks, blocks + BLOCK, BLOCK);
            memset(blocks + BLOCK, 0, BLOCK);
            used -= BLOCK;
            base += BLOCK;
        }
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

static void *caller(void *times) {
    histogram_t *mine_times = times;
    for (int i = 0; i < per_thread; i++) {
        unsigned long began = bench_clock();
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
        histogram_add(mine_times, bench_clock() - began);
    }
    return NULL;
}

double baseline_group_commit(
    const char *dir, const void *record, unsigned size, int threads, int each, int filled, histogram_t *waits) {
    crc_prepare();
    char name[4096];
    path(name, dir, 0);
    for (int k = 0; k < 2; k++) if (!buffers[k]) buffers[k] = malloc(1 << 20);
    descriptor = prepared(dir, filled ? SEGMENT / 8 : SEGMENT, filled, 0);
    if (descriptor < 0) return -1;
    used = file_end = 0;
    generation = finished = 0;
    busy = failed = 0;
    per_thread = each;
    the_record = record;
    the_size = size;
    pthread_t t[64];
    static histogram_t times[64];
    if (threads > 64) return -1;
    memset(times, 0, sizeof times);
    double start = now();
    for (int i = 0; i < threads; i++) pthread_create(&t[i], NULL, caller, &times[i]);
    for (int i = 0; i < threads; i++) pthread_join(t[i], NULL);
    double rate = (double)threads * each / ((now() - start) / 1e9);
    for (int i = 0; i < threads; i++) {
        for (int k = 0; k < 64 * 8; k++) waits->counts[k] += times[i].counts[k];
        waits->total += times[i].total;
        if (times[i].worst > waits->worst) waits->worst = times[i].worst;
    }
    close(descriptor);
    unlink(name);
    return failed ? -1 : rate;
}

typedef struct { long found; uint64_t sum; size_t end; int is_bad; } frames_t;

/// Checks the whole frames in `bytes`. What it counts is in registers: stores through pointers would be made for each frame.
static inline frames_t check_frames(const uint8_t *bytes, size_t count) {
    const uint8_t *p = bytes, *end = bytes + count;
    uint64_t sum = 0;
    long found = 0;
    int is_bad = 0;
    for (; p + HEADER <= end; found++) {
        uint32_t n, c;
        memcpy(&n, p, 4);
        memcpy(&c, p + 4, 4);
        if (n > (size_t)(end - p) - HEADER) break;
        if (crc32c(p + HEADER, n) != c) { is_bad = 1; break; }
        sum += p[HEADER];
        p += n + HEADER;
    }
    return (frames_t){found, sum, (size_t)(p - bytes), is_bad};
}

/// Writes `count` frames in aligned writes of 2 MiB, which gives the page cache folios that are mapped as a whole.
static int written(const char *dir, const void *record, unsigned size, long count, size_t *total) {
    char name[4096];
    path(name, dir, 0);
    size_t frame = size + HEADER, block = 2 << 20;
    *total = (size_t)count * frame;
    uint8_t *all = malloc(*total);
    if (!all) return -1;
    for (long i = 0; i < count; i++) put(all + (size_t)i * frame, record, size);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), failed = fd < 0;
    for (size_t at = 0; at < *total && !failed; at += block) {
        size_t n = *total - at < block ? *total - at : block;
        failed = pwrite(fd, all + at, n, (off_t)at) != (ssize_t)n;
    }
    free(all);
    if (!failed) bench_settle(dir);
    return failed ? -1 : fd;
}

// Small records are read fastest through a mapping; from some 300 bytes on, its page faults cost more than copying.
enum { COPY_FROM = 300 };

double baseline_read(const char *dir, const void *record, unsigned size, long count) {
    crc_prepare();
    char name[4096];
    path(name, dir, 0);
    size_t total;
    int fd = written(dir, record, size, count, &total);
    if (fd < 0) return -1;
    double last = -1;
    for (int pass = 0; pass < 2; pass++) {
        uint64_t sum = 0;
        long found = 0;
        double start = now();
        if (size < COPY_FROM) {
            uint8_t *m = mmap(NULL, total, PROT_READ, MAP_SHARED, fd, 0);
            if (m == MAP_FAILED) return -1;
            frames_t frames = check_frames(m, total);
            munmap(m, total);
            if (frames.is_bad) return -1;
            found = frames.found;
            sum = frames.sum;
        } else {
            static uint8_t buffer[256 << 10];
            size_t have = 0;
            for (off_t from = 0;;) {
                ssize_t n = pread(fd, buffer + have, sizeof buffer - have, from);
                if (n <= 0) break;
                from += n;
                have += (size_t)n;
                frames_t frames = check_frames(buffer, have);
                if (frames.is_bad) return -1;
                found += frames.found;
                sum += frames.sum;
                memmove(buffer, buffer + frames.end, have - frames.end);
                have -= frames.end;
            }
        }
        last = (now() - start) / (double)count;
        if (found != count || !sum) return -1;
    }
    close(fd);
    unlink(name);
    return last;
}

double baseline_batch_write(const char *dir, const void *record, unsigned size, int batch, long batches) {
    crc_prepare();
    bench_settle(dir);
    char name[4096];
    int segment = 0;
    size_t offset = 0;
    uint8_t *buffer = malloc((size_t)batch * (size + HEADER));
    memset(buffer, 0, (size_t)batch * (size + HEADER));
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
