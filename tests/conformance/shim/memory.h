/*
 * kmalloc and slab caches over a checking heap.
 *
 * Every block has a record and is in one of three states: live, freed (filled with the byte 0x6b
 * and kept out of use for a while), or unused. What is live at the end of a run is a leak; a
 * double free, a free of a foreign pointer and an access to a block that is not live are hazards.
 * Code compiled with the access hooks (access_hooks.c) has each of its loads and stores checked;
 * other code notices freed memory by its pattern.
 */
#ifndef FENCELINE_SHIM_MEMORY_H
#define FENCELINE_SHIM_MEMORY_H

#include "base.h"

#define GFP_KERNEL 1u
#define GFP_NOWAIT 2u
#define GFP_ATOMIC 4u
#define __GFP_ZERO 8u
#define __GFP_NOWARN 16u
#define __GFP_ACCOUNT 32u
#define __GFP_BITS_SHIFT 6
#define gfpflags_allow_blocking(gfp) ((gfp)&GFP_KERNEL)
#define SLAB_HWCACHE_ALIGN 0u

void* shim_alloc(size_t size, bool zero, const char* what);
void shim_free(const void* ptr);
void* shim_realloc(const void* ptr, size_t size, const char* what);

#define kmalloc(size, gfp) shim_alloc(size, ((gfp)&__GFP_ZERO) != 0, __func__)
#define kzalloc(size, gfp) shim_alloc(size, true, __func__)
#define kcalloc(n, size, gfp) shim_alloc((size_t)(n) * (size), true, __func__)
#define kmalloc_array(n, size, gfp) kmalloc((size_t)(n) * (size), gfp)
#define krealloc_array(ptr, n, size, gfp) shim_realloc(ptr, (size_t)(n) * (size), __func__)
#define kfree(ptr) shim_free(ptr)
#define kmalloc_size_roundup(size) round_up((size_t)(size), (size_t)16)

struct kmem_cache {
    size_t size;
    const char* name;
};
struct list_lru;
struct kmem_cache* shim_cache_create(const char* name, size_t size);
void kmem_cache_destroy(struct kmem_cache* cache);
#define KMEM_CACHE(type, flags) shim_cache_create(#type, sizeof(struct type))
#define kmem_cache_zalloc(cache, gfp) shim_alloc((cache)->size, true, (cache)->name)
#define kmem_cache_alloc(cache, gfp) shim_alloc((cache)->size, false, (cache)->name)
#define kmem_cache_free(cache, ptr) shim_free(ptr)

/* The tree nodes of xarray come constructed from their cache, as lib/radix-tree.c does it. */
extern struct kmem_cache* radix_tree_node_cachep;
void* shim_alloc_tree_node(void);
#define kmem_cache_alloc_lru(cache, lru, gfp) shim_alloc_tree_node()

#endif
