// The check of the baseline: the same work as bare loops, each with its own few lines, run alone in a process of their own. The
// baseline, run as `make bench` runs it, must be no slower than these: `bench baseline`.
#define _GNU_SOURCE
#include "limit.h"
#include "baseline.h"
#include "crc.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENT (64l << 20)
#define FILES 8

static int in_directory(const char *dir, int number, int flags) {
    char name[4096];
    snprintf(name, sizeof name, "%s/limit-%d", dir, number);
    if (flags == 0) return unlink(name);
    return open(name, O_RDWR | O_CREAT | flags, 0600);
}

#define FRAME(to, record, size) do { \
        uint32_t length_ = (size), sum_; \
        __asm__ volatile("" : : "r"(record) : "memory"); \
        sum_ = crc32c(record, length_); \
        memcpy(to, &length_, 4); \
        memcpy((to) + 4, &sum_, 4); \
        memcpy((to) + 8, record, length_); \
    } while (0)

/// Stores into mapped, reserved segments.
static double append(const char *dir, const void *record, unsigned size, long count) {
    long frames = SEGMENT / (size + 8), left = count;
    bench_settle(dir);
    unsigned long start = bench_clock();
    for (int k = 0; left > 0; k++) {
        int fd = in_directory(dir, k, O_TRUNC);
        if (k == FILES || fallocate(fd, 0, 0, SEGMENT)) return -1;
        uint8_t *to = mmap(NULL, SEGMENT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *first = to;
        if (to == MAP_FAILED) return -1;
        for (long n = left < frames ? left : frames; n > 0; n--, left--, to += size + 8) FRAME(to, record, size);
        munmap(first, SEGMENT);
        close(fd);
    }
    double each = (double)(bench_clock() - start) / (double)count;
    for (int k = 0; k < FILES; k++) in_directory(dir, k, 0);
    return each;
}

/// One write for 1,000 frames.
static double batches(const char *dir, const void *record, unsigned size, long count) {
    size_t bytes = 1000 * (size + 8);
    uint8_t *buffer = calloc(1, bytes);
    bench_settle(dir);
    unsigned long start = bench_clock();
    int fd = -1, k = 0;
    for (long at = SEGMENT; count > 0; count -= 1000, at += (long)bytes) {
        if (at + (long)bytes > SEGMENT) {
            if (fd >= 0) close(fd);
            fd = in_directory(dir, k++, O_TRUNC);
            if (k > FILES || fallocate(fd, 0, 0, SEGMENT)) return -1;
            at = 0;
        }
        for (uint8_t *to = buffer; to < buffer + bytes; to += size + 8) FRAME(to, record, size);
        if (pwrite(fd, buffer, bytes, at) != (ssize_t)bytes) return -1;
    }
    unsigned long taken = bench_clock() - start;
    close(fd);
    free(buffer);
    for (int n = 0; n < FILES; n++) in_directory(dir, n, 0);
    return (double)taken;
}

/// Checks every frame of a file that is in the page cache: through a mapping, or by reads into a warm buffer.
static double reading(const char *dir, const void *record, unsigned size, long count, int is_mapped) {
    size_t frame = size + 8, total = frame * (size_t)count, block = 2 << 20;
    int fd = in_directory(dir, 0, O_TRUNC);
    uint8_t *all = malloc(total);
    for (uint8_t *to = all; to < all + total; to += frame) FRAME(to, record, size);
    for (size_t at = 0; at < total; at += block) {
        size_t n = total - at < block ? total - at : block;
        if (pwrite(fd, all + at, n, (off_t)at) != (ssize_t)n) return -1;
    }
    free(all);
    bench_settle(dir);
    double each = -1;
    size_t whole = (256 << 10) / frame * frame;
    static uint8_t buffer[256 << 10];
    for (int pass = 0; pass < 2; pass++) {
        uint64_t sum = 0;
        long found = 0;
        unsigned long start = bench_clock();
        const uint8_t *map = is_mapped ? mmap(NULL, total, PROT_READ, MAP_SHARED, fd, 0) : buffer;
        for (size_t from = 0; from < total;) {
            size_t n = is_mapped ? total : whole < total - from ? whole : total - from;
            if (!is_mapped && pread(fd, buffer, n, (off_t)from) != (ssize_t)n) return -1;
            for (const uint8_t *p = map, *end = map + n; p < end; found++) {
                uint32_t length, wanted;
                memcpy(&length, p, 4);
                if (length > (size_t)(end - p) - 8) return -1;
                memcpy(&wanted, p + 4, 4);
                if (crc32c(p + 8, length) != wanted) return -1;
                sum += p[8];
                p += length + 8;
            }
            from += n;
        }
        if (is_mapped) munmap((void *)map, total);
        each = (double)(bench_clock() - start) / (double)count;
        if (found != count || !sum) return -1;
    }
    close(fd);
    in_directory(dir, 0, 0);
    return each;
}

static int filled(const char *dir, int flags) {
    int fd = in_directory(dir, 0, O_TRUNC | flags);
    void *zeros;
    if (posix_memalign(&zeros, 4096, 1 << 20)) return -1;
    memset(zeros, 0, 1 << 20);
    for (int k = 0; k < 8; k++) if (pwrite(fd, zeros, 1 << 20, (off_t)k << 20) != 1 << 20) return -1;
    free(zeros);
    return fsync(fd) ? -1 : fd;
}

/// One frame, and on the device before the next.
static double synced(const char *dir, const void *record, unsigned size, long count, int is_filled) {
    int fd = is_filled ? filled(dir, O_DIRECT | O_DSYNC) : in_directory(dir, 0, O_TRUNC);
    static _Alignas(4096) uint8_t block[4096];
    if (fd < 0 || (!is_filled && (fallocate(fd, 0, 0, SEGMENT) || fsync(fd)))) return -1;
    bench_settle(dir);
    unsigned long start = bench_clock();
    for (long k = 0; k < count; k++) {
        FRAME(block, record, size);
        if (is_filled) {
            if (pwrite(fd, block, 4096, k / 56 * 4096) != 4096) return -1;
        } else if (pwrite(fd, block, size + 8, k * (size + 8)) < 0 || fdatasync(fd)) return -1;
    }
    double each = (double)(bench_clock() - start) / (double)count;
    close(fd);
    in_directory(dir, 0, 0);
    return each;
}

static struct {
    pthread_mutex_t lock;
    pthread_cond_t even, odd;
    uint8_t staged[2][64 << 10];
    size_t bytes;
    off_t end;
    unsigned long group, durable;
    int fd, is_syncing, each, failed;
    const void *record;
    unsigned size;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER, .even = PTHREAD_COND_INITIALIZER, .odd = PTHREAD_COND_INITIALIZER};

static void *appender(void *unused) {
    for (int k = 0; k < shared.each; k++) {
        pthread_mutex_lock(&shared.lock);
        unsigned long mine = shared.group;
        FRAME(shared.staged[mine & 1] + shared.bytes, shared.record, shared.size);
        shared.bytes += shared.size + 8;
        while (shared.durable <= mine) {
            if (shared.is_syncing) { pthread_cond_wait(mine & 1 ? &shared.odd : &shared.even, &shared.lock); continue; }
            shared.is_syncing = 1;
            unsigned long group = shared.group++;
            size_t bytes = shared.bytes;
            off_t at = shared.end;
            shared.bytes = 0;
            shared.end += (off_t)bytes;
            pthread_mutex_unlock(&shared.lock);
            int bad = pwrite(shared.fd, shared.staged[group & 1], bytes, at) != (ssize_t)bytes || fdatasync(shared.fd);
            pthread_mutex_lock(&shared.lock);
            shared.failed |= bad;
            shared.is_syncing = 0;
            shared.durable = group + 1;
            pthread_cond_broadcast(group & 1 ? &shared.odd : &shared.even);
            pthread_cond_signal(group & 1 ? &shared.even : &shared.odd);
        }
        pthread_mutex_unlock(&shared.lock);
    }
    return unused;
}

/// 64 threads; those who wait while a sync is under way share the next one. Nanoseconds for each record.
static double grouped(const char *dir, const void *record, unsigned size, int each, int is_filled) {
    shared.fd = is_filled ? filled(dir, 0) : in_directory(dir, 0, O_TRUNC);
    if (shared.fd < 0) return -1;
    shared.bytes = 0;
    shared.end = 0;
    shared.group = shared.durable = 0;
    shared.each = each;
    shared.record = record;
    shared.size = size;
    bench_settle(dir);
    pthread_t threads[64];
    unsigned long start = bench_clock();
    for (int k = 0; k < 64; k++) pthread_create(&threads[k], NULL, appender, NULL);
    for (int k = 0; k < 64; k++) pthread_join(threads[k], NULL);
    double taken = (double)(bench_clock() - start) / (64.0 * each);
    close(shared.fd);
    in_directory(dir, 0, 0);
    return shared.failed ? -1 : taken;
}

double limit_run(const char *name, const char *dir, const void *small, unsigned small_size, const void *large, unsigned large_size) {
    crc_prepare();
    if (!strcmp(name, "append_raw_65")) return append(dir, small, small_size, 2000000);
    if (!strcmp(name, "append_raw_1k")) return append(dir, large, large_size, 200000);
    if (!strcmp(name, "batch_1000_65")) return batches(dir, small, small_size, 2000000) / 2000000;
    if (!strcmp(name, "stream_raw_65")) return reading(dir, small, small_size, 1000000, 1);
    if (!strcmp(name, "stream_raw_1k")) return reading(dir, large, large_size, 200000, 0);
    if (!strcmp(name, "append_sync_1")) return synced(dir, small, small_size, 1000, 0);
    if (!strcmp(name, "append_sync_1_filled")) return synced(dir, small, small_size, 1000, 1);
    if (!strcmp(name, "group_commit_64")) return grouped(dir, small, small_size, 200, 0);
    if (!strcmp(name, "group_commit_64_filled")) return grouped(dir, small, small_size, 200, 1);
    return -1;
}
