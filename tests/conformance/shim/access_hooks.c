/*
 * The compiler calls these before every load and store of the kernel's code (outline checks of
 * -fsanitize=kernel-address). This file itself must be compiled without them.
 */
#include "kernel.h"
#include "machine.h"

static void check(const char* address, size_t size, const char* what) {
    if (likely(heap_accessible(address) && heap_accessible(address + size - 1)))
        return;
    char where[160] = "";
    if (heap_describe(address, where, sizeof(where)))
        machine_hazard(ORACLE_HAZARD_USE_AFTER_FREE, "%s of %zu bytes: %s", what, size, where);
    machine_hazard(ORACLE_HAZARD_BAD_ACCESS, "%s of %zu bytes at %p", what, size,
                   (const void*)address);
}

#define HOOKS(size)                                                                                \
    void __asan_load##size##_noabort(const void* p) {                                              \
        check(p, size, "read");                                                                    \
    }                                                                                              \
    void __asan_store##size##_noabort(const void* p) {                                             \
        check(p, size, "write");                                                                   \
    }
HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)
void __asan_loadN_noabort(const void* p, size_t size) {
    if (size)
        check(p, size, "read");
}
void __asan_storeN_noabort(const void* p, size_t size) {
    if (size)
        check(p, size, "write");
}
void __asan_handle_no_return(void) {}
