#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CWalShims.h"
#include <sched.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
static void wait_while_2(wal_lock_t *lock) { syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, 2, 0, 0, 0); }
static void wake_one(wal_lock_t *lock) { syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0); }
#else
// Elsewhere a waiter yields; the word is the same. Untested on Apple's systems.
static void wait_while_2(wal_lock_t *lock) { (void)lock; sched_yield(); }
static void wake_one(wal_lock_t *lock) { (void)lock; }
#endif

static inline void pause_once(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

// The holder is inside for some tens of nanoseconds, so a short spin nearly always wins; one who holds it for longer
// (a rotation) is waited for in the kernel.
void wal_lock_slow(wal_lock_t *lock) {
    for (int round = 0; round < 24; round++) {
        for (int pauses = 1 << (round < 5 ? round : 5); pauses > 0; pauses--) pause_once();
        uint32_t expected = 0;
        if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0
            && __atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
    }
    while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0) wait_while_2(lock);
}

void wal_unlock_slow(wal_lock_t *lock) { wake_one(lock); }
