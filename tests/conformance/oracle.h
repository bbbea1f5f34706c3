/*
 * The kernel's own scheduler as an oracle: a workload goes in, the log of what drivers/gpu/drm/
 * scheduler of Linux 6.12 does with it comes out, in virtual time.
 *
 * Everything handed in belongs to the caller and must stay until oracle_run() returns. Runs share
 * no state: the same workload gives the same events however many runs came before. One thread.
 */
#ifndef FENCELINE_ORACLE_H
#define FENCELINE_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ORACLE_NEVER UINT64_MAX

enum oracle_policy { ORACLE_RR, ORACLE_FIFO };
enum oracle_priority {
    ORACLE_PRIORITY_KERNEL,
    ORACLE_PRIORITY_HIGH,
    ORACLE_PRIORITY_NORMAL,
    ORACLE_PRIORITY_LOW
};
enum oracle_run_kind {
    ORACLE_RUN_NORMAL,
    ORACLE_RUN_NO_FENCE,
    ORACLE_RUN_ERROR,
    ORACLE_RUN_SIGNALLED
};
enum oracle_via {
    ORACLE_VIA_NONE,
    ORACLE_VIA_ARRAY,
    ORACLE_VIA_ANY,
    ORACLE_VIA_CHAIN,
    ORACLE_VIA_RESV
};
enum oracle_on_timeout { ORACLE_RESET, ORACLE_RESET_NO_RESUBMIT, ORACLE_NO_DEVICE };

struct oracle_ring {
    const char* name;
    uint32_t credit_limit;
    uint64_t timeout; /* ORACLE_NEVER: none */
    uint32_t hang_limit;
    enum oracle_on_timeout on_timeout;
};

struct oracle_entity {
    const uint32_t* rings; /* indices */
    uint32_t ring_count;
    enum oracle_priority priority;
    bool guilty_flag;
};

struct oracle_job {
    uint64_t at; /* never decreases */
    uint32_t entity;
    uint32_t credits;
    uint64_t duration;     /* ORACLE_NEVER: hangs */
    const uint32_t* after; /* indices of earlier jobs */
    uint32_t after_count;
    enum oracle_via via;
    enum oracle_run_kind run;
};

enum oracle_action_kind {
    ORACLE_DESTROY_ENTITY,
    ORACLE_KILL_ENTITY,
    ORACLE_FINI_ENTITY,
    ORACLE_SET_PRIORITY,
    ORACLE_MODIFY_SCHED,
    ORACLE_FINI_SCHEDULER,
    ORACLE_RESET_RING,
    ORACLE_QUERY, /* names and status of a job's finished fence */
    ORACLE_SET_DEADLINE
};

struct oracle_action {
    uint64_t at;
    enum oracle_action_kind kind;
    uint32_t entity;
    uint32_t ring;
    enum oracle_priority priority;
    const uint32_t* rings; /* for modify-sched */
    uint32_t ring_count;
    uint32_t job;      /* for query and set-deadline: its index; pushed by then */
    uint64_t deadline; /* for set-deadline */
};

struct oracle_workload {
    const struct oracle_ring* rings;
    uint32_t ring_count;
    const struct oracle_entity* entities;
    uint32_t entity_count;
    const struct oracle_job* jobs;
    uint32_t job_count;
    const struct oracle_action* actions;
    uint32_t action_count;
    enum oracle_policy policy;
    uint64_t rcu_grace_period;
    uint64_t until; /* ORACLE_NEVER: to the end */
};

enum oracle_event_kind {
    ORACLE_EV_QUEUE,
    ORACLE_EV_RUN_JOB,
    ORACLE_EV_SCHEDULED,
    ORACLE_EV_HW_DONE,
    ORACLE_EV_FINISHED,
    ORACLE_EV_FREE_JOB,
    ORACLE_EV_TIMEDOUT,
    ORACLE_EV_RESET,
    ORACLE_EV_QUERY, /* no event of the log: what a query found */
    ORACLE_EV_COUNT
};

struct oracle_event {
    uint64_t t;
    enum oracle_event_kind kind;
    uint32_t job; /* index; meaningless for a reset, as is the entity */
    uint32_t entity;
    uint32_t ring;
    int error;            /* of a query: the status */
    const char* driver;   /* of a query; NULL when the submit had failed */
    const char* timeline; /* likewise */
};
typedef void (*oracle_listener)(void* context, const struct oracle_event* event);

enum oracle_end { ORACLE_END_NORMAL, ORACLE_END_STUCK, ORACLE_END_UNTIL, ORACLE_END_HAZARD };
enum oracle_hazard {
    ORACLE_HAZARD_NONE,
    ORACLE_HAZARD_USE_AFTER_FREE,
    ORACLE_HAZARD_DOUBLE_FREE,
    ORACLE_HAZARD_BAD_ACCESS,
    ORACLE_HAZARD_REFERENCE,
    ORACLE_HAZARD_LOCK,
    ORACLE_HAZARD_BUG,
    ORACLE_HAZARD_DEADLOCK
};

struct oracle_result {
    enum oracle_end end;
    enum oracle_hazard hazard; /* the first fatal one; it ends the run */
    char hazard_text[256];
    uint64_t end_time; /* when teardown began */
    uint32_t jobs_pushed;
    uint32_t jobs_freed;
    uint32_t leaked_blocks; /* memory that nobody freed */
    uint64_t leaked_bytes;
    const char* leak_first; /* allocated as */
    uint32_t blocked;       /* contexts that never came back */
    uint32_t warnings;      /* WARN_ON and friends */
    uint32_t messages;      /* error messages and warnings printed by the kernel's code */
    char first_warning[128];
    uint64_t events[ORACLE_EV_COUNT];
};

/* Returns 0, or -EINVAL for a workload that makes no sense (an index out of range, no ring...). */
int oracle_run(const struct oracle_workload* workload, oracle_listener listener, void* context,
               struct oracle_result* result);

const char* oracle_hazard_name(enum oracle_hazard hazard);
const char* oracle_event_name(enum oracle_event_kind kind);

#ifdef __cplusplus
}
#endif
#endif
