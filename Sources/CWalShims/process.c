#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CWalShims.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

// What a child of fork(2) inherits and must not use: the words that let an append go ahead, and the descriptors that hold the
// writer's locks. The kernel wipes the first (MADV_WIPEONFORK, Linux 4.14), also after a bare clone(2); the handler does both
// where it runs.

enum { PAGE = 4096, ARENA = 64 << 10, UNIT = 64, CLASSES = 17 };

typedef struct slot { struct slot *next; } slot_t;
typedef struct arena { char *base; size_t used; struct arena *before; } arena_t;

static wal_lock_t guard;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static arena_t *arenas[CLASSES];
static slot_t *free_slots[CLASSES];
static uint64_t *token;
static uint64_t token_without_a_page;
static int *held;
static size_t held_count, held_capacity;

static bool kernel_wipes = true;

static void *wiped_on_fork(size_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (p == MAP_FAILED) return NULL;
#if defined(__linux__)
    if (madvise(p, size, 18 /* MADV_WIPEONFORK */) < 0) kernel_wipes = false;
#else
    kernel_wipes = false;
#endif
    return p;
}

static void before_fork(void) { wal_lock_of_process(&guard); }
static void in_parent(void) { wal_unlock(&guard); }
static void in_child(void) {
    guard = (wal_lock_t){0, 0};
    __atomic_store_n(token, 0, __ATOMIC_RELEASE);
    for (size_t k = 0; k < CLASSES; k++) {
        for (arena_t *a = arenas[k]; a && !kernel_wipes; a = a->before) memset(a->base, 0, a->used);
        free_slots[k] = NULL;
    }
    if (held_count == 0) return;
    // The numbers stay taken, so that whoever closes them later closes nothing of the app's.
    int ends[2] = {-1, -1};
    int harmless = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (harmless < 0 && pipe(ends) == 0) harmless = ends[0];
    for (size_t k = 0; k < held_count; k++) {
        if (harmless < 0) close(held[k]);
        else if (dup2(harmless, held[k]) >= 0) fcntl(held[k], F_SETFD, FD_CLOEXEC);
    }
    if (harmless >= 0) close(harmless);
    if (ends[1] >= 0) close(ends[1]);
    held_count = 0;
}

static void begin(void) {
    token = wiped_on_fork(PAGE);
    if (!token) token = &token_without_a_page;
    pthread_atfork(before_fork, in_parent, in_child);
}

uint64_t wal_process_token(void) {
    pthread_once(&once, begin);
    uint64_t known = __atomic_load_n(token, __ATOMIC_ACQUIRE);
    if (known) return known;
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t fresh = ((uint64_t)getpid() << 32) | ((uint32_t)now.tv_nsec ^ (uint32_t)now.tv_sec) | 1;
    if (__atomic_compare_exchange_n(token, &known, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return fresh;
    return known;
}

void *wal_hot_allocate(size_t size) {
    pthread_once(&once, begin);
    size_t class = (size + UNIT - 1) / UNIT, step = class * UNIT;
    if (class == 0 || class >= CLASSES) return NULL;
    wal_lock_of_process(&guard);
    void *result = free_slots[class];
    if (result) {
        free_slots[class] = ((slot_t *)result)->next;
        memset(result, 0, sizeof(slot_t));
    } else {
        arena_t *a = arenas[class];
        if (!a || a->used + step > ARENA) {
            arena_t *fresh = malloc(sizeof *fresh);
            char *base = fresh ? wiped_on_fork(ARENA) : NULL;
            if (base) {
                *fresh = (arena_t){base, 0, a};
                arenas[class] = a = fresh;
            } else {
                free(fresh);
                a = NULL;
            }
        }
        if (a) {
            result = a->base + a->used;
            a->used += step;
        }
    }
    wal_unlock(&guard);
    return result;
}

void wal_hot_free(void *memory, size_t size) {
    size_t class = (size + UNIT - 1) / UNIT;
    if (!memory || class == 0 || class >= CLASSES) return;
    wal_lock_of_process(&guard);
    memset(memory, 0, class * UNIT);
    ((slot_t *)memory)->next = free_slots[class];
    free_slots[class] = memory;
    wal_unlock(&guard);
}

void wal_lock_descriptor_held(int fd) {
    pthread_once(&once, begin);
    wal_lock_of_process(&guard);
    bool is_known = false;
    for (size_t k = 0; k < held_count; k++) is_known |= held[k] == fd;
    if (!is_known && held_count == held_capacity) {
        size_t capacity = held_capacity ? 2 * held_capacity : 8;
        int *grown = realloc(held, capacity * sizeof *grown);
        if (grown) {
            held = grown;
            held_capacity = capacity;
        }
    }
    if (!is_known && held_count < held_capacity) held[held_count++] = fd;
    wal_unlock(&guard);
}

void wal_lock_descriptor_released(int fd) {
    wal_lock_of_process(&guard);
    for (size_t k = 0; k < held_count; k++)
        if (held[k] == fd) {
            held[k] = held[--held_count];
            break;
        }
    wal_unlock(&guard);
}
