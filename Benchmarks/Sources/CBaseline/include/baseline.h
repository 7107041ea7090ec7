// What this machine allows a log that does no more than it must: C, hardware CRC32C, no recovery. Each function makes its files
// in `dir`, measures once, removes them, and returns nanoseconds for one record (or operations a second), below 0 on failure.
#pragma once
double baseline_append_mapped(const char *dir, const void *record, unsigned size, long count);
double baseline_append_sync(const char *dir, const void *record, unsigned size, long count);
double baseline_group_commit(const char *dir, const void *record, unsigned size, int threads, int each);
double baseline_read_mapped(const char *dir, const void *record, unsigned size, long count);
double baseline_batch_write(const char *dir, const void *record, unsigned size, int batch, long batches);
