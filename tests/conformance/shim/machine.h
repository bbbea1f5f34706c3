/*
 * The machine under the kernel's code: virtual time, the one order of events, the contexts that
 * can block, and the reporting of hazards.
 *
 * Order: at one instant everything listed (class 0) comes before everything created during the
 * run (class 1), which runs in the order of its creation. An event is a function called once at
 * its place. Events run on a fiber that executes the event loop; a function that blocks leaves
 * its fiber behind, another fiber goes on with the loop, and the wake-up is an event like any
 * other. So work that does not block costs no switch.
 *
 * All state is global and reset by machine_reset(): one run at a time in one thread.
 */
#ifndef FENCELINE_SHIM_MACHINE_H
#define FENCELINE_SHIM_MACHINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../oracle.h"

#ifdef __cplusplus
extern "C" {
#endif

struct task_struct;
struct shim_event;
typedef void (*shim_event_fn)(void* argument);

/* Source of class 0: the time of the next listed item, or ORACLE_NEVER, and a call to run it. */
struct machine_listed {
    uint64_t (*next)(void);
    void (*run)(void);
};

enum machine_stop { MACHINE_QUIET, MACHINE_STOPPED, MACHINE_LIMIT, MACHINE_HAZARD };

void machine_reset(struct oracle_result* result, uint64_t rcu_grace_period);
/* Runs `first` (if any), then events up to and including `limit`, until none is left. */
enum machine_stop machine_run(void (*first)(void), const struct machine_listed* listed,
                              uint64_t limit);
/* Makes machine_run() return after the current event. */
void machine_stop(void);
/* Contexts that are still blocked. */
unsigned int machine_blocked(void);

/* An event at the present instant, or at a later one. The handle dies when the event starts. */
struct shim_event* machine_post(shim_event_fn fn, void* argument);
struct shim_event* machine_arm(uint64_t at, shim_event_fn fn, void* argument);
void machine_cancel(struct shim_event* event);
bool machine_next(uint64_t limit, shim_event_fn* fn, void** argument);
void machine_events_reset(void);

/* Records a fatal hazard and leaves the run; never returns. */
void machine_hazard(enum oracle_hazard kind, const char* format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
void machine_count_warning(const char* text);

/* --- fibers.cpp ------------------------------------------------------------------------- */
void fibers_enter(void (*loop)(void)); /* from the caller's stack into an idle loop fiber */
void fibers_leave(void);               /* from a loop fiber back to the caller's stack */
void fibers_abort(void) __attribute__((noreturn)); /* the same, leaving everything behind */
void fibers_block(void);         /* the present context waits; another fiber loops on */
void fibers_resume(void* fiber); /* from a loop fiber: go on where that context waits */
void fibers_reset(void);         /* forget what is blocked */
unsigned int fibers_blocked(void);
bool fibers_is_blocked(const void* fiber);

/* --- heap.c ----------------------------------------------------------------------------- */
struct heap_leaks {
    uint32_t blocks;
    uint64_t bytes;
    const char* first; /* what the first of them is */
};
struct heap_leaks heap_leaks(void);
void heap_reset(void);
/* Description of the block an address lies in, for reports; false if it lies in none. */
bool heap_describe(const void* address, char* text, size_t size);
/* Whether the byte at the address belongs to a live block, or to no block at all. */
bool heap_accessible(const void* address);

/* --- sync.c, work.c --------------------------------------------------------------------- */
void rcu_reset(uint64_t grace_period);
void work_reset(void);

#ifdef __cplusplus
}
#endif
#endif
