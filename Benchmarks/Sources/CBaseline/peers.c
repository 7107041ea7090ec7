#define _GNU_SOURCE
#include "peers.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// The libraries are looked up when the program runs, so that it can be built without them. Declared here is what is called, by
// the libraries' documented C interfaces.

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *symbol(void *library, const char *name, int *missing) {
    void *found = dlsym(library, name);
    if (!found) *missing = 1;
    return found;
}

// MARK: SQLite

static int (*sq_open)(const char *, void **);
static int (*sq_close)(void *);
static int (*sq_exec)(void *, const char *, void *, void *, char **);
static int (*sq_prepare)(void *, const char *, int, void **, const char **);
static int (*sq_bind_blob)(void *, int, const void *, int, void *);
static int (*sq_step)(void *);
static int (*sq_reset)(void *);
static int (*sq_finalize)(void *);
static const void *(*sq_column_blob)(void *, int);
static int (*sq_column_bytes)(void *, int);

bool peer_sqlite_available(void) {
    static int state;
    if (state) return state > 0;
    void *library = dlopen("libsqlite3.so", RTLD_NOW);
    int missing = library == NULL;
    if (library) {
        sq_open = symbol(library, "sqlite3_open", &missing);
        sq_close = symbol(library, "sqlite3_close", &missing);
        sq_exec = symbol(library, "sqlite3_exec", &missing);
        sq_prepare = symbol(library, "sqlite3_prepare_v2", &missing);
        sq_bind_blob = symbol(library, "sqlite3_bind_blob", &missing);
        sq_step = symbol(library, "sqlite3_step", &missing);
        sq_reset = symbol(library, "sqlite3_reset", &missing);
        sq_finalize = symbol(library, "sqlite3_finalize", &missing);
        sq_column_blob = symbol(library, "sqlite3_column_blob", &missing);
        sq_column_bytes = symbol(library, "sqlite3_column_bytes", &missing);
    }
    state = missing ? -1 : 1;
    return state > 0;
}

/// A database with a table for records, and the statement that adds one.
static void *sqlite_log(const char *dir, const char *synchronous, void **insert) {
    char path[4096], pragmas[128];
    snprintf(path, sizeof path, "%s/db", dir);
    snprintf(pragmas, sizeof pragmas, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=%s", synchronous);
    void *db;
    if (sq_open(path, &db) || sq_exec(db, pragmas, NULL, NULL, NULL)) return NULL;
    if (sq_exec(db, "CREATE TABLE log (lsn INTEGER PRIMARY KEY, record BLOB)", NULL, NULL, NULL)) return NULL;
    return sq_prepare(db, "INSERT INTO log (record) VALUES (?)", -1, insert, NULL) ? NULL : db;
}

static bool sqlite_insert(void *insert, const void *record, int size) {
    return !sq_bind_blob(insert, 1, record, size, NULL) && sq_step(insert) == 101 && !sq_reset(insert);
}

double peer_sqlite_append(const char *dir, const void *record, int size, long transactions, int batch, bool synced) {
    void *insert, *db = sqlite_log(dir, synced ? "FULL" : "OFF", &insert);
    if (!db) return -1;
    double start = now();
    for (long t = 0; t < transactions; t++) {
        if (batch > 1 && sq_exec(db, "BEGIN", NULL, NULL, NULL)) return -1;
        for (int k = 0; k < batch; k++) if (!sqlite_insert(insert, record, size)) return -1;
        if (batch > 1 && sq_exec(db, "COMMIT", NULL, NULL, NULL)) return -1;
    }
    double each = (now() - start) / (double)(transactions * batch);
    sq_finalize(insert);
    sq_close(db);
    return each;
}

double peer_sqlite_read(const char *dir, const void *record, int size, long count) {
    void *statement, *db = sqlite_log(dir, "OFF", &statement);
    if (!db || sq_exec(db, "BEGIN", NULL, NULL, NULL)) return -1;
    for (long k = 0; k < count; k++) if (!sqlite_insert(statement, record, size)) return -1;
    sq_finalize(statement);
    if (sq_exec(db, "COMMIT", NULL, NULL, NULL)) return -1;
    if (sq_prepare(db, "SELECT record FROM log ORDER BY lsn", -1, &statement, NULL)) return -1;
    double start = now();
    long found = 0;
    uint64_t sum = 0;
    while (sq_step(statement) == 100) {
        if (sq_column_bytes(statement, 0) != size) return -1;
        sum += *(const uint8_t *)sq_column_blob(statement, 0);
        found++;
    }
    double each = (now() - start) / (double)count;
    sq_finalize(statement);
    sq_close(db);
    return found == count && sum ? each : -1;
}

// MARK: RocksDB

static void *(*rk_options)(void);
static void (*rk_create_if_missing)(void *, unsigned char);
static void (*rk_buffer_size)(void *, size_t);
static void *(*rk_open)(void *, const char *, char **);
static void (*rk_close)(void *);
static void *(*rk_write_options)(void);
static void (*rk_sync)(void *, unsigned char);
static void (*rk_put)(void *, void *, const char *, size_t, const char *, size_t, char **);
static void *(*rk_batch)(void);
static void (*rk_batch_put)(void *, const char *, size_t, const char *, size_t);
static void (*rk_batch_clear)(void *);
static void (*rk_write)(void *, void *, void *, char **);
static void *(*rk_read_options)(void);
static void *(*rk_iterator)(void *, void *);
static void (*rk_first)(void *);
static unsigned char (*rk_valid)(void *);
static void (*rk_next)(void *);
static const char *(*rk_value)(void *, size_t *);
static void (*rk_iterator_destroy)(void *);

bool peer_rocksdb_available(void) {
    static int state;
    if (state) return state > 0;
    void *library = dlopen("librocksdb.so", RTLD_NOW);
    int missing = library == NULL;
    if (library) {
        rk_options = symbol(library, "rocksdb_options_create", &missing);
        rk_create_if_missing = symbol(library, "rocksdb_options_set_create_if_missing", &missing);
        rk_buffer_size = symbol(library, "rocksdb_options_set_write_buffer_size", &missing);
        rk_open = symbol(library, "rocksdb_open", &missing);
        rk_close = symbol(library, "rocksdb_close", &missing);
        rk_write_options = symbol(library, "rocksdb_writeoptions_create", &missing);
        rk_sync = symbol(library, "rocksdb_writeoptions_set_sync", &missing);
        rk_put = symbol(library, "rocksdb_put", &missing);
        rk_batch = symbol(library, "rocksdb_writebatch_create", &missing);
        rk_batch_put = symbol(library, "rocksdb_writebatch_put", &missing);
        rk_batch_clear = symbol(library, "rocksdb_writebatch_clear", &missing);
        rk_write = symbol(library, "rocksdb_write", &missing);
        rk_read_options = symbol(library, "rocksdb_readoptions_create", &missing);
        rk_iterator = symbol(library, "rocksdb_create_iterator", &missing);
        rk_first = symbol(library, "rocksdb_iter_seek_to_first", &missing);
        rk_valid = symbol(library, "rocksdb_iter_valid", &missing);
        rk_next = symbol(library, "rocksdb_iter_next", &missing);
        rk_value = symbol(library, "rocksdb_iter_value", &missing);
        rk_iterator_destroy = symbol(library, "rocksdb_iter_destroy", &missing);
    }
    state = missing ? -1 : 1;
    return state > 0;
}

static void *rocks(const char *dir) {
    void *options = rk_options();
    rk_create_if_missing(options, 1);
    // What is written stays in the log and the memory table: no flush or compaction in the measurement.
    rk_buffer_size(options, 2ul << 30);
    char *error = NULL;
    void *db = rk_open(options, dir, &error);
    if (error) fprintf(stderr, "RocksDB: %s\n", error);
    return error ? NULL : db;
}

static void key_of(uint64_t lsn, char *key) {
    lsn = __builtin_bswap64(lsn);
    memcpy(key, &lsn, 8);
}

struct caller { void *db, *options; const void *record; int size; long count; uint64_t first; int failed; };

static void *put_many(void *argument) {
    struct caller *caller = argument;
    char key[8], *error = NULL;
    for (long k = 0; k < caller->count; k++) {
        key_of(caller->first + (uint64_t)k, key);
        rk_put(caller->db, caller->options, key, 8, caller->record, (size_t)caller->size, &error);
        if (error) { caller->failed = 1; break; }
    }
    return NULL;
}

double peer_rocksdb_append(const char *dir, const void *record, int size, long writes, int batch, int threads, bool synced) {
    char key[8], *error = NULL;
    void *db = rocks(dir);
    if (!db) return -1;
    void *options = rk_write_options();
    rk_sync(options, synced);
    double start = now();
    if (threads > 1 || batch == 1) {
        struct caller callers[64];
        pthread_t ids[64];
        if (threads > 64) return -1;
        for (int t = 0; t < threads; t++) {
            callers[t] = (struct caller){db, options, record, size, writes, (uint64_t)t << 40, 0};
            if (pthread_create(&ids[t], NULL, put_many, &callers[t])) return -1;
        }
        for (int t = 0; t < threads; t++) pthread_join(ids[t], NULL);
        for (int t = 0; t < threads; t++) if (callers[t].failed) return -1;
    } else {
        void *group = rk_batch();
        for (long w = 0; w < writes; w++) {
            rk_batch_clear(group);
            for (int k = 0; k < batch; k++) {
                key_of((uint64_t)(w * batch + k), key);
                rk_batch_put(group, key, 8, record, (size_t)size);
            }
            rk_write(db, options, group, &error);
            if (error) return -1;
        }
    }
    double each = (now() - start) / (double)(writes * batch * threads);
    rk_close(db);
    return each;
}

double peer_rocksdb_read(const char *dir, const void *record, int size, long count) {
    void *db = rocks(dir);
    if (!db) return -1;
    struct caller caller = {db, rk_write_options(), record, size, count, 0, 0};
    put_many(&caller);
    if (caller.failed) return -1;
    double start = now();
    void *iterator = rk_iterator(db, rk_read_options());
    long found = 0;
    uint64_t sum = 0;
    for (rk_first(iterator); rk_valid(iterator); rk_next(iterator)) {
        size_t length;
        const char *value = rk_value(iterator, &length);
        if (length != (size_t)size) return -1;
        sum += (uint8_t)*value;
        found++;
    }
    double each = (now() - start) / (double)count;
    rk_iterator_destroy(iterator);
    rk_close(db);
    return found == count && sum ? each : -1;
}
