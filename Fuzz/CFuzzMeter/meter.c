#include "CFuzzMeter.h"
#include <stdatomic.h>
#include <stdbool.h>

#if defined(__linux__)
// The sanitizers' own interface (sanitizer/allocator_interface.h); absent, and so null, in a build without one.
extern int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t), void (*)(const volatile void *))
    __attribute__((weak));
extern size_t __sanitizer_get_allocated_size(const volatile void *) __attribute__((weak));

static _Atomic long live, peak;
static bool is_installed;

static void on_malloc(const volatile void *place, size_t size) {
    (void)place;
    long now = atomic_fetch_add_explicit(&live, (long)size, memory_order_relaxed) + (long)size;
    if (now > atomic_load_explicit(&peak, memory_order_relaxed)) atomic_store_explicit(&peak, now, memory_order_relaxed);
}

static void on_free(const volatile void *place) {
    if (place) atomic_fetch_sub_explicit(&live, (long)__sanitizer_get_allocated_size(place), memory_order_relaxed);
}

void fuzz_meter_begin(void) {
    if (!is_installed && __sanitizer_install_malloc_and_free_hooks && __sanitizer_get_allocated_size)
        is_installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0;
    atomic_store_explicit(&live, 0, memory_order_relaxed);
    atomic_store_explicit(&peak, 0, memory_order_relaxed);
}

size_t fuzz_meter_peak(void) {
    long most = atomic_load_explicit(&peak, memory_order_relaxed);
    return most > 0 ? (size_t)most : 0;
}
#else
void fuzz_meter_begin(void) {}
size_t fuzz_meter_peak(void) { return 0; }
#endif
