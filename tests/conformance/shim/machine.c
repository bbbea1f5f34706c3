/* The event loop, and the way out of a run that goes wrong. */
#include "machine.h"

#include <stdio.h>

#include "kernel.h"

static const struct machine_listed* listed;
static struct oracle_result* result;
static uint64_t limit;
static void (*first)(void);
static bool stop_requested;
static enum machine_stop stop_reason;

uint64_t machine_next_time(void);

void machine_reset(struct oracle_result* into, uint64_t rcu_grace_period) {
    result = into;
    shim_locks_held = 0;
    machine_events_reset();
    rcu_reset(rcu_grace_period);
    work_reset();
    heap_reset();
    fibers_reset();
}

/* One event, or false when the loop has to end. */
static bool run_next(void) {
    shim_event_fn fn;
    void* argument;

    if (stop_requested) {
        stop_reason = MACHINE_STOPPED;
        return false;
    }
    if (first) {
        void (*call)(void) = first;
        first = NULL;
        call();
        return true;
    }
    uint64_t at = listed ? listed->next() : ORACLE_NEVER;
    uint64_t created = machine_next_time();
    if (at <= created && at != ORACLE_NEVER) {
        stop_reason = MACHINE_LIMIT;
        if (at > limit)
            return false;
        shim_now = at;
        listed->run();
        return true;
    }
    stop_reason = created == ORACLE_NEVER ? MACHINE_QUIET : MACHINE_LIMIT;
    if (!machine_next(limit, &fn, &argument))
        return false;
    fn(argument);
    return true;
}

static void loop(void) {
    for (;;) {
        while (run_next())
            ;
        fibers_leave();
    }
}

enum machine_stop machine_run(void (*first_call)(void), const struct machine_listed* from,
                              uint64_t until) {
    first = first_call;
    listed = from;
    limit = until;
    stop_requested = false;
    fibers_enter(loop);
    return result->hazard ? MACHINE_HAZARD : stop_reason;
}

void machine_stop(void) {
    stop_requested = true;
}

unsigned int machine_blocked(void) {
    return fibers_blocked();
}

void machine_hazard(enum oracle_hazard kind, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    result->hazard = kind;
    vsnprintf(result->hazard_text, sizeof(result->hazard_text), format, arguments);
    va_end(arguments);
    fibers_abort();
}

void machine_count_warning(const char* text) {
    if (!result->warnings++)
        snprintf(result->first_warning, sizeof(result->first_warning), "%s", text);
}

void shim_warn(const char* file, int line, const char* what) {
    char text[128];
    const char* name = strrchr(file, '/');
    snprintf(text, sizeof(text), "%s:%d: %s", name ? name + 1 : file, line, what);
    machine_count_warning(text);
}

void shim_bug(const char* file, int line, const char* what) {
    const char* name = strrchr(file, '/');
    machine_hazard(ORACLE_HAZARD_BUG, "BUG at %s:%d: %s", name ? name + 1 : file, line, what);
}

void shim_message(const char* format, ...) {
    (void)format;
    result->messages++;
}

void shim_bad_reference(const void* object, int count, const char* operation) {
    char where[128] = "";
    bool freed = count == SHIM_POISONED_INT;
    heap_describe(object, where, sizeof(where));
    if (freed)
        machine_hazard(ORACLE_HAZARD_USE_AFTER_FREE, "reference %s on freed memory: %s", operation,
                       where);
    machine_hazard(ORACLE_HAZARD_REFERENCE, "reference %s on a count of %d: %s", operation, count,
                   where);
}

void shim_lock_failed(const spinlock_t* lock, const char* operation) {
    char where[128] = "";
    bool known = heap_describe(lock, where, sizeof(where));
    if (known && !heap_accessible(lock))
        machine_hazard(ORACLE_HAZARD_USE_AFTER_FREE, "spin %s in freed memory: %s", operation,
                       where);
    machine_hazard(ORACLE_HAZARD_LOCK, "spin %s: %s: %s", operation,
                   lock->magic != SHIM_LOCK_MAGIC ? "not initialised"
                   : lock->held                   ? "already held"
                                                  : "not held",
                   where);
}
