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

wal_scratch_t wal_scratch_take(size_t minimum) {
    if (__builtin_expect(mine.count > 0 && mine.kept[mine.count - 1].capacity >= minimum, 1)) return mine.kept[--mine.count];
    size_t capacity = minimum < SMALLEST ? SMALLEST : minimum;
    wal_scratch_t fresh = {malloc(capacity), capacity};
    return fresh;
}

void wal_scratch_give(void *base, size_t capacity) {
    if (__builtin_expect(!mine.registered, 0)) {
        pthread_once(&once, make_key);
        mine.registered = pthread_setspecific(key, &mine) == 0;
    }
    if (mine.registered && mine.count < SLOTS && capacity <= LARGEST_KEPT) {
        wal_scratch_t s = {base, capacity};
        mine.kept[mine.count++] = s;
    } else {
        free(base);
    }
}
