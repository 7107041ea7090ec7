// What Swift cannot reach by itself: hardware CRC32C, a lock that sanitizers understand, atomics on raw memory, and the
// few system calls that the C library's Swift overlay does not import. Nothing here knows what a log is.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: - CRC32C (Castagnoli, reflected 0x82F63B78; RFC 3720 appendix B.4)

/// Continues `crc` (0 to begin) over `count` bytes.
uint32_t wal_crc32c(uint32_t crc, const void *bytes, size_t count);
uint32_t wal_crc32c_2_call(uint32_t crc, uint64_t a, uint64_t b);
uint32_t wal_crc32c_padded_call(uint32_t crc, const void *bytes, size_t count);
uint32_t wal_crc32c_frame_call(const void *bytes, size_t words, uint64_t a, uint64_t b);

// Small inputs are summed in place: for 65 bytes the calls would take as long as the sum.
#if defined(__x86_64__)
/// The processor has the crc32 instruction of SSE 4.2. Set before anything else runs.
extern bool wal_has_crc32;
enum { WAL_CRC32C_INLINE = 1008 };
// As assembly, for code that is compiled for every x86-64 may not use the intrinsic.
static inline uint64_t wal_crc32c_step(uint64_t c, uint64_t word) {
    __asm__("crc32q %1, %0" : "+r"(c) : "r"(word));
    return c;
}
static inline uint64_t wal_crc32c_load(const unsigned char *p) {
    uint64_t v;
    __builtin_memcpy(&v, p, 8);
    return v;
}
static inline uint64_t wal_crc32c_words(uint64_t c, const unsigned char *p, size_t words) {
    for (; words >= 2; words -= 2, p += 16) c = wal_crc32c_step(wal_crc32c_step(c, wal_crc32c_load(p)), wal_crc32c_load(p + 8));
    return words ? wal_crc32c_step(c, wal_crc32c_load(p)) : c;
}
#endif

/// Continues `crc` over the 8 bytes of `a` and then of `b`, both little endian.
static inline uint32_t wal_crc32c_2(uint32_t crc, uint64_t a, uint64_t b) {
#if defined(__x86_64__)
    if (__builtin_expect(wal_has_crc32, 1)) return ~(uint32_t)wal_crc32c_step(wal_crc32c_step((uint32_t)~crc, a), b);
#endif
    return wal_crc32c_2_call(crc, a, b);
}

/// Continues `crc` over `count` bytes and then over zeros up to a multiple of eight.
static inline uint32_t wal_crc32c_padded(uint32_t crc, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (__builtin_expect(wal_has_crc32 && count >= 8 && count < WAL_CRC32C_INLINE, 1)) {
        const unsigned char *p = (const unsigned char *)bytes;
        uint64_t c = wal_crc32c_words((uint32_t)~crc, p, count / 8);
        size_t rest = count % 8;
        // The last bytes from a word that begins before them, for there are at least eight: no copy of a length known only here.
        if (rest) c = wal_crc32c_step(c, wal_crc32c_load(p + count - 8) >> (8 * (8 - rest)));
        return ~(uint32_t)c;
    }
#endif
    return wal_crc32c_padded_call(crc, bytes, count);
}

/// The sum of `words` times 8 bytes (8-aligned or not), then of `a` and `b`: a whole frame at once.
static inline uint32_t wal_crc32c_frame(const void *bytes, size_t words, uint64_t a, uint64_t b) {
#if defined(__x86_64__)
    if (__builtin_expect(wal_has_crc32 && words < WAL_CRC32C_INLINE / 8, 1)) {
        uint64_t c = wal_crc32c_words(0xFFFFFFFFu, (const unsigned char *)bytes, words);
        return ~(uint32_t)wal_crc32c_step(wal_crc32c_step(c, a), b);
    }
#endif
    return wal_crc32c_frame_call(bytes, words, a, b);
}

/// The table-driven form, whatever the processor offers: for tests.
uint32_t wal_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

// MARK: - Atomics on raw memory

static inline uint64_t wal_load_acquire(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline uint64_t wal_load_relaxed(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
static inline void wal_store_release(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
static inline uint64_t wal_add_relaxed(uint64_t *p, uint64_t v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); }
static inline uint32_t wal_load_word(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void wal_add_word(uint32_t *p, uint32_t v) { __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL); }
static inline bool wal_exchange_if(uint64_t *p, uint64_t expected, uint64_t v) {
    return __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/// Has the cache line brought in that is about to be read. Never faults.
static inline void wal_prefetch_read(const void *p) { __builtin_prefetch(p, 0, 3); }
/// Has the cache line brought in that is about to be written to. Never faults.
static inline void wal_prefetch_write(const void *p) { __builtin_prefetch(p, 1, 3); }

// MARK: - A lock: a bounded spin, then the kernel (after U. Drepper, "Futexes Are Tricky")

/// `word` is 1 while somebody holds it; `sleepers` counts those who may wait in the kernel.
typedef struct { uint32_t word, sleepers; } wal_lock_t;
/// Whether whoever goes to sleep makes all threads' stores visible first (membarrier(2), asymmetric as in D. Dice, M. Herlihy and
/// A. Kogan, "Fast Non-Intrusive Memory Reclamation"), so that unlocking needs no barrier of its own.
extern bool wal_sleepers_synchronize;
void wal_lock_slow(wal_lock_t *lock);
void wal_unlock_slow(wal_lock_t *lock);
static inline void wal_lock(wal_lock_t *lock) {
    uint32_t expected = 0;
    if (__builtin_expect(!__atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED), 0))
        wal_lock_slow(lock);
}
static inline void wal_unlock(wal_lock_t *lock) {
    // A plain store: a locked instruction would wait until every store before it has got its cache line. The lock must outlive the
    // call, for it is looked at once more.
    __atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
    if (__builtin_expect(wal_sleepers_synchronize, 1)) __atomic_signal_fence(__ATOMIC_SEQ_CST);
    else __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(__atomic_load_n(&lock->sleepers, __ATOMIC_RELAXED) != 0, 0)) wal_unlock_slow(lock);
}

/// Replaces waiting in the kernel on a thread: returns once `*word` is no longer `value`, or after `nanoseconds`; earlier is fine.
/// A simulation that runs one thread at a time hands its turn on here.
typedef void (*wal_wait_hook_t)(void *context, const uint32_t *word, uint32_t value, uint64_t nanoseconds);
/// Takes a lock that all logs of the process share, without the hook: several simulations run at a time.
void wal_lock_of_process(wal_lock_t *lock);
/// Sets the calling thread's hook; NULL for none.
void wal_set_wait_hook(wal_wait_hook_t hook, void *context);
/// Whether the calling thread has one.
bool wal_has_wait_hook(void);
/// The context of the calling thread's hook; NULL where it has another hook or none.
void *wal_wait_context(wal_wait_hook_t hook);
/// Waits by the calling thread's hook; false where it has none. `nanoseconds` is UINT64_MAX for no limit.
bool wal_wait_by_hook(const uint32_t *word, uint32_t value, uint64_t nanoseconds);

// MARK: - A few scratch buffers for each thread, so that encoding a record allocates nothing

typedef struct { void *base; size_t capacity; } wal_scratch_t;
/// A buffer of at least `minimum` bytes, aligned to 16; NULL when memory is short.
wal_scratch_t wal_scratch_take(size_t minimum);
/// Gives a buffer back to this thread, which keeps a few small ones and frees the rest.
void wal_scratch_give(void *base, size_t capacity);

// MARK: - What a child of fork must not use

/// Names this process; another in a child of fork(2) than in its parent.
uint64_t wal_process_token(void);
/// Zeroed memory that is all zeros again in a child of fork(2), up to 1 KiB, aligned to 64; NULL when memory is short. Many
/// share a page.
void *wal_hot_allocate(size_t size);
void wal_hot_free(void *memory, size_t size);
/// In a child of fork(2) such a descriptor refers to something harmless instead, so that the child holds no lock.
void wal_lock_descriptor_held(int fd);
void wal_lock_descriptor_released(int fd);

// MARK: - System calls

/// Each returns 0 (or a count) or the negated errno.
int wal_allocate(int fd, int64_t offset, int64_t length);
/// Never 0, 1 or 2, which belong to the app even where they are closed; nor does ``wal_duplicate`` return one.
int wal_openat(int dirfd, const char *path, int flags, int mode);
int wal_duplicate(int fd);
/// 16 bytes of header, `count` of payload and up to 7 zeros, in one call.
int64_t wal_pwrite_frame(
    int fd, uint64_t first, uint64_t second, const void *bytes, size_t count, int zeros, int64_t offset);
int64_t wal_pwrite_dsync(int fd, const void *bytes, size_t count, int64_t offset);
/// The writer's lock: the first byte of a file (an OFD lock), and a directory (flock). A copy of the descriptor, as a child of
/// fork has, keeps either until somebody unlocks it.
int wal_lock_file(int fd);
int wal_unlock_file(int fd);
int wal_lock_directory(int fd);
int wal_unlock_directory(int fd);
/// The second byte: held by whoever takes the lock or looks who has it, so that nobody looks before the new holder has written
/// its name. Waits for a second at most, for another may be stopped while it holds it.
int wal_lock_announcement(int fd);
int wal_unlock_announcement(int fd);
int wal_full_sync(int fd);
int wal_data_sync(int fd);
/// Everything of the file system that it lies on.
int wal_sync_file_system(int fd);
/// What the file system says of an open file; 0 where it does not tell.
typedef struct { uint64_t inode, birth, links; } wal_file_identity_t;
int wal_file_identity(int fd, wal_file_identity_t *found);
/// Has an empty file overwritten in place where the file system would write elsewhere (btrfs), so that an overwrite needs no space.
int wal_overwrite_in_place(int fd);
int wal_populate_write(void *base, size_t count);
/// True where preallocated space is guaranteed for later stores into a mapping (see the `FileFormat` article).
bool wal_filesystem_guarantees_allocation(int fd);
/// Tries with a file of its own whether space can be allocated and mapped in a directory. `name` is for where a file must have
/// one; it is gone at once. `step` says how far it came.
enum { WAL_PROBE_MAKE, WAL_PROBE_ALLOCATE, WAL_PROBE_SPACE, WAL_PROBE_MAP, WAL_PROBE_SYNC };
int wal_probe_mapping(int dirfd, const char *name, int *step);
/// What people call the file system, as "ext3".
int wal_file_system_name(int fd, char *out, size_t size);
/// Where an open file is now, as far as the system knows.
int wal_path_of(int fd, char *out, size_t size);
int wal_user_name(uid_t id, char *out, size_t size);
int wal_group_name(gid_t id, char *out, size_t size);
/// Beyond it a write is answered by SIGXFSZ (RLIMIT_FSIZE, soft); UINT64_MAX where there is none.
uint64_t wal_file_size_limit(void);
/// The process's limit of open files (RLIMIT_NOFILE, soft).
uint64_t wal_open_files_limit(void);

#ifdef __cplusplus
}
#endif
