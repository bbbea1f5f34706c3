/*
 * The checking heap. Blocks come from one reserved range, so that any address can be told at
 * once: a byte of shadow per granule says whether it lies in a live block. Freed blocks rest in
 * a queue before they are used again, so that a stale pointer finds the pattern and not the next
 * owner.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel.h"
#include "machine.h"

#define GRANULE 16
#define RANGE ((size_t)16 << 30)
#define CLASSES 80
#define SMALL_LIMIT 1024
#define RESTING 2048

enum state { UNUSED, LIVE = 0x4c495645, FREED = 0x46524545 };

/* In front of every block; its own granules are never accessible to checked code. */
struct block {
    struct block *next, *prev; /* live: all live blocks; unused: one class */
    const char* what;
    uint32_t size, size_class;
    uint32_t state;
    uint32_t pad[3];
};
_Static_assert(sizeof(struct block) % GRANULE == 0, "blocks must stay aligned");

static char *range, *range_end;
static unsigned char* shadow;
static struct block* unused[CLASSES];
static struct block live = {.next = &live, .prev = &live};
static struct block* resting[RESTING];
static unsigned int resting_at;

static size_t class_of(size_t size) {
    if (size <= SMALL_LIMIT)
        return (size + GRANULE - 1) / GRANULE;
    return SMALL_LIMIT / GRANULE + (size_t)(54 - __builtin_clzl(size - 1));
}

static size_t class_size(size_t size_class) {
    size_t small = SMALL_LIMIT / GRANULE;
    return size_class <= small ? size_class * GRANULE : (size_t)SMALL_LIMIT << (size_class - small);
}

static void set_shadow(const struct block* block, bool accessible) {
#ifdef SHIM_ACCESS_HOOKS
    size_t first = (size_t)((const char*)(block + 1) - range) / GRANULE;
    memset(shadow + first, accessible, (block->size + GRANULE - 1) / GRANULE);
#else
    (void)block;
    (void)accessible;
#endif
}

static void* reserve(size_t size) {
    void* p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED) {
        perror("reserving the checking heap");
        abort();
    }
    return p;
}

static struct block* new_block(size_t size_class) {
    struct block* block = unused[size_class];
    if (block) {
        unused[size_class] = block->next;
        return block;
    }
    if (!range) {
        range = range_end = reserve(RANGE);
        shadow = reserve(RANGE / GRANULE);
    }
    block = (struct block*)range_end;
    range_end += sizeof(*block) + class_size(size_class);
    if (range_end > range + RANGE) {
        fputs("the checking heap is full\n", stderr);
        abort();
    }
    block->size_class = (uint32_t)size_class;
    return block;
}

void* shim_alloc(size_t size, bool zero, const char* what) {
    struct block* block = new_block(class_of(size ? size : 1));
    block->what = what;
    block->size = (uint32_t)size;
    block->state = LIVE;
    block->next = live.next;
    block->prev = &live;
    live.next->prev = block;
    live.next = block;
    set_shadow(block, true);
    memset(block + 1, zero ? 0 : 0x5a, size);
    return block + 1;
}

static void retire(struct block* block) {
    block->next->prev = block->prev;
    block->prev->next = block->next;
    block->state = FREED;
    memset(block + 1, 0x6b, block->size);
    set_shadow(block, false);

    struct block* oldest = resting[resting_at];
    resting[resting_at] = block;
    resting_at = (resting_at + 1) % RESTING;
    if (oldest) {
        oldest->next = unused[oldest->size_class];
        unused[oldest->size_class] = oldest;
    }
}

void shim_free(const void* ptr) {
    if (!ptr)
        return;
    if ((const char*)ptr < range + sizeof(struct block) || (const char*)ptr >= range_end)
        machine_hazard(ORACLE_HAZARD_BAD_ACCESS, "free of memory that was never allocated");
    struct block* block = (struct block*)ptr - 1;
    if (block->state != LIVE) {
        if (block->state == FREED)
            machine_hazard(ORACLE_HAZARD_DOUBLE_FREE, "double free of %s", block->what);
        machine_hazard(ORACLE_HAZARD_BAD_ACCESS, "free of something inside a block");
    }
    retire(block);
}

void* shim_realloc(const void* ptr, size_t size, const char* what) {
    void* copy = size ? shim_alloc(size, false, what) : NULL;
    if (ptr && copy) {
        size_t old = ((const struct block*)ptr - 1)->size;
        memcpy(copy, ptr, min(old, size));
    }
    shim_free(ptr);
    return copy;
}

struct heap_leaks heap_leaks(void) {
    struct heap_leaks leaks = {0, 0, NULL};
    for (const struct block* b = live.prev; b != &live; b = b->prev) {
        if (!leaks.blocks++)
            leaks.first = b->what;
        leaks.bytes += b->size;
    }
    return leaks;
}

void heap_reset(void) {
    while (live.next != &live)
        retire(live.next);
}

static const struct block* block_of(const void* address) {
    const char* p = range;
    if ((const char*)address < range || (const char*)address >= range_end)
        return NULL;
    for (;;) {
        const struct block* block = (const struct block*)p;
        p += sizeof(*block) + class_size(block->size_class);
        if ((const char*)address < p)
            return block;
    }
}

bool heap_describe(const void* address, char* text, size_t size) {
    const struct block* block = block_of(address);
    if (!block)
        return false;
    snprintf(text, size, "%s block of %u bytes allocated as %s, offset %td",
             block->state == LIVE ? "live" : "freed", block->size, block->what,
             (const char*)address - (const char*)(block + 1));
    return true;
}

bool heap_accessible(const void* address) {
    const char* p = address;
    if (p < range || p >= range_end)
        return (uintptr_t)p >= PAGE_SIZE;
#ifdef SHIM_ACCESS_HOOKS
    return shadow[(size_t)(p - range) / GRANULE] != 0;
#else
    const struct block* block = block_of(p);
    return block->state == LIVE && p >= (const char*)(block + 1) &&
           p < (const char*)(block + 1) + block->size;
#endif
}

struct kmem_cache* shim_cache_create(const char* name, size_t size) {
    struct kmem_cache* cache = malloc(sizeof(*cache));
    if (cache)
        *cache = (struct kmem_cache){size, name};
    return cache;
}

void kmem_cache_destroy(struct kmem_cache* cache) {
    free(cache);
}
