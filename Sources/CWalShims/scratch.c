#include "CWalShims.h"
#include <pthread.h>
#include <stdlib.h>

// Four, because a codec may wrap another (zstd over JSON) and each holds one while it works.
enum { SLOTS = 4, LARGEST_KEPT = 1 << 20, SMALLEST = 4096 };
static _Thread_local struct { int count; bool registered; wal_scratch_t kept[SLOTS]; } mine;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void thread_ends(void *ignored) {
    (void)ignored;
    while (mine.count > 0) free(mine.kept[--mine.count].base);
}
static void make_key(void) { pthread_key_create(&key, thread_ends); }

// Out of line, so that the usual way needs no registers saved.
__attribute__((noinline)) static wal_scratch_t make(size_t minimum) {
    size_t capacity = minimum < SMALLEST ? SMALLEST : minimum;
    wal_scratch_t fresh = {malloc(capacity), capacity};
    return fresh;
}

wal_scratch_t wal_scratch_take(size_t minimum) {
    int last = mine.count - 1;
    if (__builtin_expect(last < 0 || mine.kept[last].capacity < minimum, 0)) return make(minimum);
    mine.count = last;
    return mine.kept[last];
}

__attribute__((noinline)) static void give_unusual(void *base, size_t capacity) {
    if (!mine.registered) {
        pthread_once(&once, make_key);
        mine.registered = pthread_setspecific(key, &mine) == 0;
        if (mine.registered) return wal_scratch_give(base, capacity);
    }
    free(base);
}

void wal_scratch_give(void *base, size_t capacity) {
    if (__builtin_expect(!mine.registered || mine.count >= SLOTS || capacity > LARGEST_KEPT, 0))
        return give_unusual(base, capacity);
    wal_scratch_t s = {base, capacity};
    mine.kept[mine.count++] = s;
}
