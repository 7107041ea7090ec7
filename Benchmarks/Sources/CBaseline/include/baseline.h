// What this machine allows a log that does no more than it must: C, hardware CRC32C, no recovery. Each function makes its files
// in `dir`, measures once, removes them, and returns nanoseconds for one record (or operations a second), below 0 on failure.
#pragma once
double baseline_append_mapped(const char *dir, const void *record, unsigned size, long count);
double baseline_append_sync(const char *dir, const void *record, unsigned size, long count);
double baseline_group_commit(const char *dir, const void *record, unsigned size, int threads, int each);
double baseline_read_mapped(const char *dir, const void *record, unsigned size, long count);
double baseline_batch_write(const char *dir, const void *record, unsigned size, int batch, long batches);
/// Seconds that writing so many bytes and one fdatasync take.
double baseline_write_and_sync(const char *dir, unsigned long bytes);

/// Times of single operations: buckets that grow by an eighth (after HdrHistogram).
typedef struct { unsigned long counts[64 * 8]; unsigned long total, worst; } histogram_t;
void histogram_add(histogram_t *histogram, unsigned long nanoseconds);
/// The upper edge of the bucket that holds the given share (0…1) of all, in nanoseconds.
double histogram_quantile(const histogram_t *histogram, double share);
/// CLOCK_MONOTONIC in nanoseconds.
unsigned long bench_clock(void);
/// Like baseline_append_mapped, with each append timed.
double baseline_append_latency(const char *dir, const void *record, unsigned size, long count, histogram_t *histogram);
