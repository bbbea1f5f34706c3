/* Workqueues, delayed work and irq_work as events. */
#include "work.h"

#include "kernel.h"
#include "machine.h"

#define QUEUE_MAGIC 0x4b524f57u

struct workqueue_struct {
    u32 magic;
    bool ordered;
    bool busy;                     /* ordered: the worker is at an item, maybe blocked */
    struct work_struct* behind[8]; /* items whose turn came while the worker was blocked */
    unsigned int behind_count;
};

/* An item at work, on the stack of its worker: the item itself may be freed by its function. */
struct running {
    struct running* next;
    struct work_struct* work;
};

static struct workqueue_struct system_queue = {.magic = QUEUE_MAGIC};
struct workqueue_struct* system_wq = &system_queue;
static struct running* running_items;
static wait_queue_head_t item_done;

void work_reset(void) {
    running_items = NULL;
    init_waitqueue_head(&item_done);
    system_queue.behind_count = 0;
}

static void check_queue(const struct workqueue_struct* wq) {
    if (unlikely(wq->magic != QUEUE_MAGIC))
        machine_hazard(ORACLE_HAZARD_USE_AFTER_FREE, "work queued on a destroyed workqueue");
}

static void check_memory(const void* object, const char* what) {
#ifdef SHIM_ACCESS_HOOKS
    if (unlikely(!heap_accessible(object)))
        machine_hazard(ORACLE_HAZARD_USE_AFTER_FREE, "%s runs in freed memory", what);
#else
    (void)object;
    (void)what;
#endif
}

struct workqueue_struct* shim_alloc_ordered_workqueue(const char* name) {
    struct workqueue_struct* wq = kzalloc(sizeof(*wq), GFP_KERNEL);
    (void)name;
    wq->magic = QUEUE_MAGIC;
    wq->ordered = true;
    return wq;
}

void destroy_workqueue(struct workqueue_struct* wq) {
    check_queue(wq);
    WARN_ON(wq->busy || wq->behind_count);
    kfree(wq);
}

static bool is_running(const struct work_struct* work) {
    for (const struct running* r = running_items; r; r = r->next)
        if (r->work == work)
            return true;
    return false;
}

static void run_item(void* argument);

static void post_item(struct workqueue_struct* wq, struct work_struct* work) {
    work->queue = wq;
    work->event = machine_post(run_item, work);
}

/* The worker is busy: keep the item, which stays pending, until the worker is free. */
static void fall_behind(struct workqueue_struct* wq, struct work_struct* work) {
    BUG_ON(wq->behind_count == ARRAY_SIZE(wq->behind));
    wq->behind[wq->behind_count++] = work;
}

static void queue_behind_anew(struct workqueue_struct* wq) {
    unsigned int count = wq->behind_count;
    wq->behind_count = 0;
    for (unsigned int i = 0; i < count; i++)
        post_item(wq, wq->behind[i]);
}

static void run_item(void* argument) {
    struct work_struct* work = argument;
    check_memory(work, "queued work");
    struct workqueue_struct* wq = work->queue;

    if ((wq->ordered && wq->busy) || (!wq->ordered && running_items && is_running(work))) {
        fall_behind(wq, work);
        return;
    }
    struct running self = {running_items, work};
    running_items = &self;
    wq->busy = true;
    work->event = NULL;
    work->func(work);

    for (struct running** p = &running_items; *p; p = &(*p)->next) {
        if (*p == &self) {
            *p = self.next;
            break;
        }
    }
    wq->busy = false;
    if (item_done.first)
        wake_up_all(&item_done);
    if (wq->behind_count)
        queue_behind_anew(wq);
}

bool queue_work(struct workqueue_struct* wq, struct work_struct* work) {
    if (work->event)
        return false;
    check_queue(wq);
    post_item(wq, work);
    return true;
}

/* Takes a pending item back; false if it was not pending. */
static bool withdraw(struct work_struct* work) {
    if (!work->event)
        return false;
    struct workqueue_struct* wq = work->queue;
    for (unsigned int i = 0; i < wq->behind_count; i++) {
        if (wq->behind[i] != work)
            continue;
        memmove(wq->behind + i, wq->behind + i + 1,
                (--wq->behind_count - i) * sizeof(struct work_struct*));
        work->event = NULL;
        return true;
    }
    machine_cancel(work->event);
    work->event = NULL;
    return true;
}

bool cancel_work_sync(struct work_struct* work) {
    bool was_pending = withdraw(work);
    if (running_items)
        (void)shim_wait_event(item_done, !is_running(work), MAX_SCHEDULE_TIMEOUT);
    return was_pending;
}

static void delay_is_over(void* argument) {
    struct delayed_work* dwork = argument;
    check_memory(dwork, "a timer");
    dwork->event = NULL;
    queue_work(dwork->queue, &dwork->work);
}

bool cancel_delayed_work(struct delayed_work* dwork) {
    if (dwork->event) {
        machine_cancel(dwork->event);
        dwork->event = NULL;
        return true;
    }
    return withdraw(&dwork->work);
}

bool cancel_delayed_work_sync(struct delayed_work* dwork) {
    bool was_pending = cancel_delayed_work(dwork);
    (void)cancel_work_sync(&dwork->work);
    return was_pending;
}

bool mod_delayed_work(struct workqueue_struct* wq, struct delayed_work* dwork,
                      unsigned long delay) {
    bool was_pending = cancel_delayed_work(dwork);
    uint64_t at;
    if (__builtin_add_overflow(shim_now, (uint64_t)delay, &at))
        at = ORACLE_NEVER - 1;
    dwork->queue = wq;
    dwork->timer.expires = at;
    if (delay)
        dwork->event = machine_arm(at, delay_is_over, dwork);
    else
        queue_work(wq, &dwork->work);
    return was_pending;
}

static void run_irq_work(void* argument) {
    struct irq_work* work = argument;
    check_memory(work, "irq_work");
    work->pending = false;
    work->func(work);
}

bool irq_work_queue(struct irq_work* work) {
    if (work->pending)
        return false;
    work->pending = true;
    machine_post(run_irq_work, work);
    return true;
}
