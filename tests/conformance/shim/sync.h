/*
 * Tasks, locks, wait queues, completions, RCU and time.
 *
 * A task is a context that can block; it runs on a fiber. Spinlocks never wait: taking one that
 * is held, releasing one that is not, and blocking with one held are assertions that fail.
 * A wake-up takes a place in the order of events; the woken task runs when its turn comes.
 * Jiffies are nanoseconds, so a timeout given to the sources is exact.
 */
#ifndef FENCELINE_SHIM_SYNC_H
#define FENCELINE_SHIM_SYNC_H

#include "atomic.h"
#include "base.h"
#include "task.h"

/* --- time ------------------------------------------------------------------------------- */
extern uint64_t shim_now;
#define HZ 1000000000UL
#define jiffies ((unsigned long)shim_now)
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define msecs_to_jiffies(ms) ((unsigned long)(ms)*1000000UL)
#define MAX_SCHEDULE_TIMEOUT LONG_MAX
static inline ktime_t ktime_get(void) {
    return (ktime_t)shim_now;
}
static inline bool ktime_before(ktime_t a, ktime_t b) {
    return a < b;
}

/* --- tasks ------------------------------------------------------------------------------ */
#define PF_EXITING 4u
#define SIGKILL 9
#define TASK_RUNNING 0
#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
#define TASK_NORMAL 3
extern struct task_struct* shim_current;
#define current shim_current
#define signal_pending(task) ((void)(task), false)
#define __set_current_state(state)                                                                 \
    do {                                                                                           \
    } while (0)
#define set_current_state(state)                                                                   \
    do {                                                                                           \
    } while (0)
long schedule_timeout(long timeout);
void wake_up_state(struct task_struct* task, unsigned int state);

/* --- spinlocks -------------------------------------------------------------------------- */
typedef struct {
    u32 magic;
    u32 held;
} spinlock_t;
#define SHIM_LOCK_MAGIC 0x4b434f4cu
#define DEFINE_SPINLOCK(name) spinlock_t name = {SHIM_LOCK_MAGIC, 0}
#define __SPIN_LOCK_UNLOCKED(name) ((spinlock_t){SHIM_LOCK_MAGIC, 0})
extern unsigned int shim_locks_held;
void shim_lock_failed(const spinlock_t* lock, const char* operation) __attribute__((noreturn));
static inline void spin_lock_init(spinlock_t* lock) {
    lock->magic = SHIM_LOCK_MAGIC;
    lock->held = 0;
}
static inline void spin_lock(spinlock_t* lock) {
    if (unlikely(lock->magic != SHIM_LOCK_MAGIC || lock->held))
        shim_lock_failed(lock, "lock");
    lock->held = 1;
    shim_locks_held++;
}
static inline void spin_unlock(spinlock_t* lock) {
    if (unlikely(lock->magic != SHIM_LOCK_MAGIC || !lock->held))
        shim_lock_failed(lock, "unlock");
    lock->held = 0;
    shim_locks_held--;
}
#define spin_lock_irq(lock) spin_lock(lock)
#define spin_unlock_irq(lock) spin_unlock(lock)
#define spin_lock_bh(lock) spin_lock(lock)
#define spin_unlock_bh(lock) spin_unlock(lock)
#define spin_lock_irqsave(lock, flags) ((void)((flags) = 0), spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), spin_unlock(lock))
#define spin_trylock(lock) (!(lock)->held && (spin_lock(lock), true))
#define spin_lock_nested(lock, subclass) spin_lock(lock)
#define spin_lock_irqsave_nested(lock, flags, subclass) spin_lock_irqsave(lock, flags)
#define spin_lock_irq_nested(lock, subclass) spin_lock(lock)
#define spin_lock_bh_nested(lock, subclass) spin_lock(lock)

/* A lock or mutex begins with (or is) something whose "held" can be asserted. */
#define lockdep_is_held(lock) ((lock)->held != 0)
#define lockdep_assert_held(lock) ((void)WARN_ON(!(lock)->held))

/* --- mutexes of reservation objects: nobody contends, so an assertion is enough ----------- */
struct ww_class {
    int unused;
};
struct ww_acquire_ctx {
    int unused;
};
struct ww_mutex {
    struct {
        u32 held;
    } base;
    struct ww_acquire_ctx* ctx;
};
#define DEFINE_WD_CLASS(name) struct ww_class name
#define ww_mutex_init(lock, class) ((lock)->base.held = 0, (lock)->ctx = NULL)
#define ww_mutex_destroy(lock) ((void)WARN_ON((lock)->base.held))
static inline int ww_mutex_lock(struct ww_mutex* lock, struct ww_acquire_ctx* ctx) {
    BUG_ON(lock->base.held);
    lock->base.held = 1;
    lock->ctx = ctx;
    return 0;
}
static inline void ww_mutex_unlock(struct ww_mutex* lock) {
    BUG_ON(!lock->base.held);
    lock->base.held = 0;
}
#define ww_mutex_lock_interruptible(lock, ctx) ww_mutex_lock(lock, ctx)
#define ww_mutex_lock_slow(lock, ctx) ((void)ww_mutex_lock(lock, ctx))
#define ww_mutex_lock_slow_interruptible(lock, ctx) ww_mutex_lock(lock, ctx)
#define ww_mutex_trylock(lock, ctx) (!(lock)->base.held && !ww_mutex_lock(lock, ctx))
#define ww_mutex_is_locked(lock) ((lock)->base.held != 0)

/* --- wait queues -------------------------------------------------------------------------- */
/* Newest waiter first, as non-exclusive waiters are queued; waking takes a waiter off the queue. */
struct shim_waiter {
    struct shim_waiter* next;
    struct task_struct* task;
    bool queued;
};
typedef struct {
    u32 magic;
    struct shim_waiter* first;
} wait_queue_head_t;
#define SHIM_WAIT_MAGIC 0x54494157u
#define init_waitqueue_head(queue) ((queue)->magic = SHIM_WAIT_MAGIC, (queue)->first = NULL)
void shim_prepare_to_wait(wait_queue_head_t* queue, struct shim_waiter* waiter);
void shim_finish_wait(wait_queue_head_t* queue, struct shim_waiter* waiter);
void shim_wake_up(wait_queue_head_t* queue);
#define wake_up(queue) shim_wake_up(queue)
#define wake_up_all(queue) shim_wake_up(queue)
#define shim_wait_event(queue, condition, remaining)                                               \
    ({                                                                                             \
        long left_ = (remaining);                                                                  \
        if (!(condition)) {                                                                        \
            struct shim_waiter waiter_ = {NULL, current, false};                                   \
            for (;;) {                                                                             \
                shim_prepare_to_wait(&(queue), &waiter_);                                          \
                if ((condition) || !left_)                                                         \
                    break;                                                                         \
                left_ = schedule_timeout(left_);                                                   \
            }                                                                                      \
            shim_finish_wait(&(queue), &waiter_);                                                  \
            if (!left_ && (condition))                                                             \
                left_ = 1;                                                                         \
        }                                                                                          \
        left_;                                                                                     \
    })
#define wait_event_killable(queue, condition)                                                      \
    ({                                                                                             \
        (void)shim_wait_event(queue, condition, MAX_SCHEDULE_TIMEOUT);                             \
        0;                                                                                         \
    })
#define wait_event_timeout(queue, condition, timeout) shim_wait_event(queue, condition, timeout)

/* --- completions -------------------------------------------------------------------------- */
struct completion {
    bool done;
    wait_queue_head_t wait;
};
static inline void init_completion(struct completion* c) {
    c->done = false;
    init_waitqueue_head(&c->wait);
}
static inline void reinit_completion(struct completion* c) {
    c->done = false;
}
static inline void complete_all(struct completion* c) {
    c->done = true;
    if (c->wait.first)
        wake_up_all(&c->wait);
}
static inline void wait_for_completion(struct completion* c) {
    (void)shim_wait_event(c->wait, c->done, MAX_SCHEDULE_TIMEOUT);
}

/* --- RCU: no reader can be interrupted, so only the grace periods are modelled ------------- */
#define rcu_read_lock()                                                                            \
    do {                                                                                           \
    } while (0)
#define rcu_read_unlock()                                                                          \
    do {                                                                                           \
    } while (0)
#define rcu_dereference(p) (p)
#define rcu_dereference_raw(p) (p)
#define rcu_dereference_check(p, condition) (p)
#define rcu_dereference_protected(p, condition) (p)
#define rcu_access_pointer(p) (p)
#define rcu_pointer_handoff(p) (p)
#define unrcu_pointer(p) (p)
#define RCU_INITIALIZER(p) (p)
#define RCU_INIT_POINTER(p, value) WRITE_ONCE(p, value)
#define rcu_assign_pointer(p, value) WRITE_ONCE(p, value)
#define rcu_replace_pointer(p, value, condition) xchg(&(p), value)
void call_rcu(struct rcu_head* head, void (*func)(struct rcu_head* head));
void rcu_barrier(void);
/* The head may stand anywhere in the object: the offset travels in place of a function. */
#define kfree_rcu(ptr, member)                                                                     \
    call_rcu(&(ptr)->member, (void (*)(struct rcu_head*))offsetof(typeof(*(ptr)), member))
#define SHIM_KFREE_OFFSET_LIMIT 4096

#endif
