#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CWalShims.h"
#include <sched.h>

bool wal_sleepers_synchronize = false;

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
enum { PRIVATE_EXPEDITED = 1 << 3, REGISTER_PRIVATE_EXPEDITED = 1 << 4 }; // linux/membarrier.h, Linux 4.14
static void wait_while_held(wal_lock_t *lock) { syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, 1, 0, 0, 0); }
static void wake_one(wal_lock_t *lock) { syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0); }
static void synchronize(void) {
    if (!wal_sleepers_synchronize || syscall(SYS_membarrier, PRIVATE_EXPEDITED, 0, 0) == 0) return;
    // A child of fork(2) may have to register anew.
    syscall(SYS_membarrier, REGISTER_PRIVATE_EXPEDITED, 0, 0);
    syscall(SYS_membarrier, PRIVATE_EXPEDITED, 0, 0);
}
__attribute__((constructor)) static void prepare(void) {
    wal_sleepers_synchronize = syscall(SYS_membarrier, REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}
#else
// Elsewhere a waiter yields; the word is the same. Untested on Apple's systems.
static void wait_while_held(wal_lock_t *lock) { (void)lock; sched_yield(); }
static void wake_one(wal_lock_t *lock) { (void)lock; }
static void synchronize(void) {}
#endif

static _Thread_local wal_wait_hook_t wait_hook;
static _Thread_local void *wait_context;

void wal_set_wait_hook(wal_wait_hook_t hook, void *context) {
    wait_hook = hook;
    wait_context = context;
}

bool wal_has_wait_hook(void) { return wait_hook != NULL; }

void *wal_wait_context(wal_wait_hook_t hook) { return wait_hook == hook ? wait_context : NULL; }

bool wal_wait_by_hook(const uint32_t *word, uint32_t value, uint64_t nanoseconds) {
    if (!wait_hook) return false;
    wait_hook(wait_context, word, value, nanoseconds);
    return true;
}

static inline void pause_once(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

// The holder is inside for some tens of nanoseconds, but the lock and what it guards lie in cache lines that take longer than that to
// come over. So each try waits twice as long as the one before (T. Anderson, "The Performance of Spin Lock Alternatives", 1990), up
// to some 10 µs: the holder gets on with its next records meanwhile. One who holds it for longer (a rotation) is waited for in the
// kernel, after some 50 µs.
void wal_lock_slow(wal_lock_t *lock) {
    while (wait_hook) {
        wait_hook(wait_context, &lock->word, 1, UINT64_MAX);
        uint32_t expected = 0;
        if (__atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
    }
    for (int round = 0; round < 12; round++) {
        for (int pauses = 1 << (round < 8 ? round : 8); pauses > 0; pauses--) pause_once();
        uint32_t expected = 0;
        if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0
            && __atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
    }
    __atomic_fetch_add(&lock->sleepers, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        // Whoever unlocked and did not see a sleeper: from here on its store is visible. Whoever unlocks later sees one.
        synchronize();
        uint32_t expected = 0;
        if (__atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) break;
        wait_while_held(lock);
    }
    __atomic_fetch_sub(&lock->sleepers, 1, __ATOMIC_SEQ_CST);
}

void wal_lock_of_process(wal_lock_t *lock) {
    wal_wait_hook_t hook = wait_hook;
    wait_hook = NULL;
    wal_lock(lock);
    wait_hook = hook;
}

void wal_unlock_slow(wal_lock_t *lock) { wake_one(lock); }
