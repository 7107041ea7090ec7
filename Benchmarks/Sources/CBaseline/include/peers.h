// Others that do the same work with the same records, where their Debian packages (libsqlite3-dev, librocksdb-dev) are installed.
// Each function makes its files in `dir`, which is empty, measures once, and returns nanoseconds for one record, below 0 on failure.
// The caller removes them.
#pragma once
#include <stdbool.h>

bool peer_sqlite_available(void);
/// A table of blobs in WAL mode without checkpoints; `batch` rows a transaction. `synced`: synchronous=FULL, otherwise OFF.
double peer_sqlite_append(const char *dir, const void *record, int size, long transactions, int batch, bool synced);
double peer_sqlite_read(const char *dir, const void *record, int size, long count);

bool peer_rocksdb_available(void);
/// Puts under keys that grow, into the log and a memory table that is never flushed; `writes` of `batch` records by each of up to 64 threads.
double peer_rocksdb_append(const char *dir, const void *record, int size, long writes, int batch, int threads, bool synced);
double peer_rocksdb_read(const char *dir, const void *record, int size, long count);
