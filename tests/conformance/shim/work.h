/*
 * Workqueues and irq_work. A queued item holds a place in the order of events; queueing one that
 * is pending does nothing. An ordered queue runs one item at a time; the system queue starts each
 * item by itself.
 */
#ifndef FENCELINE_SHIM_WORK_H
#define FENCELINE_SHIM_WORK_H

#include "sync.h"

struct shim_event;
struct work_struct;
struct workqueue_struct;
typedef void (*work_func_t)(struct work_struct* work);

struct work_struct {
    work_func_t func;
    struct workqueue_struct* queue;
    struct shim_event* event; /* the place it holds while pending */
    bool running;
};
struct timer_list {
    unsigned long expires;
};
struct delayed_work {
    struct work_struct work;
    struct timer_list timer;
    struct workqueue_struct* queue;
    struct shim_event* event; /* the armed timer */
};

#define INIT_WORK(w, fn)                                                                           \
    do {                                                                                           \
        (w)->func = (fn);                                                                          \
        (w)->queue = NULL;                                                                         \
        (w)->event = NULL;                                                                         \
        (w)->running = false;                                                                      \
    } while (0)
#define INIT_DELAYED_WORK(d, fn)                                                                   \
    do {                                                                                           \
        INIT_WORK(&(d)->work, fn);                                                                 \
        (d)->queue = NULL;                                                                         \
        (d)->event = NULL;                                                                         \
    } while (0)

extern struct workqueue_struct* system_wq;
#define WQ_MEM_RECLAIM 8u
struct workqueue_struct* shim_alloc_ordered_workqueue(const char* name);
#define alloc_ordered_workqueue(name, flags) shim_alloc_ordered_workqueue(name)
void destroy_workqueue(struct workqueue_struct* wq);
bool queue_work(struct workqueue_struct* wq, struct work_struct* work);
#define schedule_work(work) queue_work(system_wq, work)
bool cancel_work_sync(struct work_struct* work);
bool mod_delayed_work(struct workqueue_struct* wq, struct delayed_work* dwork, unsigned long delay);
bool cancel_delayed_work(struct delayed_work* dwork);
bool cancel_delayed_work_sync(struct delayed_work* dwork);

struct irq_work {
    void (*func)(struct irq_work* work);
    bool pending;
};
static inline void init_irq_work(struct irq_work* work, void (*func)(struct irq_work* work)) {
    work->func = func;
    work->pending = false;
}
bool irq_work_queue(struct irq_work* work);

#endif
