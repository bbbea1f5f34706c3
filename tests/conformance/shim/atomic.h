/*
 * atomic_t, refcount_t and kref. Plain integers, because only one thread runs; the reference
 * counts check themselves: a get on zero, a put below zero and the pattern of freed memory end
 * the run with a report, where the kernel would warn and saturate.
 */
#ifndef FENCELINE_SHIM_ATOMIC_H
#define FENCELINE_SHIM_ATOMIC_H

#include "base.h"

#define SHIM_ATOMIC_TYPE(type, value, prefix)                                                      \
    typedef struct {                                                                               \
        value counter;                                                                             \
    } type;                                                                                        \
    static inline value prefix##_read(const type* v) {                                             \
        return v->counter;                                                                         \
    }                                                                                              \
    static inline void prefix##_set(type* v, value n) {                                            \
        v->counter = n;                                                                            \
    }                                                                                              \
    static inline void prefix##_add(value n, type* v) {                                            \
        v->counter += n;                                                                           \
    }                                                                                              \
    static inline void prefix##_sub(value n, type* v) {                                            \
        v->counter -= n;                                                                           \
    }                                                                                              \
    static inline void prefix##_inc(type* v) {                                                     \
        v->counter++;                                                                              \
    }                                                                                              \
    static inline void prefix##_dec(type* v) {                                                     \
        v->counter--;                                                                              \
    }                                                                                              \
    static inline value prefix##_inc_return(type* v) {                                             \
        return ++v->counter;                                                                       \
    }                                                                                              \
    static inline bool prefix##_dec_and_test(type* v) {                                            \
        return --v->counter == 0;                                                                  \
    }                                                                                              \
    static inline value prefix##_xchg(type* v, value n) {                                          \
        value was = v->counter;                                                                    \
        v->counter = n;                                                                            \
        return was;                                                                                \
    }                                                                                              \
    static inline value prefix##_cmpxchg(type* v, value expected, value n) {                       \
        value was = v->counter;                                                                    \
        if (was == expected)                                                                       \
            v->counter = n;                                                                        \
        return was;                                                                                \
    }                                                                                              \
    static inline value prefix##_fetch_add(value n, type* v) {                                     \
        value was = v->counter;                                                                    \
        v->counter += n;                                                                           \
        return was;                                                                                \
    }

SHIM_ATOMIC_TYPE(atomic_t, int, atomic)
SHIM_ATOMIC_TYPE(atomic_long_t, long, atomic_long)
SHIM_ATOMIC_TYPE(atomic64_t, s64, atomic64)
#define atomic_read_acquire(v) atomic_read(v)
#define ATOMIC_INIT(n)                                                                             \
    { (n) }
#define ATOMIC64_INIT(n)                                                                           \
    { (n) }

/* The four bytes of freed memory (memory.h) read as an int. */
#define SHIM_POISONED_INT 0x6b6b6b6b

void shim_bad_reference(const void* object, int count, const char* operation)
    __attribute__((noreturn));

struct kref {
    atomic_t refcount;
};
static inline void kref_init(struct kref* ref) {
    ref->refcount.counter = 1;
}
static inline unsigned int kref_read(const struct kref* ref) {
    if (unlikely(ref->refcount.counter == SHIM_POISONED_INT))
        shim_bad_reference(ref, ref->refcount.counter, "read");
    return (unsigned int)ref->refcount.counter;
}
static inline void kref_get(struct kref* ref) {
    int count = ref->refcount.counter;
    if (unlikely(count <= 0 || count == SHIM_POISONED_INT))
        shim_bad_reference(ref, count, "get");
    ref->refcount.counter = count + 1;
}
static inline int kref_get_unless_zero(struct kref* ref) {
    if (!kref_read(ref))
        return 0;
    kref_get(ref);
    return 1;
}
static inline int kref_put(struct kref* ref, void (*release)(struct kref* ref)) {
    int count = ref->refcount.counter;
    if (unlikely(count <= 0 || count == SHIM_POISONED_INT))
        shim_bad_reference(ref, count, "put");
    ref->refcount.counter = count - 1;
    if (count != 1)
        return 0;
    release(ref);
    return 1;
}

#endif
