#define _GNU_SOURCE
#include "CAllocations.h"
#include <errno.h>
#include <stddef.h>

// glibc's own names for what it exports as malloc and so on; an executable's definitions go before the library's.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static _Thread_local unsigned long mine;
static unsigned long all;

static inline void count(void) {
    mine++;
    __atomic_fetch_add(&all, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t n) { count(); return __libc_malloc(n); }
void *calloc(size_t n, size_t size) { count(); return __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { count(); return __libc_realloc(p, n); }
void *memalign(size_t alignment, size_t n) { count(); return __libc_memalign(alignment, n); }
void *aligned_alloc(size_t alignment, size_t n) { count(); return __libc_memalign(alignment, n); }
int posix_memalign(void **p, size_t alignment, size_t n) {
    count();
    *p = __libc_memalign(alignment, n);
    return *p ? 0 : ENOMEM;
}

unsigned long allocations_of_thread(void) { return mine; }
unsigned long allocations_of_process(void) { return __atomic_load_n(&all, __ATOMIC_RELAXED); }
