/* Blocking, waking, wait queues and RCU grace periods. */
#include "sync.h"

#include "kernel.h"
#include "machine.h"

unsigned int shim_locks_held;

/* --- blocking and waking ---------------------------------------------------------------- */
static void run_wake_up(void* argument) {
    struct task_struct* task = argument;
    task->wake_pending = false;
    fibers_resume(task->fiber);
}

void wake_up_state(struct task_struct* task, unsigned int state) {
    (void)state;
    if (!fibers_is_blocked(task->fiber) || task->wake_pending)
        return;
    task->wake_pending = true;
    machine_post(run_wake_up, task);
}

struct sleeper {
    struct task_struct* task;
    struct shim_event* timer;
};

static void timer_fires(void* argument) {
    struct sleeper* sleeper = argument;
    sleeper->timer = NULL;
    wake_up_state(sleeper->task, TASK_NORMAL);
}

long schedule_timeout(long timeout) {
    struct sleeper sleeper = {current, NULL};
    uint64_t until = shim_now + (uint64_t)timeout;

    if (shim_locks_held)
        machine_hazard(ORACLE_HAZARD_LOCK, "a context blocks while it holds a spinlock");
    if (timeout != MAX_SCHEDULE_TIMEOUT)
        sleeper.timer = machine_arm(until, timer_fires, &sleeper);
    fibers_block();
    if (timeout == MAX_SCHEDULE_TIMEOUT)
        return timeout;
    if (sleeper.timer)
        machine_cancel(sleeper.timer);
    return until > shim_now ? (long)(until - shim_now) : 0;
}

/* --- wait queues ------------------------------------------------------------------------ */
static void check_queue(const wait_queue_head_t* queue) {
    if (unlikely(queue->magic != SHIM_WAIT_MAGIC))
        machine_hazard(ORACLE_HAZARD_USE_AFTER_FREE, "wait queue in freed or foreign memory");
}

void shim_prepare_to_wait(wait_queue_head_t* queue, struct shim_waiter* waiter) {
    check_queue(queue);
    if (waiter->queued)
        return;
    waiter->next = queue->first;
    queue->first = waiter;
    waiter->queued = true;
}

void shim_finish_wait(wait_queue_head_t* queue, struct shim_waiter* waiter) {
    if (!waiter->queued)
        return;
    check_queue(queue);
    for (struct shim_waiter** p = &queue->first; *p; p = &(*p)->next) {
        if (*p == waiter) {
            *p = waiter->next;
            break;
        }
    }
    waiter->queued = false;
}

void shim_wake_up(wait_queue_head_t* queue) {
    check_queue(queue);
    struct shim_waiter* waiter = queue->first;
    queue->first = NULL;
    while (waiter) {
        struct shim_waiter* next = waiter->next;
        waiter->queued = false;
        wake_up_state(waiter->task, TASK_NORMAL);
        waiter = next;
    }
}

/* --- RCU -------------------------------------------------------------------------------- */
struct callbacks {
    struct rcu_head *first, **last;
};
static struct callbacks running_period, next_period;
static bool period_runs;
static uint64_t grace_period;

static void period_ends(void* argument);

static void clear(struct callbacks* list) {
    list->first = NULL;
    list->last = &list->first;
}

void rcu_reset(uint64_t period) {
    grace_period = period;
    period_runs = false;
    clear(&running_period);
    clear(&next_period);
}

/* What waits now waits for the period that begins now. */
static void start_period(void) {
    running_period = next_period;
    if (!running_period.first)
        running_period.last = &running_period.first;
    clear(&next_period);
    period_runs = true;
    machine_arm(shim_now + grace_period, period_ends, NULL);
}

static void run_callback(struct rcu_head* head) {
    void (*func)(struct rcu_head*) = head->func;
    if ((uintptr_t)func < SHIM_KFREE_OFFSET_LIMIT)
        kfree((char*)head - (uintptr_t)func);
    else
        func(head);
}

static void period_ends(void* argument) {
    (void)argument;
    struct rcu_head* head = running_period.first;
    period_runs = false;
    clear(&running_period);
    if (next_period.first)
        start_period();
    while (head) {
        struct rcu_head* next = head->next;
        run_callback(head);
        head = next;
    }
}

void call_rcu(struct rcu_head* head, void (*func)(struct rcu_head* head)) {
    head->func = func;
    head->next = NULL;
    *next_period.last = head;
    next_period.last = &head->next;
    if (!period_runs)
        start_period();
}

void rcu_barrier(void) {}
