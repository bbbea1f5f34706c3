/*
 * The C of the kernel: types, compiler attributes, error pointers, assertions, bit operations and
 * the small macros that the scheduler, fence and tree sources take for granted.
 *
 * Everything here is written from the documented meaning of the names. One thread of execution
 * exists, so the memory barriers only have to keep the compiler in order.
 */
#ifndef FENCELINE_SHIM_BASE_H
#define FENCELINE_SHIM_BASE_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned int gfp_t;
typedef int64_t ktime_t;

/* The kernel's list and tree types live in linux/types.h, not in list.h. */
struct list_head {
    struct list_head *next, *prev;
};
struct hlist_node {
    struct hlist_node *next, **pprev;
};
struct hlist_head {
    struct hlist_node* first;
};
struct rcu_head {
    struct rcu_head* next;
    void (*func)(struct rcu_head* head);
};

/* Configuration: 64 bit, none of the optional debugging features of the sources themselves. */
#define BITS_PER_LONG 64
#define CONFIG_64BIT 1
#define CONFIG_XARRAY_MULTI 1
#define IS_ENABLED(option) 0
#define KBUILD_MODNAME "oracle"

/* Errors that user space's errno.h does not have. */
#define ERESTARTSYS 512
#define MAX_ERRNO 4095

/* Attributes for static checkers and for the linker. */
#define __rcu
#define __force
#define __bitwise
#define __user
#define __init
#define __exit
#define __must_check
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __maybe_unused __attribute__((unused))
#define __counted_by(member)
#define __acquires(lock)
#define __releases(lock)
#define __must_hold(lock)
#define noinline __attribute__((noinline))
#define __cold
#define __pure __attribute__((pure))
#undef __attribute_const__
#define __attribute_const__ __attribute__((const))
#define __packed __attribute__((packed))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define fallthrough __attribute__((fallthrough))
#define __stringify_1(x) #x
#define __stringify(x) __stringify_1(x)
#define __same_type(a, b) __builtin_types_compatible_p(typeof(a), typeof(b))
#define UL(x) x##UL
#define _UL(x) x##UL

#define barrier() __asm__ __volatile__("" ::: "memory")
#define mb() barrier()
#define rmb() barrier()
#define wmb() barrier()
#define smp_mb() barrier()
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define smp_mb__after_atomic() barrier()
#define smp_mb__before_atomic() barrier()
#define cpu_relax() barrier()
#define preempt_disable() barrier()
#define preempt_enable() barrier()
#define READ_ONCE(x) (*(const volatile typeof(x)*)&(x))
#define WRITE_ONCE(x, value) ((void)(*(volatile typeof(x)*)&(x) = (value)))
#define data_race(x) (x)
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, value) WRITE_ONCE(*(p), value)

/* Plain words, but with the fully ordered interface of the kernel's cmpxchg and xchg. */
#define cmpxchg(p, old_value, new_value)                                                           \
    ({                                                                                             \
        typeof(*(p)) was_ = *(p);                                                                  \
        if (was_ == (old_value))                                                                   \
            *(p) = (new_value);                                                                    \
        was_;                                                                                      \
    })
#define xchg(p, value)                                                                             \
    ({                                                                                             \
        typeof(*(p)) was_ = *(p);                                                                  \
        *(p) = (value);                                                                            \
        was_;                                                                                      \
    })

#define container_of(ptr, type, member) ((type*)((char*)(ptr)-offsetof(type, member)))
#define struct_size(ptr, member, count) (sizeof(*(ptr)) + sizeof(*(ptr)->member) * (size_t)(count))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define lower_32_bits(x) ((u32)((x)&0xffffffffu))
#define round_up(x, y) ((((x)-1) | ((typeof(x))(y)-1)) + 1)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define check_sub_overflow(a, b, result) __builtin_sub_overflow(a, b, result)
#define U32_MAX UINT32_MAX
#define PAGE_SIZE 4096UL

static inline unsigned long roundup_pow_of_two(unsigned long n) {
    return n <= 1 ? 1 : 1UL << (BITS_PER_LONG - __builtin_clzl(n - 1));
}

/* Pointers that carry a negative error number. */
#define IS_ERR_VALUE(x) ((unsigned long)(void*)(x) >= (unsigned long)-MAX_ERRNO)
static inline void* ERR_PTR(long error) {
    return (void*)error;
}
static inline long PTR_ERR(const void* ptr) {
    return (long)ptr;
}
static inline bool IS_ERR(const void* ptr) {
    return IS_ERR_VALUE(ptr);
}
static inline bool IS_ERR_OR_NULL(const void* ptr) {
    return !ptr || IS_ERR(ptr);
}
#define ERR_CAST(ptr) ((void*)(ptr))

/*
 * Assertions. A WARN is counted and the run goes on, as in the kernel; a BUG ends the run.
 * The two functions are defined by the machine (machine.h).
 */
void shim_warn(const char* file, int line, const char* what);
void shim_bug(const char* file, int line, const char* what) __attribute__((noreturn));
#define WARN_ON(condition)                                                                         \
    ({                                                                                             \
        bool failed_ = !!(condition);                                                              \
        if (unlikely(failed_))                                                                     \
            shim_warn(__FILE__, __LINE__, #condition);                                             \
        unlikely(failed_);                                                                         \
    })
#define WARN(condition, ...) WARN_ON(condition)
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define BUG_ON(condition)                                                                          \
    do {                                                                                           \
        if (unlikely(condition))                                                                   \
            shim_bug(__FILE__, __LINE__, #condition);                                              \
    } while (0)
#define BUG() BUG_ON(1)
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#define might_sleep()                                                                              \
    do {                                                                                           \
    } while (0)
#define might_alloc(gfp) ((void)(gfp))

/* Single bits and bitmaps; the "atomic" forms are the plain ones here. */
#define BIT(n) (1UL << (n))
#define BITS_TO_LONGS(n) DIV_ROUND_UP(n, BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
static inline bool test_bit(long bit, const volatile unsigned long* map) {
    return map[bit / BITS_PER_LONG] >> (bit % BITS_PER_LONG) & 1;
}
static inline void __set_bit(long bit, volatile unsigned long* map) {
    map[bit / BITS_PER_LONG] |= BIT(bit % BITS_PER_LONG);
}
static inline void __clear_bit(long bit, volatile unsigned long* map) {
    map[bit / BITS_PER_LONG] &= ~BIT(bit % BITS_PER_LONG);
}
static inline bool __test_and_set_bit(long bit, volatile unsigned long* map) {
    bool was = test_bit(bit, map);
    __set_bit(bit, map);
    return was;
}
static inline bool __test_and_clear_bit(long bit, volatile unsigned long* map) {
    bool was = test_bit(bit, map);
    __clear_bit(bit, map);
    return was;
}
#define set_bit(bit, map) __set_bit(bit, map)
#define clear_bit(bit, map) __clear_bit(bit, map)
#define test_and_set_bit(bit, map) __test_and_set_bit(bit, map)
#define test_and_clear_bit(bit, map) __test_and_clear_bit(bit, map)
#define __ffs(word) ((unsigned long)__builtin_ctzl(word))
#define fls_long(word) ((word) ? BITS_PER_LONG - (unsigned)__builtin_clzl(word) : 0u)

/* First set (or, with flip, clear) bit at or after start; size if there is none. */
static inline unsigned long shim_find_bit(const unsigned long* map, unsigned long size,
                                          unsigned long start, unsigned long flip) {
    while (start < size) {
        unsigned long word = (map[start / BITS_PER_LONG] ^ flip) >> (start % BITS_PER_LONG);
        if (word) {
            start += __ffs(word);
            return start < size ? start : size;
        }
        start = (start / BITS_PER_LONG + 1) * BITS_PER_LONG;
    }
    return size;
}
#define find_next_bit(map, size, start) shim_find_bit(map, size, start, 0UL)
#define find_next_zero_bit(map, size, start) shim_find_bit(map, size, start, ~0UL)
static inline bool bitmap_empty(const unsigned long* map, unsigned int bits) {
    return shim_find_bit(map, bits, 0, 0) == bits;
}
static inline void bitmap_fill(unsigned long* map, unsigned int bits) {
    for (unsigned int i = 0; i < bits; i++)
        __set_bit(i, map);
}
static inline void bitmap_clear(unsigned long* map, unsigned int start, unsigned int count) {
    for (unsigned int i = start; i < start + count; i++)
        __clear_bit(i, map);
}
static inline void bitmap_set(unsigned long* map, unsigned int start, unsigned int count) {
    for (unsigned int i = start; i < start + count; i++)
        __set_bit(i, map);
}

/* Modules, exports, messages. Messages of the sources are counted, never printed. */
void shim_message(const char* format, ...) __attribute__((format(printf, 1, 2)));
#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define EXPORT_TRACEPOINT_SYMBOL(name)
#define MODULE_PARM_DESC(name, text)
#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)
#define module_param_named(name, variable, type, mode)
#define module_init(fn)                                                                            \
    int shim_module_init(void) {                                                                   \
        return fn();                                                                               \
    }
#define module_exit(fn)                                                                            \
    void shim_module_exit(void) {                                                                  \
        fn();                                                                                      \
    }
#define subsys_initcall(fn)
#define pr_warn(...) shim_message(__VA_ARGS__)
#define pr_err(...) shim_message(__VA_ARGS__)
#define pr_info(...) shim_message(__VA_ARGS__)
#define pr_cont(...) shim_message(__VA_ARGS__)

#endif
