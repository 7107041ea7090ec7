// What this machine allows a log that does no more than it must: C, hardware CRC32C, no recovery. Each function makes its files
// in `dir`, measures once, removes them, and returns nanoseconds for one record (or operations a second), below 0 on failure.
#pragma once
/// Has the kernel write what is dirty on the file system of `dir`, so that a run does not pay for the one before it.
void bench_settle(const char *dir);
/// Touches memory, or a mapped file, page by page and gives it back; nanoseconds a page. A virtual machine's first touch of a page
/// waits for its host.
double bench_touch_memory(unsigned long bytes);
double bench_touch_file(const char *dir, unsigned long bytes);

/// Times of single operations: buckets that grow by an eighth (after HdrHistogram).
typedef struct { unsigned long counts[64 * 8]; unsigned long total, worst; } histogram_t;

double baseline_append_mapped(const char *dir, const void *record, unsigned size, long count);
double baseline_append_sync(const char *dir, const void *record, unsigned size, long count);
/// Into space that was filled with zeros before, by O_DIRECT|O_DSYNC writes of whole blocks.
double baseline_append_sync_filled(const char *dir, const void *record, unsigned size, long count);
/// Into reserved space, or `filled` with zeros before, by up to 64 threads. Adds how long each caller waited to `waits`.
double baseline_group_commit(
    const char *dir, const void *record, unsigned size, int threads, int each, int filled, histogram_t *waits);
/// The second of two readings.
double baseline_read(const char *dir, const void *record, unsigned size, long count);
double baseline_batch_write(const char *dir, const void *record, unsigned size, int batch, long batches);
/// Seconds that writing so many bytes and one fdatasync take.
double baseline_write_and_sync(const char *dir, unsigned long bytes);

void histogram_add(histogram_t *histogram, unsigned long nanoseconds);
/// The upper edge of the bucket that holds the given share (0…1) of all, in nanoseconds.
double histogram_quantile(const histogram_t *histogram, double share);
/// CLOCK_MONOTONIC in nanoseconds.
unsigned long bench_clock(void);
/// Like baseline_append_mapped, with each append timed.
double baseline_append_latency(const char *dir, const void *record, unsigned size, long count, histogram_t *histogram);
